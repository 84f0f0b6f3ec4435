"""SM3 (GB/T 32905-2016): one-shot, streaming and keyed digests of 32 bytes by the backend in force."""

import hmac as _hmac
from typing import Final, Self

from crypto.backends.choice import current
from crypto.backends.interface import Backend, Digest

__all__ = [
    "BLOCK_BYTES",
    "DIGEST_BYTES",
    "Digest",
    "HmacSm3",
    "Sm3",
    "hmac_sm3",
    "new",
    "same_digest",
    "sm3",
    "sm3_hex",
]

DIGEST_BYTES: Final = 32
BLOCK_BYTES: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


def new(data: bytes = b"", *, backend: Backend | None = None) -> Digest:
    """A running digest that has already taken ``data``."""
    return (backend or current()).sm3(data)


def sm3(data: bytes) -> bytes:
    """The 32-byte digest of ``data``."""
    return current().sm3(data).digest()


def sm3_hex(data: bytes) -> str:
    """The digest of ``data`` as 64 lower-case hex digits."""
    return current().sm3(data).hexdigest()


class Sm3:
    """A running SM3; ``update`` chains, ``digest`` does not end it."""

    __slots__ = ("_running",)

    def __init__(self, data: bytes = b"", *, backend: Backend | None = None) -> None:
        self._running = new(data, backend=backend)

    def update(self, data: bytes) -> Self:
        """Take more bytes."""
        self._running.update(data)
        return self

    def digest(self) -> bytes:
        """The 32 bytes of everything taken so far."""
        return self._running.digest()

    def hexdigest(self) -> str:
        """The same as 64 lower-case hex digits."""
        return self._running.hexdigest()


class HmacSm3:
    """A running HMAC (RFC 2104) over SM3; ``update`` chains, ``digest`` does not end it."""

    __slots__ = ("_backend", "_inner", "_outer")

    def __init__(self, key: bytes | bytearray, data: bytes = b"", *, backend: Backend | None = None) -> None:
        self._backend = backend or current()
        if len(key) > BLOCK_BYTES:
            key = self._backend.sm3(bytes(key)).digest()
        padded = bytes(key).ljust(BLOCK_BYTES, b"\0")
        self._inner = self._backend.sm3(padded.translate(_INNER))
        self._outer = padded.translate(_OUTER)
        self._inner.update(data)

    def update(self, data: bytes) -> Self:
        """Take more bytes."""
        self._inner.update(data)
        return self

    def digest(self) -> bytes:
        """The 32-byte code of everything taken so far."""
        return self._backend.sm3(self._outer + self._inner.digest()).digest()


def hmac_sm3(key: bytes | bytearray, data: bytes, *, backend: Backend | None = None) -> bytes:
    """HMAC (RFC 2104) over SM3: 32 bytes."""
    return HmacSm3(key, data, backend=backend).digest()


def same_digest(left: bytes, right: bytes) -> bool:
    """Equality that takes the same time wherever they differ; for keyed digests."""
    return _hmac.compare_digest(left, right)
