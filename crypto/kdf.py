"""Keys from secrets: the SM2 key derivation function, PBKDF2 and HKDF, all over SM3.

``sm3_kdf`` is GB/T 32918.4-2016 5.4.3 (and 32918.3), ``pbkdf2`` RFC 8018 with HMAC-SM3, ``hkdf`` RFC 5869
with HMAC-SM3. All return a ``bytearray`` that the caller may wipe, see ``crypto.wiping``.
"""

from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from crypto.backends.choice import current
from crypto.backends.interface import Backend
from crypto.sm3 import DIGEST_BYTES, HmacSm3, hmac_sm3
from crypto.words import BadInput, Words

SIZE_MAX: Final = 1 << 20  # nothing here derives more than a few keys
HKDF_SIZE_MAX: Final = 255 * DIGEST_BYTES  # RFC 5869: one byte counts the blocks
PBKDF2_ROUNDS_MIN: Final = 1000  # RFC 8018; key files of ours write far more
PBKDF2_ROUNDS_MAX: Final = 10_000_000  # a hostile key file must not hang its reader


def sm3_kdf(z: bytes | bytearray, size: int, *, backend: Backend | None = None) -> bytearray:
    """``size`` bytes of SM3(z, counter) in a row, counter from 1 in 32 bits."""
    _check(1 <= size <= SIZE_MAX, "size", f"{size} bytes")
    chosen = backend or current()
    out = bytearray()
    for counter in range(1, -(-size // DIGEST_BYTES) + 1):
        out += chosen.sm3(bytes(z) + counter.to_bytes(4, "big")).digest()
    del out[size:]
    return out


def pbkdf2(
    password: bytes | bytearray, salt: bytes, rounds: int, size: int, *, backend: Backend | None = None
) -> bytearray:
    """PBKDF2-HMAC-SM3; a backend that is only a reference runs the plain loop instead of OpenSSL's."""
    _check(1 <= size <= SIZE_MAX, "size", f"{size} bytes")
    _check(PBKDF2_ROUNDS_MIN <= rounds <= PBKDF2_ROUNDS_MAX, "rounds", f"{rounds} rounds")
    chosen = backend or current()
    if not chosen.about().reference:
        return bytearray(PBKDF2HMAC(hashes.SM3(), size, salt, rounds).derive(password))
    out = bytearray()
    for index in range(1, -(-size // DIGEST_BYTES) + 1):
        step = hmac_sm3(password, salt + index.to_bytes(4, "big"), backend=chosen)
        total = int.from_bytes(step, "big")
        for _ in range(rounds - 1):
            step = hmac_sm3(password, step, backend=chosen)
            total ^= int.from_bytes(step, "big")
        out += total.to_bytes(DIGEST_BYTES, "big")
    del out[size:]
    return out


def hkdf(
    secret: bytes | bytearray, salt: bytes, info: bytes, size: int, *, backend: Backend | None = None
) -> bytearray:
    """HKDF-SM3: extract with the salt, expand with the info."""
    _check(1 <= size <= HKDF_SIZE_MAX, "size", f"{size} bytes")
    key = hmac_sm3(salt or bytes(DIGEST_BYTES), bytes(secret), backend=backend)
    out, block = bytearray(), b""
    for index in range(1, -(-size // DIGEST_BYTES) + 1):
        block = HmacSm3(key, block, backend=backend).update(info + bytes((index,))).digest()
        out += block
    del out[size:]
    return out


def _check(fits: bool, field: str, found: str) -> None:
    if not fits:
        raise BadInput(
            "kdf-parameter",
            Words(f"密钥派生参数超出范围:{found}", f"a key derivation parameter is out of range: {found}"),
            Words("请检查参数或密钥文件", "check the parameter or the key file"),
            field=field,
        )
