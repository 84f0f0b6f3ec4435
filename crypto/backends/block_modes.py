"""ECB, CBC, CTR and GCM over any 16-byte block cipher, in plain Python: for the reference backend only.

Slow and not constant-time by design: it is a second opinion on the fast modes, written from
NIST SP 800-38A and 38D.
"""

import hmac
from collections.abc import Callable
from typing import Final

from crypto.backends.interface import Mode, wrong_tag

Block = Callable[[bytes], bytes]
BLOCK_BYTES: Final = 16
_POLYNOMIAL: Final = 0xE1 << 120  # x^128 + x^7 + x^2 + x + 1, bits reflected


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))


class Blocks:
    """ECB or CBC without padding; a rest that fills no block waits."""

    def __init__(self, block: Block, mode: Mode, iv: bytes, *, encrypt: bool) -> None:
        self._block, self._encrypt = block, encrypt
        self._chain = iv if mode == "cbc" else None
        self._rest = b""

    def update(self, data: bytes, /) -> bytes:
        """The blocks complete so far."""
        data = self._rest + data
        whole = len(data) - len(data) % BLOCK_BYTES
        self._rest = data[whole:]
        return b"".join(self._one(data[at : at + BLOCK_BYTES]) for at in range(0, whole, BLOCK_BYTES))

    def _one(self, text: bytes) -> bytes:
        if self._chain is None:
            return self._block(text)
        if self._encrypt:
            self._chain = self._block(_xor(text, self._chain))
            return self._chain
        plain, self._chain = _xor(self._block(text), self._chain), text
        return plain

    def finalize(self) -> bytes:
        """Nothing: the whole was full blocks."""
        if self._rest:
            raise ValueError("not whole blocks")
        return b""


class Counter:
    """CTR; the counter is the whole block, or its last 32 bits for GCM."""

    def __init__(self, block: Block, counter: bytes, *, bits: int = 128) -> None:
        self._block, self._mask = block, (1 << bits) - 1
        self._next = int.from_bytes(counter, "big")
        self._stream = b""

    def update(self, data: bytes, /) -> bytes:
        """The text under the key stream."""
        parts = [self._stream]
        for _ in range(-(-max(0, len(data) - len(self._stream)) // BLOCK_BYTES)):
            parts.append(self._block(self._next.to_bytes(BLOCK_BYTES, "big")))
            fixed = self._next & ~self._mask
            self._next = fixed | ((self._next + 1) & self._mask)
        stream = b"".join(parts)
        self._stream = stream[len(data) :]
        return _xor(data, stream)

    def finalize(self) -> bytes:
        """Nothing is left over."""
        return b""


class _Gcm:
    """What sealing and opening share: the counter and the running hash of the ciphertext."""

    def __init__(self, block: Block, nonce: bytes, aad: bytes) -> None:
        first = nonce + (1).to_bytes(4, "big")
        self._mask = block(first)
        self._counter = Counter(block, nonce + (2).to_bytes(4, "big"), bits=32)
        self._key = int.from_bytes(block(bytes(BLOCK_BYTES)), "big")
        self._hash, self._rest = 0, b""
        self._sizes = [len(aad), 0]
        self._take(aad + bytes(-len(aad) % BLOCK_BYTES))

    def _take(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) - len(data) % BLOCK_BYTES
        self._rest = data[whole:]
        for at in range(0, whole, BLOCK_BYTES):
            word = int.from_bytes(data[at : at + BLOCK_BYTES], "big")
            self._hash = _product(self._hash ^ word, self._key)

    def _taken(self, ciphertext: bytes) -> None:
        self._sizes[1] += len(ciphertext)
        self._take(ciphertext)

    def _tag(self) -> bytes:
        self._take(bytes(-len(self._rest) % BLOCK_BYTES))
        self._take(b"".join((8 * size).to_bytes(8, "big") for size in self._sizes))
        return _xor(self._mask, self._hash.to_bytes(BLOCK_BYTES, "big"))


class GcmSealing(_Gcm):
    """GCM encryption."""

    def update(self, data: bytes, /) -> bytes:
        """The ciphertext."""
        sealed = self._counter.update(data)
        self._taken(sealed)
        return sealed

    def finalize(self) -> bytes:
        """The tag."""
        return self._tag()


class GcmOpening(_Gcm):
    """GCM decryption."""

    def update(self, data: bytes, /) -> bytes:
        """The unproven plaintext."""
        self._taken(data)
        return self._counter.update(data)

    def finalize(self, tag: bytes, /) -> None:
        """Return silently or raise Refused."""
        if not hmac.compare_digest(self._tag(), tag):
            raise wrong_tag()


def _product(left: int, right: int) -> int:
    """Multiplication in GF(2^128) as GCM orders its bits."""
    total = 0
    for place in range(127, -1, -1):
        if left >> place & 1:
            total ^= right
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return total
