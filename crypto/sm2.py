"""SM2 (GB/T 32918, GB/T 35276): key pairs, signing, verifying, encrypting, decrypting.

The identity is always given to the algorithm; by default the one GB/T 35276 fixes, so that ZA never
depends on what a library assumes. Signatures are 64 bytes, r then s; ciphertexts are C1, C3, C2 with C1 as
65 bytes; ``crypto.sm2_forms`` has the DER of both. DER of keys is a fixed template: a key either matches it
byte for byte or is refused.

Large content is signed by its digest: ``running = public.signing_digest()``, ``running.update(...)``, then
``private.sign_digest(running.digest())``.
"""

from typing import Final, Self

from crypto.backends.choice import current
from crypto.backends.interface import Backend, Digest, PrivateHandle, wrong_ciphertext, wrong_key
from crypto.sm2_forms import (
    GX,
    GY,
    PKCS8_BYTES,
    PKCS8_HEAD,
    PKCS8_POINT,
    PLAIN_BYTES_MAX,
    POINT_BYTES,
    SCALAR_BYTES,
    SIGNATURE_BYTES,
    SPKI_HEAD,
    A,
    B,
    N,
    P,
    Pair,
    check_ciphertext,
    check_point,
    from_der,
    signature_from_der,
    signature_to_der,
    to_der,
    wrong_signature,
)
from crypto.sm3 import DIGEST_BYTES, same_digest
from crypto.wiping import wipe
from crypto.words import BadInput, Words

__all__ = [
    "DEFAULT_ID",
    "PLAIN_BYTES_MAX",
    "POINT_BYTES",
    "SIGNATURE_BYTES",
    "N",
    "P",
    "Pair",
    "Sm2PrivateKey",
    "Sm2PublicKey",
    "check_point",
    "decrypt",
    "encrypt",
    "from_der",
    "sign",
    "signature_from_der",
    "signature_to_der",
    "to_der",
    "verify",
]

DEFAULT_ID: Final = b"1234567812345678"
USER_ID_BYTES_MAX: Final = 8191  # its length in bits is written in 16 bits
_CURVE: Final = b"".join(number.to_bytes(32, "big") for number in (A, B, GX, GY))
_TRIES_MAX: Final = 64  # a one-byte text needs a second try once in 256


class Sm2PublicKey:
    """A point that is known to lie on the curve."""

    __slots__ = ("_backend", "_handle", "_za", "point")

    def __init__(self, point: bytes, *, backend: Backend | None = None) -> None:
        check_point(point)
        self.point: Final = bytes(point)
        self._backend: Final = backend or current()
        self._handle: Final = self._backend.sm2_public(self.point)
        self._za: tuple[bytes, bytes] = (b"", b"")

    @classmethod
    def from_spki(cls, der: bytes, *, backend: Backend | None = None) -> Self:
        """Read a SubjectPublicKeyInfo. Raises BadInput where it is not an SM2 one."""
        if len(der) != len(SPKI_HEAD) + POINT_BYTES or not der.startswith(SPKI_HEAD):
            raise wrong_key("not the SubjectPublicKeyInfo of an uncompressed SM2 point")
        return cls(der[len(SPKI_HEAD) :], backend=backend)

    def spki(self) -> bytes:
        """SubjectPublicKeyInfo DER."""
        return SPKI_HEAD + self.point

    def za(self, user_id: bytes = DEFAULT_ID) -> bytes:
        """ZA of GB/T 32918.2 5.5: the digest of identity, curve and point, kept for the last identity."""
        known, za = self._za
        if known != user_id or not za:
            size = (8 * len(_checked_id(user_id))).to_bytes(2, "big")
            za = self._backend.sm3(size + user_id + _CURVE + self.point[1:]).digest()
            self._za = (bytes(user_id), za)
        return za

    def signing_digest(self, user_id: bytes = DEFAULT_ID) -> Digest:
        """A running digest that has taken ZA; with the text it gives e, which ``sign_digest`` takes."""
        return self._backend.sm3(self.za(user_id))

    def verify(self, message: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID) -> None:
        """Return silently, or raise Refused: wrong length, r or s out of range, or not this key's."""
        running = self._backend.sm3(self.za(user_id))
        running.update(message)
        self.verify_digest(running.digest(), signature)

    def verify_digest(self, digest: bytes, signature: bytes) -> None:
        """The same over the digest e of ZA and the text."""
        _check_digest(digest)
        if len(signature) != SIGNATURE_BYTES:
            raise wrong_signature(f"{len(signature)} bytes, not {SIGNATURE_BYTES}")
        if not Pair.of(signature).in_range():
            raise wrong_signature("r or s outside [1, n-1]")
        if not self._handle.verify_digest(digest, signature):
            raise wrong_signature("it does not match the key, the identity and the text")

    def encrypt(self, data: bytes | bytearray) -> bytes:
        """C1, C3, C2 for the owner of the private key; 1 byte to 64 KiB."""
        plain = bytes(data)
        if not 1 <= len(plain) <= PLAIN_BYTES_MAX:
            raise BadInput(
                "sm2-plaintext",
                Words(f"SM2 明文长度为 {len(plain)} 字节", f"an SM2 plaintext of {len(plain)} bytes"),
                Words(
                    f"请给出 1 至 {PLAIN_BYTES_MAX} 字节,更长的内容用 SM4",
                    f"give 1 to {PLAIN_BYTES_MAX} bytes and encrypt longer content by SM4",
                ),
                field="data",
            )
        for _ in range(_TRIES_MAX):
            sealed = self._handle.encrypt(plain)
            if sealed[-len(plain) :] != plain:  # a key stream of zeros: the standard takes another k
                return sealed
        raise wrong_ciphertext("the backend does not encrypt")


