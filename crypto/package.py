"""Packages for large content: files under a signed manifest, encrypted to named recipients, in 1 MiB chunks.

Sending::

    files = describe(sources)                                    # sizes and SM3 of what will be sent
    manifest = Manifest(..., files=files, roles=("author", "approver"), recipients=(public.key_id,))
    signatures = [sign(manifest, "author", key_of_one), sign(manifest, "approver", key_of_another)]
    seal(sources, sink, manifest=manifest, signatures=signatures, recipients=[public])

Receiving::

    opened = open_(source, recipient=key, trust=trust, quarantine=quarantine, now=now, accept=policy)

The manifest is signed before anything is encrypted and names its recipients, so a recipient cannot pass a
package on as if it had been meant for another. Opening writes into a quarantine only; it releases it after
the last chunk, every signature and every file's digest were verified, and discards it on any refusal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import BinaryIO, Final, Protocol

from crypto import package_envelope as envelope
from crypto import package_format as form
from crypto import package_stream as stream
from crypto import sm2_forms, sm4
from crypto.keys import EncryptionKey, PublicKey
from crypto.package_chunks import ChunkMap, ChunkOpener, SealingKey
from crypto.package_envelope import Clear, Header, Readable, WrappedKey
from crypto.package_format import (
    APPROVER,
    AUTHOR,
    FileEntry,
    Manifest,
    Signature,
    encode_manifest,
    manifest_sm3,
)
from crypto.package_stream import Opened, Progress, Quarantine, Source
from crypto.sm3 import sm3, sm3_hex
from crypto.words import BadInput, Refused, Words

__all__ = [
    "APPROVER",
    "AUTHOR",
    "ChunkMap",
    "ChunkOpener",
    "FileEntry",
    "Header",
    "Manifest",
    "Opened",
    "PinnedKeys",
    "Quarantine",
    "Sealed",
    "Signature",
    "Source",
    "check_times",
    "describe",
    "encode_manifest",
    "manifest_sm3",
    "open_",
    "read_header",
    "seal",
    "sign",
    "verify_signatures",
]

CLOCK_SKEW_MAX: Final = timedelta(minutes=5)

describe = stream.describe


class Signer(Protocol):
    """A key that signs: ``crypto.keys.SigningKey``, or one inside a cipher machine."""

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s, over ZA of the default identity and the data."""
        ...


class Recipient(Protocol):
    """A public key to encrypt to: ``crypto.keys.EncryptionKey``."""

    @property
    def key_id(self) -> str:
        """The SM3 of its SubjectPublicKeyInfo in hex."""
        ...

    def encrypt(self, data: bytes) -> bytes:
        """The SM2 ciphertext, 04 C1 C3 C2."""
        ...


class RecipientKey(Protocol):
    """A key that decrypts: ``crypto.keys.DecryptionKey``, or one inside a cipher machine."""

    @property
    def public(self) -> EncryptionKey:
        """Its public half."""
        ...

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The plaintext of an SM2 ciphertext, 04 C1 C3 C2. Raises Refused."""
        ...


class Trust(Protocol):
    """Whose signature counts, for which role."""

    def public_key(self, signature: Signature, manifest: Manifest) -> PublicKey:
        """The key that may sign for ``signature.role`` here: from the certificate chain it carries, or from
        a table by ``signature.key_id``. Raises Refused where there is none."""
        ...


class PinnedKeys:
    """Trust in keys known beforehand, each for one role."""

    def __init__(self, keys: dict[str, Sequence[PublicKey]]) -> None:
        self._keys: Final = {(role, key.key_id): key for role, group in keys.items() for key in group}

    def public_key(self, signature: Signature, manifest: Manifest) -> PublicKey:  # noqa: ARG002
        """The pinned key of this role and id. Raises Refused."""
        key = self._keys.get((signature.role, signature.key_id))
        if key is None:
            raise Refused(
                "package-untrusted",
                Words(
                    f"签名者({signature.role})不在信任名单内", f"the signer ({signature.role}) is not trusted"
                ),
                Words("请核对发送方的签名公钥", "check the sender's signing key"),
                field=signature.key_id,
            )
        return key


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """What was written."""

    manifest_sm3: str
    header_sm3: str
    package_bytes: int
    chunks: int


def sign(manifest: Manifest, role: str, signer: Signer, certificates: Sequence[bytes] = ()) -> Signature:
    """One signer's word on the manifest for one of its roles; ``certificates`` in DER, leaf first."""
    if role not in manifest.roles:
        raise _not_sealed(f"the manifest asks for no signature of the role {role}")
    value = signer.sign(form.statement(role, encode_manifest(manifest)))
    return Signature(
        role=role, key_id=signer.public.key_id, value=value, certificates=tuple(map(bytes, certificates))
    )


