"""SM3 (GB/T 32905-2016): one-shot, streaming and keyed digests of 32 bytes.

``hashlib`` serves where its OpenSSL offers sm3; else the shared libcrypto is asked through
``crypto.libcrypto``; where neither has it the process stops with a sentence that says what to install.
"""

import hashlib
import hmac as _hmac
from collections.abc import Callable
from functools import cache
from typing import Final, Protocol

from crypto.words import LiuheError, Words

DIGEST_BYTES: Final = 32
BLOCK_BYTES: Final = 64


class Digest(Protocol):
    """A running SM3; ``update`` may be called any number of times, ``digest`` does not end it."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        ...

    def digest(self) -> bytes:
        """The 32 bytes of everything taken so far."""
        ...

    def hexdigest(self) -> str:
        """The same as 64 lower-case hex digits."""
        ...


@cache
def _factory() -> Callable[[bytes], Digest]:
    """Which implementation this process uses, found once."""
    try:
        hashlib.new("sm3", b"", usedforsecurity=True)
    except ValueError:
        return _from_libcrypto()
    return lambda data: hashlib.new("sm3", data)


def _from_libcrypto() -> Callable[[bytes], Digest]:
    from crypto import libcrypto  # only where hashlib lacks it: ctypes is not free

    try:
        libcrypto.Sm3Context(b"")
    except LiuheError as error:
        raise LiuheError(
            "sm3-unavailable",
            Words("本机没有可用的 SM3 实现", "this machine offers no SM3"),
            Words("请安装 OpenSSL 3.0 或更高版本(libcrypto)", "install OpenSSL 3.0 or newer (libcrypto)"),
        ) from error
    return libcrypto.Sm3Context


def new(data: bytes = b"") -> Digest:
    """A running digest that has already taken ``data``."""
    return _factory()(data)


def sm3(data: bytes) -> bytes:
    """The 32-byte digest of ``data``."""
    return _factory()(data).digest()


def sm3_hex(data: bytes) -> str:
    """The digest of ``data`` as 64 lower-case hex digits."""
    return _factory()(data).hexdigest()


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """HMAC (RFC 2104) over SM3: 32 bytes."""
    if len(key) > BLOCK_BYTES:
        key = sm3(key)
    padded = key.ljust(BLOCK_BYTES, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in padded) + data)
    return sm3(bytes(byte ^ 0x5C for byte in padded) + inner)


def same_digest(left: bytes, right: bytes) -> bool:
    """Equality that takes the same time wherever they differ; for keyed digests."""
    return _hmac.compare_digest(left, right)
