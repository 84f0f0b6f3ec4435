"""TLS 1.3 with the suites of RFC 8998 over pyOpenSSL: contexts, and sessions without any socket.

    context = server_context(identity)          or client_context(identity), client_context(None)
    session = Session(context, server=True)
    session.feed(bytes from the wire), session.take() -> bytes for the wire
    session.handshake() -> True once it is done; session.write(data); session.read() -> data

By default nothing but TLS_SM4_GCM_SM3, curveSM2 and sm2sig_sm3 is offered or taken. With ``only_sm`` False
the standard suites and groups of TLS 1.3 are taken as well; signatures and certificates are SM2 in any case.

OpenSSL proves that the peer has the key of its certificate, nothing else: its own opinion of the chain is
not asked. Whoever uses a session must hold ``peer_chain`` against ``crypto.link_peers`` before it believes a
byte; the streams of ``crypto.sm_stream`` and ``crypto.sm_async`` do. There is no resumption: each connection
shows its certificates anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from OpenSSL import SSL, crypto
from OpenSSL._util import lib

from crypto.link_identity import LinkIdentity
from crypto.words import LiuheError, Refused, Words
from crypto.x509 import Certificate

SM_SUITE: Final = "TLS_SM4_GCM_SM3"
SM_GROUP: Final = "curveSM2"
_SIGNATURES: Final = b"sm2sig_sm3"
_SUITES_ALL: Final = (
    f"{SM_SUITE}:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256".encode()
)
_GROUPS_ALL: Final = f"{SM_GROUP}:X25519:P-256:P-384".encode()
_RELEASE_BUFFERS: Final = 0x10  # SSL_MODE_RELEASE_BUFFERS: an idle connection keeps no record buffers
_WIRE_BYTES: Final = 256 * 1024
READ_BYTES: Final = 64 * 1024

# What OpenSSL calls it when the two sides have no suite, group or signature in common, or no TLS 1.3.
_NOT_SM: Final = frozenset(
    {
        "no shared cipher",
        "no shared group",
        "no shared groups",
        "no suitable groups",
        "no suitable key share",
        "no suitable signature algorithm",
        "no shared signature algorithms",
        "unsupported protocol",
        "wrong signature type",
        "wrong ssl version",
        "wrong version number",
        "ssl/tls alert handshake failure",
        "sslv3 alert handshake failure",
        "tlsv1 alert protocol version",
        "tlsv1 alert insufficient security",
    }
)


class TlsError(OSError):
    """A connection that TLS ended: the peer broke the protocol, or refused us by an alert."""


class Context:
    """What the sessions of one side share; made by ``server_context`` and ``client_context``."""

    __slots__ = ("only_sm", "raw")

    def __init__(self, method: int, identity: LinkIdentity | None, *, only_sm: bool) -> None:
        self.only_sm: Final = only_sm
        self.raw: Final = SSL.Context(method)
        raw = self.raw
        raw.set_min_proto_version(SSL.TLS1_3_VERSION)
        raw.set_tls13_ciphersuites(SM_SUITE.encode() if only_sm else _SUITES_ALL)
        groups = SM_GROUP.encode() if only_sm else _GROUPS_ALL
        # pyOpenSSL has no public setters for these two.
        if not lib.SSL_CTX_set1_curves_list(raw._context, groups) or not lib.SSL_CTX_set1_sigalgs_list(
            raw._context, _SIGNATURES
        ):
            raise _no_sm_library()
        raw.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        raw.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
        raw.set_mode(_RELEASE_BUFFERS)
        raw.set_verify(SSL.VERIFY_PEER, _leave_to_the_judge)
        if identity is not None:
            _show(raw, identity)


def server_context(identity: LinkIdentity, *, only_sm: bool = True) -> Context:
    """The listening side; a client that has a certificate shows it. Raises LiuheError."""
    return Context(SSL.TLS_SERVER_METHOD, identity, only_sm=only_sm)


def client_context(identity: LinkIdentity | None = None, *, only_sm: bool = True) -> Context:
    """The connecting side, with a certificate once it has one. Raises LiuheError."""
    return Context(SSL.TLS_CLIENT_METHOD, identity, only_sm=only_sm)


class Session:
    """One side of one connection, without input and output. Not for two threads at once."""

    __slots__ = ("_connection", "_context")

    def __init__(self, context: Context, *, server: bool) -> None:
        self._context: Final = context
        self._connection: Final = SSL.Connection(context.raw, None)
        if server:
            self._connection.set_accept_state()
        else:
            self._connection.set_connect_state()

    def feed(self, data: bytes) -> None:
        """Bytes that came from the wire."""
        if data:
            self._connection.bio_write(data)

    def take(self) -> bytes:
        """Bytes for the wire; b"" where there are none. To be asked after every other call."""
        parts: list[bytes] = []
        while True:
            try:
                parts.append(self._connection.bio_read(_WIRE_BYTES))
            except SSL.WantReadError:
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def handshake(self) -> bool:
        """Go on with it; True once done. Raises Refused (link-not-sm), TlsError."""
        with _translated():
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                return False
        return True

    def write(self, data: bytes) -> None:
        """Encrypt data for the peer. Raises TlsError."""
        with _translated():
            self._connection.sendall(data)

    def read(self, size: int = READ_BYTES) -> bytes | None:
        """What is decrypted and waiting, up to ``size``; b"" at the peer's end, None where more must come.

        Raises TlsError.
        """
        parts: list[bytes] = []
        left = size
        with _translated():
            try:
                while left > 0:
                    parts.append(self._connection.recv(left))
                    left -= len(parts[-1])
            except SSL.WantReadError:
                if not parts:
                    return None
            except SSL.ZeroReturnError:
                pass
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Say that no more will come: ``take`` then has the alert."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            pass  # the handshake was never done, or the connection is broken: nothing to say

    @property
    def suite(self) -> str:
        """The cipher suite agreed on."""
        return self._connection.get_cipher_name() or ""

    @property
    def group(self) -> str:
        """The key exchange group agreed on, in OpenSSL's spelling."""
        return self._connection.get_group_name() or ""

    @property
    def peer_chain(self) -> tuple[bytes, ...]:
        """The certificates the peer showed, DER, its own first; none where it showed none."""
        leaf = self._connection.get_peer_certificate()
        if leaf is None:
            return ()
        own = crypto.dump_certificate(crypto.FILETYPE_ASN1, leaf)
        sent = [
            crypto.dump_certificate(crypto.FILETYPE_ASN1, one)
            for one in self._connection.get_peer_cert_chain() or ()
        ]
        return (own, *(one for one in sent if one != own))