def verify_signatures(manifest: Manifest, signatures: Sequence[Signature], trust: Trust) -> None:
    """Return silently where every role has signed, each with a trusted key of its own. Raises Refused."""
    _verify(encode_manifest(manifest), manifest, signatures, trust)


def seal(
    sources: Sequence[Source],
    sink: BinaryIO,
    *,
    manifest: Manifest,
    signatures: Sequence[Signature],
    recipients: Sequence[Recipient],
    progress: Progress | None = None,
    random: Callable[[int], bytes] = token_bytes,
    threads: int = stream.THREADS,
) -> Sealed:
    """Write the package to ``sink``.

    Sources are read in the manifest's order and hashed again: Refused where one is no longer what was
    signed, and what the sink holds then is worthless. Raises BadInput where signatures, recipients or
    sources are not those of the manifest.
    """
    encoded = encode_manifest(manifest)
    _check_sealing(sources, manifest, signatures, recipients)
    content_key = random(envelope.KEY_BYTES)
    clear = Clear(
        package=manifest.package,
        prefix=random(envelope.PREFIX_BYTES),
        content_bytes=manifest.content_bytes,
        recipients=tuple(
            WrappedKey(key.key_id, sm2_forms.to_der(key.encrypt(content_key))) for key in recipients
        ),
    )
    inner = envelope.encode_inner(encoded, tuple(signatures))
    start = clear.encode(len(inner) + envelope.TAG_BYTES)
    header = start + sm4.gcm_seal(
        content_key,
        envelope.nonce(clear.prefix, envelope.MANIFEST_INDEX),
        inner,
        envelope.associated(sm3(start), envelope.MANIFEST_INDEX, envelope.MANIFEST_FLAG),
    )
    sink.write(header)
    digest = sm3(header)
    chunks = envelope.chunk_count(clear.content_bytes)
    key = SealingKey(content_key, clear.prefix, digest, chunks)
    stream.seal_content(sources, sink, manifest.files, key, progress, threads)
    return Sealed(
        manifest_sm3=sm3_hex(encoded),
        header_sm3=digest.hex(),
        package_bytes=len(header) + clear.content_bytes + chunks * envelope.TAG_BYTES,
        chunks=chunks,
    )


def read_header(source: Readable, *, recipient: RecipientKey, trust: Trust) -> Header:
    """Decrypt the manifest and verify its signatures; the source then stands at the first chunk.

    Times are not checked here: see ``check_times``. Raises Refused.
    """
    clear, start, sealed_bytes = envelope.read_clear(source)
    ciphertext = bytearray(sealed_bytes)
    envelope.read_exactly(source, memoryview(ciphertext))
    content_key = _unwrap(clear, recipient)
    inner = sm4.gcm_open(
        content_key,
        envelope.nonce(clear.prefix, envelope.MANIFEST_INDEX),
        bytes(ciphertext),
        envelope.associated(sm3(start), envelope.MANIFEST_INDEX, envelope.MANIFEST_FLAG),
    )
    encoded, signatures = envelope.decode_inner(inner)
    manifest = form.decode_manifest(encoded)
    if tuple(entry.key_id for entry in clear.recipients) != manifest.recipients:
        raise form.malformed("its recipients are not those that were signed")
    if (clear.package, clear.content_bytes) != (manifest.package, manifest.content_bytes):
        raise form.malformed("its id or size is not the one that was signed")
    _verify(encoded, manifest, signatures, trust)
    return Header(
        clear=clear,
        manifest=manifest,
        manifest_sm3=sm3_hex(encoded),
        signatures=signatures,
        header_sm3=sm3(start + ciphertext).hex(),
        header_bytes=len(start) + sealed_bytes,
        content_key=content_key,
    )


