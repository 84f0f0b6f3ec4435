"""The reference backend: gmssl 3.2.2 behind a guard, to compare with and never the default.

What is mended here, because gmssl does it wrongly: it strips every leading ``04`` of a key as text; it draws
nonces from a predictable generator; it does not compare C3; it checks neither curves nor ranges nor padding;
its ciphertexts are in the old order. So only its arithmetic and its block function are called: the
numbers k come from ``secrets`` in [1, n-1], the order is C1, C3, C2, C3 is compared in constant time, and
points, ranges and padding were checked by ``sm2`` and ``sm4`` before anything reaches this file.

Its arithmetic is Python's and **not constant-time**; content over 1 MiB is refused unless forced.
"""

import hmac
import secrets
from typing import Final

from gmssl import sm2 as _sm2
from gmssl import sm3 as _sm3
from gmssl import sm4 as _sm4

from crypto.backends.block_modes import Block, Blocks, Counter, GcmOpening, GcmSealing
from crypto.backends.exchange import exchange_point, exchange_scalar
from crypto.backends.interface import (
    About,
    Cipher,
    Mode,
    Opening,
    PrivateHandle,
    Sealing,
    wrong_ciphertext,
    wrong_key,
)
from crypto.sm2_forms import CIPHER_HEAD_BYTES, GX, GY, POINT_BYTES, N
from crypto.words import Refused, Words

BULK_BYTES_MAX: Final = 1 << 20
_GENERATOR: Final = f"{GX:064x}{GY:064x}"


class _Allowance:
    """How much content one operation has taken; over the limit it is Refused."""

    __slots__ = ("_forced", "_left")

    def __init__(self, *, forced: bool) -> None:
        self._forced, self._left = forced, BULK_BYTES_MAX

    def spend(self, size: int) -> None:
        """Count so many bytes."""
        self._left -= size
        if self._left < 0 and not self._forced:
            raise Refused(
                "reference-bulk",
                Words(
                    f"参考后端不处理超过 {BULK_BYTES_MAX} 字节的内容",
                    f"the reference backend takes no content over {BULK_BYTES_MAX} bytes",
                ),
                Words("请改用 openssl 后端", "use the openssl backend"),
            )


class _Digest:
    """SM3 of everything taken: gmssl has only a one-shot digest."""

    def __init__(self, data: bytes, allowance: _Allowance) -> None:
        self._taken = bytearray()
        self._allowance = allowance
        self.update(data)

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        self._allowance.spend(len(data))
        self._taken += data

    def digest(self) -> bytes:
        """The 32 bytes so far."""
        return bytes.fromhex(self.hexdigest())

    def hexdigest(self) -> str:
        """The same as hex."""
        found: str = _sm3.sm3_hash(list(self._taken))
        return found


def _multiply(factor: int, point: str) -> str | None:
    """factor * point by gmssl: x and y as 128 hex digits, None for infinity."""
    found: str | None = _curve()._kg(factor, point)
    return found


def _curve(private: str = "", public: str = "") -> _sm2.CryptSM2:
    """gmssl's object; the public key is set past the constructor, which would strip zeros and fours."""
    curve = _sm2.CryptSM2(private_key=private, public_key="", mode=1)
    curve.public_key = public
    return curve


def _nonce() -> int:
    return 1 + secrets.randbelow(N - 1)


def _stream(shared: str, size: int) -> bytes:
    """The key stream of the text: KDF over x2 and y2."""
    return bytes.fromhex(_sm3.sm3_kdf(shared.encode(), size))


def _c3(shared: str, plain: bytes) -> bytes:
    parts = bytes.fromhex(shared[:64]) + plain + bytes.fromhex(shared[64:])
    return bytes.fromhex(_sm3.sm3_hash(list(parts)))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


class _Public:
    """A public key as gmssl writes it: 128 hex digits."""

    def __init__(self, point: bytes) -> None:
        self._bare = point[1:].hex()

    def verify_digest(self, digest: bytes, signature: bytes) -> bool:
        """Whether r and s sign e."""
        try:
            return bool(_curve(public=self._bare).verify(signature.hex(), digest))
        except TypeError:  # its way to say infinity
            return False

    def encrypt(self, data: bytes) -> bytes:
        """C1, C3, C2."""
        k = _nonce()
        first, shared = _multiply(k, _GENERATOR), _multiply(k, self._bare)
        if first is None or shared is None:
            raise wrong_key("the point has a small order")
        return b"\x04" + bytes.fromhex(first) + _c3(shared, data) + _xor(data, _stream(shared, len(data)))