class Sm2PrivateKey:
    """A key pair that can sign and decrypt."""

    __slots__ = ("_handle", "public")

    def __init__(self, handle: PrivateHandle, *, backend: Backend | None = None) -> None:
        self._handle: Final = handle
        self.public: Final = Sm2PublicKey(handle.point, backend=backend)

    @classmethod
    def generate(cls, *, backend: Backend | None = None) -> Self:
        """A fresh pair."""
        chosen = backend or current()
        return cls(chosen.sm2_generate(), backend=chosen)

    @classmethod
    def from_scalar(
        cls, scalar: bytes | bytearray, point: bytes | None = None, *, backend: Backend | None = None
    ) -> Self:
        """The pair of a private number of 32 bytes; a ``bytearray`` is wiped. Raises BadInput."""
        try:
            if len(scalar) != SCALAR_BYTES:
                raise wrong_key(f"a private number of {len(scalar)} bytes")
            if not 1 <= int.from_bytes(scalar, "big") <= N - 2:
                raise wrong_key("the private number is outside [1, n-2]")
            if point is not None:
                check_point(point)
            chosen = backend or current()
            return cls(chosen.sm2_private(scalar, point), backend=chosen)
        finally:
            if isinstance(scalar, bytearray):
                wipe(scalar)

    @classmethod
    def from_pkcs8(cls, der: bytes | bytearray, *, backend: Backend | None = None) -> Self:
        """Read an unencrypted PKCS#8; a ``bytearray`` is wiped.

        Raises BadInput where it is not an SM2 one or its halves disagree.
        """
        try:
            at = len(PKCS8_HEAD) + SCALAR_BYTES
            template = der[: len(PKCS8_HEAD)] == PKCS8_HEAD
            if len(der) != PKCS8_BYTES or not template or der[at : at + len(PKCS8_POINT)] != PKCS8_POINT:
                raise wrong_key("not the PKCS#8 of an SM2 key with its public point")
            scalar = bytearray(der[len(PKCS8_HEAD) : at])
            return cls.from_scalar(scalar, bytes(der[-POINT_BYTES:]), backend=backend)
        finally:
            if isinstance(der, bytearray):
                wipe(der)

    def pkcs8(self) -> bytes:
        """PKCS#8 DER, unencrypted: for the file writer of crypto.keys only."""
        buffer = self.pkcs8_buffer()
        try:
            return bytes(buffer)
        finally:
            wipe(buffer)

    def pkcs8_buffer(self) -> bytearray:
        """The same in a buffer that the caller wipes. Raises Refused where the key is in a device."""
        scalar = self._handle.scalar()
        buffer = bytearray(PKCS8_BYTES)  # its full size at once: growing would leave copies behind
        at = len(PKCS8_HEAD)
        buffer[:at] = PKCS8_HEAD
        buffer[at : at + SCALAR_BYTES] = scalar
        buffer[at + SCALAR_BYTES :] = PKCS8_POINT + self.public.point
        wipe(scalar)
        return buffer

    @property
    def handle(self) -> PrivateHandle:
        """The key inside its backend; for ``crypto.sm2_exchange``."""
        return self._handle

    def sign(self, message: bytes, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """64 bytes, r then s, over ZA and the message."""
        running = self.public.signing_digest(user_id)
        running.update(message)
        return self._handle.sign_digest(running.digest())

    def sign_digest(self, digest: bytes) -> bytes:
        """64 bytes, r then s, over the digest e of ZA and a text, see ``signing_digest``."""
        _check_digest(digest)
        return self._handle.sign_digest(digest)

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext of C1, C3, C2. Raises Refused with ``sm2-ciphertext``."""
        check_ciphertext(data)
        plain = self._handle.decrypt(bytes(data))
        if same_digest(plain, data[-len(plain) :]):
            raise wrong_ciphertext("the key stream is all zeros")
        return plain


def sign(private: Sm2PrivateKey, message: bytes, *, identity: bytes = DEFAULT_ID) -> bytes:
    """64 bytes, r then s, over ZA and the message."""
    return private.sign(message, user_id=identity)


def verify(public: Sm2PublicKey, message: bytes, signature: bytes, *, identity: bytes = DEFAULT_ID) -> None:
    """Return silently, or raise Refused with ``signature-invalid``."""
    public.verify(message, signature, user_id=identity)


def encrypt(public: Sm2PublicKey, data: bytes | bytearray) -> bytes:
    """C1, C3, C2 with C1 as 65 bytes; ``to_der`` gives the form of GM/T 0009."""
    return public.encrypt(data)


def decrypt(private: Sm2PrivateKey, data: bytes) -> bytes:
    """The plaintext of C1, C3, C2; ``from_der`` reads the form of GM/T 0009."""
    return private.decrypt(data)


def _check_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_BYTES:
        raise BadInput(
            "sm2-digest",
            Words(f"SM2 摘要长度为 {len(digest)} 字节", f"an SM2 digest of {len(digest)} bytes"),
            Words(f"请给出 {DIGEST_BYTES} 字节的 SM3 摘要", f"give an SM3 digest of {DIGEST_BYTES} bytes"),
            field="digest",
        )


def _checked_id(user_id: bytes) -> bytes:
    if not 1 <= len(user_id) <= USER_ID_BYTES_MAX:
        raise BadInput(
            "sm2-identity",
            Words(f"SM2 用户标识长度为 {len(user_id)} 字节", f"the SM2 identity has {len(user_id)} bytes"),
            Words(f"请给出 1 至 {USER_ID_BYTES_MAX} 字节", f"give 1 to {USER_ID_BYTES_MAX} bytes"),
            field="user_id",
        )
    return user_id
