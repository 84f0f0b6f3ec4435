"""SM3 by hashlib and SM4 by pyca/cryptography: what every backend but the reference uses for content.

pyca/cryptography brings its own OpenSSL, so SM4 needs no library of the machine. SM3 comes from hashlib
where its OpenSSL has it, else from the shared libcrypto, else from pyca/cryptography.
"""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import Final

from cryptography import __version__ as _version
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import AEADDecryptionContext, AEADEncryptionContext, modes
from cryptography.hazmat.primitives.ciphers import Cipher as _Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4

from crypto.backends.interface import Cipher, Digest, Mode, Opening, Sealing, wrong_tag
from crypto.words import LiuheError

SM4_SOURCE: Final = f"cryptography {_version}"


class Bulk:
    """The part of a backend that works on content."""

    def sm3(self, data: bytes = b"") -> Digest:
        """A running digest that has taken the data."""
        return sm3_source()[1](data)

    def sm4(self, mode: Mode, key: bytes, iv: bytes, *, encrypt: bool) -> Cipher:
        """A running cipher without padding."""
        chosen: modes.Mode
        match mode:
            case "ecb":
                chosen = modes.ECB()  # noqa: S305  # single blocks, and envelopes of others are read so
            case "cbc":
                chosen = modes.CBC(iv)
            case "ctr":
                chosen = modes.CTR(iv)
        cipher = _Cipher(SM4(key), chosen)
        return cipher.encryptor() if encrypt else cipher.decryptor()

    def sm4_seal(self, key: bytes, nonce: bytes, aad: bytes) -> Sealing:
        """A running GCM encryption."""
        return _Sealing(_Cipher(SM4(key), modes.GCM(nonce)).encryptor(), aad)

    def sm4_open(self, key: bytes, nonce: bytes, aad: bytes) -> Opening:
        """A running GCM decryption."""
        return _Opening(_Cipher(SM4(key), modes.GCM(nonce)).decryptor(), aad)


class _Sealing:
    """GCM encryption by pyca/cryptography."""

    __slots__ = ("_context", "update")

    def __init__(self, context: AEADEncryptionContext, aad: bytes) -> None:
        context.authenticate_additional_data(aad)
        self._context = context
        self.update = context.update  # called per chunk: no frame of ours in between

    def finalize(self) -> bytes:
        """The tag."""
        self._context.finalize()
        return self._context.tag


class _Opening:
    """GCM decryption by pyca/cryptography."""

    __slots__ = ("_context", "update")

    def __init__(self, context: AEADDecryptionContext, aad: bytes) -> None:
        context.authenticate_additional_data(aad)
        self._context = context
        self.update = context.update

    def finalize(self, tag: bytes, /) -> None:
        """Return silently or raise Refused."""
        try:
            self._context.finalize_with_tag(tag)
        except (InvalidTag, ValueError):
            # pyca/cryptography says ValueError for a wrong tag where another call of this thread has left
            # an error behind in OpenSSL's queue, and for a tag of a wrong size.
            raise wrong_tag() from None


@cache
def sm3_source() -> tuple[str, Callable[[bytes], Digest]]:
    """Where SM3 comes from in this process, found once: its name and its constructor."""
    try:
        hashlib.new("sm3", b"")
    except ValueError:
        pass
    else:
        return "hashlib", lambda data: hashlib.new("sm3", data)
    from crypto import libcrypto  # only where hashlib lacks it: ctypes is not free

    try:
        libcrypto.Sm3Context(b"")
    except LiuheError:
        return SM4_SOURCE, _WheelDigest
    return libcrypto.version(), libcrypto.Sm3Context


class _WheelDigest:
    """SM3 by pyca/cryptography, whose own object ends with its digest."""

    __slots__ = ("_running",)

    def __init__(self, data: bytes = b"") -> None:
        self._running = hashes.Hash(hashes.SM3())
        self._running.update(data)

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        self._running.update(data)

    def digest(self) -> bytes:
        """The 32 bytes so far."""
        return self._running.copy().finalize()

    def hexdigest(self) -> str:
        """The same as hex."""
        return self.digest().hex()