class _Private:
    """A key pair; the private number lies in this process, in numbers that cannot be wiped."""

    def __init__(self, scalar: bytes) -> None:
        self._scalar = scalar
        bare = _multiply(int.from_bytes(scalar, "big"), _GENERATOR)
        assert bare is not None, "a scalar in [1, n-2] reaches no infinity"
        self.point = b"\x04" + bytes.fromhex(bare)

    def sign_digest(self, digest: bytes) -> bytes:
        """r and s over e; another k where the standard asks for one."""
        signature: str | None = None
        while signature is None:
            signature = _curve(self._scalar.hex()).sign(digest, f"{_nonce():064x}")
        return bytes.fromhex(signature)

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext, or Refused."""
        c3, c2 = data[POINT_BYTES:CIPHER_HEAD_BYTES], data[CIPHER_HEAD_BYTES:]
        shared = _multiply(int.from_bytes(self._scalar, "big"), data[1:POINT_BYTES].hex())
        if shared is None:
            raise wrong_ciphertext("C1 leads to infinity")
        plain = _xor(c2, _stream(shared, len(c2)))
        if not hmac.compare_digest(_c3(shared, plain), c3):
            raise wrong_ciphertext("C3 does not match")
        return plain

    def agree(self, ephemeral: PrivateHandle, peer: bytes, peer_ephemeral: bytes) -> bytes:
        """xV and yV: t * (peer + x * peer_ephemeral)."""
        factor = int.from_bytes(exchange_scalar(peer_ephemeral), "big")
        reached = _added(_multiply(factor, peer_ephemeral[1:].hex()), peer[1:].hex())
        t = int.from_bytes(exchange_scalar(ephemeral.point, self.scalar(), ephemeral.scalar()), "big")
        shared = _multiply(t, reached) if reached is not None and t else None
        if shared is None:
            raise exchange_point()
        return bytes.fromhex(shared)

    def scalar(self) -> bytearray:
        """The private number."""
        return bytearray(self._scalar)


def _added(left: str | None, right: str) -> str | None:
    """The sum of two points; gmssl's addition does not double."""
    if left is None:
        return right
    curve = _curve()
    total = curve._double_point(left + "1") if left == right else curve._add_point(left + "1", right)
    found: str | None = curve._convert_jacb_to_nor(total)
    return found


class _Counted:
    """A cipher that spends its allowance."""

    def __init__(self, cipher: Cipher, allowance: _Allowance) -> None:
        self._cipher, self._allowance = cipher, allowance
        self.finalize = cipher.finalize

    def update(self, data: bytes, /) -> bytes:
        """Count, then pass on."""
        self._allowance.spend(len(data))
        return self._cipher.update(data)


class _CountedSealing(GcmSealing):
    """GCM encryption that spends its allowance."""

    def __init__(self, block: Block, nonce: bytes, aad: bytes, allowance: _Allowance) -> None:
        allowance.spend(len(aad))
        super().__init__(block, nonce, aad)
        self._allowance = allowance

    def update(self, data: bytes, /) -> bytes:
        """Count, then encrypt."""
        self._allowance.spend(len(data))
        return super().update(data)


class _CountedOpening(GcmOpening):
    """GCM decryption that spends its allowance."""

    def __init__(self, block: Block, nonce: bytes, aad: bytes, allowance: _Allowance) -> None:
        allowance.spend(len(aad))
        super().__init__(block, nonce, aad)
        self._allowance = allowance

    def update(self, data: bytes, /) -> bytes:
        """Count, then decrypt."""
        self._allowance.spend(len(data))
        return super().update(data)


class Reference:
    """gmssl behind the guard."""

    def __init__(self, *, forced: bool = False) -> None:
        self._forced = forced

    def about(self) -> About:
        """Its library and its limits."""
        return About(
            "reference",
            "gmssl 3.2.2",
            True,
            Words("参考实现,非恒定时间,仅供对照", "reference, not constant-time, only to compare with"),
        )

    def sm3(self, data: bytes = b"") -> _Digest:
        """A running digest that has taken the data."""
        return _Digest(data, _Allowance(forced=self._forced))

    def sm4(self, mode: Mode, key: bytes, iv: bytes, *, encrypt: bool) -> Cipher:
        """A running cipher without padding."""
        allowance = _Allowance(forced=self._forced)
        if mode == "ctr":
            return _Counted(Counter(_block(key), iv), allowance)
        return _Counted(Blocks(_block(key, encrypt=encrypt), mode, iv, encrypt=encrypt), allowance)

    def sm4_seal(self, key: bytes, nonce: bytes, aad: bytes) -> Sealing:
        """A running GCM encryption."""
        return _CountedSealing(_block(key), nonce, aad, _Allowance(forced=self._forced))

    def sm4_open(self, key: bytes, nonce: bytes, aad: bytes) -> Opening:
        """A running GCM decryption."""
        return _CountedOpening(_block(key), nonce, aad, _Allowance(forced=self._forced))

    def sm2_generate(self) -> PrivateHandle:
        """A fresh key pair: gmssl has none, so the number comes from ``secrets``."""
        return _Private((1 + secrets.randbelow(N - 2)).to_bytes(32, "big"))

    def sm2_private(self, scalar: bytes | bytearray, point: bytes | None) -> PrivateHandle:
        """The key of a scalar; a point that is not its own is refused."""
        private = _Private(bytes(scalar))
        if point is not None and private.point != point:
            raise wrong_key("the point does not belong to the private number")
        return private

    def sm2_public(self, point: bytes) -> _Public:
        """The key of a point."""
        return _Public(point)


def _block(key: bytes, *, encrypt: bool = True) -> Block:
    """gmssl's block function under a key."""
    cipher = _sm4.CryptSM4()
    cipher.set_key(key, _sm4.SM4_ENCRYPT if encrypt else _sm4.SM4_DECRYPT)
    return lambda text: bytes(cipher.one_round(cipher.sk, list(text)))