def _leave_to_the_judge(*_: object) -> bool:
    return True


def _show(raw: SSL.Context, identity: LinkIdentity) -> None:
    """Load key and certificates; by the library itself, since pyOpenSSL's setters know no SM2 key."""
    own, *above = identity.chain
    try:
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, identity.key.private_pem(None))
        leaf = crypto.load_certificate(crypto.FILETYPE_ASN1, own.der)
        taken = lib.SSL_CTX_use_certificate(raw._context, leaf._x509) == 1
        taken = taken and lib.SSL_CTX_use_PrivateKey(raw._context, key._pkey) == 1
        for one in above:
            issuer = crypto.load_certificate(crypto.FILETYPE_ASN1, one.der)
            # The context frees what it is given, hence a copy.
            taken = taken and lib.SSL_CTX_add_extra_chain_cert(raw._context, lib.X509_dup(issuer._x509)) == 1
        if taken:
            raw.check_privatekey()
    except (crypto.Error, SSL.Error) as error:
        raise _unusable(own, _reason(error)) from error
    if not taken:
        raise _unusable(own, "OpenSSL refused it")


def _unusable(own: Certificate, reason: str) -> LiuheError:
    return LiuheError(
        "keys-unreadable",
        Words(f"证书或私钥不可用:{reason}", f"certificate or key unusable: {reason}"),
        Words("请重新注册(sensor enroll)或恢复 keys 目录", "enrol again or restore the keys folder"),
        field=str(own.subject),
    )


@contextmanager
def _translated() -> Iterator[None]:
    """OpenSSL's errors as ours; those that only say "not yet" pass."""
    try:
        yield
    except (SSL.WantReadError, SSL.ZeroReturnError):
        raise
    except SSL.SysCallError as error:
        raise TlsError("the peer left in the middle of a record") from error
    except SSL.Error as error:
        reason = _reason(error)
        if reason in _NOT_SM:
            raise _not_sm(reason) from error
        raise TlsError(reason) from error


def _reason(error: Exception) -> str:
    """The last of OpenSSL's words, such as "no shared cipher"."""
    said = error.args[0] if error.args else ()
    if isinstance(said, list | tuple) and said and isinstance(said[-1], tuple):
        return str(said[-1][-1])
    return str(error) or type(error).__name__


def _not_sm(reason: str) -> Refused:
    return Refused(
        "link-not-sm",
        Words(
            f"对端不用国密 TLS(RFC 8998),已拒绝:{reason}",
            f"the peer does not speak SM TLS (RFC 8998), refused: {reason}",
        ),
        Words(
            "请升级对端;link.only_sm 须两端一致",
            "upgrade the peer; link.only_sm must be the same on both ends",
        ),
        field="link.only_sm",
    )


def _no_sm_library() -> LiuheError:
    return LiuheError(
        "link-library",
        Words("此 OpenSSL 不支持 RFC 8998", "this OpenSSL has no RFC 8998"),
        Words("请安装带 OpenSSL 4 的 cryptography", "install a cryptography wheel that has OpenSSL 4"),
        field="cryptography",
    )