def open_(
    source: Readable,
    *,
    recipient: RecipientKey,
    trust: Trust,
    quarantine: Quarantine,
    now: datetime,
    accept: Callable[[Header], None] | None = None,
    progress: Progress | None = None,
    threads: int = stream.THREADS,
) -> Opened:
    """Verify the whole package into the quarantine, then release it.

    ``accept`` sees the verified header before any content is decrypted and raises Refused to stop there
    (label, zones, sequence). On any error the quarantine is discarded and the error goes on.
    """
    try:
        header = read_header(source, recipient=recipient, trust=trust)
        check_times(header.manifest, now)
        if accept is not None:
            accept(header)
        opened = stream.open_content(source, header, quarantine, progress, threads)
        quarantine.release()
    except BaseException:
        quarantine.discard()
        raise
    return opened


def check_times(manifest: Manifest, now: datetime) -> None:
    """Return silently where the package is valid at ``now``; five minutes of clock difference are allowed.

    Raises Refused.
    """
    if now + CLOCK_SKEW_MAX < manifest.issued:
        what = Words(
            f"数据包签发时间 {manifest.issued} 在未来",
            f"the package is issued in the future, {manifest.issued}",
        )
    elif now >= manifest.expires:
        what = Words(f"数据包已于 {manifest.expires} 过期", f"the package expired at {manifest.expires}")
    else:
        return
    raise Refused(
        "package-time",
        what,
        Words("请核对两端时钟,或请发送方重新签发", "check both clocks, or ask the sender to issue it again"),
        field="expires",
    )


def _verify(encoded: bytes, manifest: Manifest, signatures: Sequence[Signature], trust: Trust) -> None:
    if tuple(signature.role for signature in signatures) != manifest.roles:
        raise form.malformed("its signatures are not those of the roles it names")
    if len({signature.key_id for signature in signatures}) < len(signatures):
        raise Refused(
            "package-one-key",
            Words("同一密钥签了两个角色", "one key signed for two roles"),
            Words("经办与审批须由两人用各自的密钥签名", "author and approver sign with keys of their own"),
            field="signatures",
        )
    for signature in signatures:
        key = trust.public_key(signature, manifest)
        if key.key_id != signature.key_id:
            raise form.malformed("a signature names another key than its certificate")
        key.verify(form.statement(signature.role, encoded), signature.value)


def _unwrap(clear: Clear, recipient: RecipientKey) -> bytes:
    key_id = recipient.public.key_id
    wrapped = [entry.ciphertext for entry in clear.recipients if entry.key_id == key_id]
    if len(wrapped) != 1:
        raise Refused(
            "package-not-for-us",
            Words("数据包不是发给本密钥的", "the package is not addressed to this key"),
            Words("请核对接收方与所用的加密密钥", "check the receiver and the encryption key in use"),
            field=key_id,
        )
    content_key = recipient.decrypt(sm2_forms.from_der(wrapped[0]))
    if len(content_key) != envelope.KEY_BYTES:
        raise form.malformed("its content key is not 16 bytes")
    return content_key


def _check_sealing(
    sources: Sequence[Source],
    manifest: Manifest,
    signatures: Sequence[Signature],
    recipients: Sequence[Recipient],
) -> None:
    if tuple(source.name for source in sources) != tuple(entry.name for entry in manifest.files):
        raise _not_sealed("the sources are not the manifest's files in its order")
    if tuple(key.key_id for key in recipients) != manifest.recipients:
        raise _not_sealed("the recipients are not the manifest's in its order")
    if tuple(signature.role for signature in signatures) != manifest.roles:
        raise _not_sealed("the signatures are not those of the manifest's roles in its order")
    flaw = envelope.flaw_of_signatures(tuple(signatures))
    if flaw:
        raise _not_sealed(flaw)


def _not_sealed(reason: str) -> BadInput:
    return BadInput(
        "package-not-sealed",
        Words(f"不能封装:{reason}", f"cannot be sealed: {reason}"),
        Words("请按清单给出文件、签名与接收方", "give files, signatures and recipients as in the manifest"),
        field="manifest",
    )
