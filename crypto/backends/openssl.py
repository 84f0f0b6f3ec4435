"""The default backend: hashlib for SM3, pyca/cryptography for SM4, the shared libcrypto for SM2."""

from typing import Final

from crypto import libcrypto
from crypto.backends.bulk import SM4_SOURCE, Bulk, sm3_source
from crypto.backends.exchange import exchange_point, exchange_scalar
from crypto.backends.interface import About, PrivateHandle, wrong_ciphertext, wrong_key
from crypto.sm2_forms import PKCS8_HEAD, PKCS8_POINT, POINT_BYTES, SPKI_HEAD, Pair, from_der, to_der
from crypto.wiping import wipe
from crypto.words import Words

# A PKCS#8 whose ECPrivateKey carries no public point: libcrypto computes it.
_BARE_HEAD: Final = bytes.fromhex("3041020100301306072a8648ce3d020106082a811ccf5501822d042730250201010420")


class _Public:
    """A public key inside libcrypto."""

    __slots__ = ("_handle",)

    def __init__(self, handle: libcrypto.Sm2Handle) -> None:
        self._handle = handle

    def verify_digest(self, digest: bytes, signature: bytes) -> bool:
        """Whether r and s sign e."""
        return self._handle.verify_digest(digest, Pair.of(signature).der())

    def encrypt(self, data: bytes) -> bytes:
        """C1, C3, C2."""
        return from_der(self._handle.encrypt(data))


class _Private:
    """A key pair inside libcrypto."""

    __slots__ = ("_handle", "point")

    def __init__(self, handle: libcrypto.Sm2Handle) -> None:
        self._handle = handle
        self.point = handle.spki()[-POINT_BYTES:]

    def sign_digest(self, digest: bytes) -> bytes:
        """r and s over e."""
        return Pair.from_der(self._handle.sign_digest(digest)).raw()

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext, or Refused."""
        plain = self._handle.decrypt(to_der(data))
        if plain is None:
            raise wrong_ciphertext("C3 does not match")
        return plain

    def agree(self, ephemeral: PrivateHandle, peer: bytes, peer_ephemeral: bytes) -> bytes:
        """xV and yV: t * (peer + x * peer_ephemeral)."""
        reached = libcrypto.combine(exchange_scalar(peer_ephemeral), peer_ephemeral, peer)
        if reached is None:
            raise exchange_point()
        factor = exchange_scalar(ephemeral.point, self.scalar(), ephemeral.scalar())
        shared = libcrypto.combine(factor, reached)
        if shared is None:
            raise exchange_point()
        return shared[1:]

    def scalar(self) -> bytearray:
        """The private number."""
        return self._handle.scalar()


class OpenSsl(Bulk):
    """hashlib, pyca/cryptography and libcrypto."""

    def __init__(self) -> None:
        libcrypto.library()  # no SM2, no backend

    def about(self) -> About:
        """Its libraries."""
        return About(
            "openssl",
            f"SM2 {libcrypto.version()}; SM3 {sm3_source()[0]}; SM4 {SM4_SOURCE}",
            False,
            Words("默认后端", "the default backend"),
        )

    def sm2_generate(self) -> PrivateHandle:
        """A fresh key pair."""
        return _Private(libcrypto.Sm2Handle.generate())

    def sm2_private(self, scalar: bytes | bytearray, point: bytes | None) -> PrivateHandle:
        """The key of a scalar, with its point or without."""
        tail = b"" if point is None else PKCS8_POINT + point
        der = bytearray(_BARE_HEAD if point is None else PKCS8_HEAD)
        der += scalar
        der += tail
        try:
            return _Private(libcrypto.Sm2Handle.from_pkcs8(der))
        finally:
            wipe(der)

    def sm2_public(self, point: bytes) -> _Public:
        """The key of a point."""
        if len(point) != POINT_BYTES:
            raise wrong_key("not an uncompressed point of 65 bytes")
        return _Public(libcrypto.Sm2Handle.from_spki(SPKI_HEAD + point))
