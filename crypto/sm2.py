"""SM2 signatures with SM3 (GB/T 32918, GB/T 35276): key pairs, signing, verifying.

The identity is always given to the algorithm; by default the one GB/T 35276 fixes, so that ZA never
depends on what a library assumes. Signatures are 64 bytes, r then s: one form, so nothing to vary.
DER of keys is a fixed template: a key either matches it byte for byte or is refused.
"""

from typing import Final, NamedTuple, Self

from crypto.libcrypto import Sm2Handle
from crypto.words import BadInput, Refused, Words

DEFAULT_ID: Final = b"1234567812345678"
SIGNATURE_BYTES: Final = 64
POINT_BYTES: Final = 65  # 0x04, x, y
USER_ID_BYTES_MAX: Final = 8191  # its length in bits is written in 16 bits

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

_SPKI_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
_PKCS8_HEAD: Final = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
_PKCS8_POINT: Final = bytes.fromhex("a144034200")
_PKCS8_BYTES: Final = len(_PKCS8_HEAD) + 32 + len(_PKCS8_POINT) + POINT_BYTES


class Sm2PublicKey:
    """A point that is known to lie on the curve."""

    __slots__ = ("_handle", "point")

    def __init__(self, point: bytes) -> None:
        check_point(point)
        self.point: Final = bytes(point)
        self._handle: Final = Sm2Handle.from_spki(_SPKI_HEAD + self.point)

    @classmethod
    def from_spki(cls, der: bytes) -> Self:
        """Read a SubjectPublicKeyInfo. Raises BadInput where it is not an SM2 one."""
        if len(der) != len(_SPKI_HEAD) + POINT_BYTES or not der.startswith(_SPKI_HEAD):
            raise _bad_key("not the SubjectPublicKeyInfo of an uncompressed SM2 point")
        return cls(der[len(_SPKI_HEAD) :])

    def spki(self) -> bytes:
        """SubjectPublicKeyInfo DER."""
        return _SPKI_HEAD + self.point

    def verify(self, message: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID) -> None:
        """Return silently, or raise Refused: wrong length, r or s out of range, or not this key's."""
        if len(signature) != SIGNATURE_BYTES:
            raise _refused(f"{len(signature)} bytes, not {SIGNATURE_BYTES}")
        pair = Pair.of(signature)
        if not (1 <= pair.r < N and 1 <= pair.s < N):
            raise _refused("r or s outside [1, n-1]")
        if not self._handle.verify(message, pair.der(), _checked_id(user_id)):
            raise _refused("it does not match the key, the identity and the text")


class Sm2PrivateKey:
    """A key pair that can sign."""

    __slots__ = ("_handle", "public")

    def __init__(self, handle: Sm2Handle) -> None:
        self._handle: Final = handle
        self.public: Final = Sm2PublicKey.from_spki(handle.spki())

    @classmethod
    def generate(cls) -> Self:
        """A fresh pair."""
        return cls(Sm2Handle.generate())

    @classmethod
    def from_pkcs8(cls, der: bytes) -> Self:
        """Read an unencrypted PKCS#8. Raises BadInput where it is not an SM2 one or its halves disagree."""
        if len(der) != _PKCS8_BYTES or not der.startswith(_PKCS8_HEAD):
            raise _bad_key("not the PKCS#8 of an SM2 key with its public point")
        return cls(Sm2Handle.from_pkcs8(der))

    def pkcs8(self) -> bytes:
        """PKCS#8 DER, unencrypted: for the file writer of crypto.keys only."""
        return _PKCS8_HEAD + self._handle.scalar() + _PKCS8_POINT + self.public.point

    def sign(self, message: bytes, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """64 bytes, r then s, over ZA and the message."""
        return Pair.from_der(self._handle.sign(message, _checked_id(user_id))).raw()


class Pair(NamedTuple):
    """The two numbers of a signature."""

    r: int
    s: int

    @classmethod
    def of(cls, raw: bytes) -> Self:
        """From r then s, 32 bytes each."""
        return cls(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:64], "big"))

    @classmethod
    def from_der(cls, der: bytes) -> Self:
        """From SEQUENCE { r, s } (GB/T 35276); only the one DER form is taken."""
        numbers: list[int] = []
        rest = der[2:]
        for _ in range(2):
            if len(rest) < 2 or rest[0] != 2 or not 1 <= rest[1] <= min(33, len(rest) - 2):
                raise _refused("not DER")
            numbers.append(int.from_bytes(rest[2 : 2 + rest[1]], "big"))
            rest = rest[2 + rest[1] :]
        pair = cls(*numbers)
        if max(pair) >= 1 << 256 or pair.der() != der:
            raise _refused("not canonical DER")
        return pair

    def raw(self) -> bytes:
        """r then s, 32 bytes each."""
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big")

    def der(self) -> bytes:
        """SEQUENCE { r, s }."""
        body = b"".join(_integer(number) for number in self)
        return bytes((0x30, len(body))) + body


def _integer(number: int) -> bytes:
    data = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((2, len(data))) + data


def check_point(point: bytes) -> None:
    """Raise BadInput unless the bytes are an uncompressed point on the SM2 curve."""
    if len(point) != POINT_BYTES or point[0] != 4:
        raise _bad_key("not an uncompressed point of 65 bytes")
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if x >= P or y >= P or (y * y - (x * x * x - 3 * x + B)) % P:
        raise _bad_key("the point is not on the SM2 curve")


def _checked_id(user_id: bytes) -> bytes:
    if not 1 <= len(user_id) <= USER_ID_BYTES_MAX:
        raise BadInput(
            "sm2-identity",
            Words(f"SM2 用户标识长度为 {len(user_id)} 字节", f"the SM2 identity has {len(user_id)} bytes"),
            Words(f"请给出 1 至 {USER_ID_BYTES_MAX} 字节", f"give 1 to {USER_ID_BYTES_MAX} bytes"),
            field="user_id",
        )
    return user_id


def _bad_key(reason: str) -> BadInput:
    return BadInput(
        "key-malformed",
        Words(f"不是有效的 SM2 密钥:{reason}", f"not a valid SM2 key: {reason}"),
        Words("请换用未损坏的密钥", "use an undamaged key"),
        field="key",
    )


def _refused(reason: str) -> Refused:
    return Refused(
        "signature-invalid",
        Words(f"SM2 签名无效:{reason}", f"invalid SM2 signature: {reason}"),
        Words("请核对公钥与原文", "check the public key and the text"),
    )
