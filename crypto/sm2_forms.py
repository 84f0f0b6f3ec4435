"""The written forms of SM2: curve numbers, points, signatures and ciphertexts, raw and DER (GM/T 0009).

Every DER read here has exactly one spelling: what was read is written again and must be the same bytes.
"""

from typing import Final, NamedTuple, Self

from crypto.backends.interface import wrong_ciphertext, wrong_key
from crypto.words import Refused, Words

P: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A: Final = P - 3
B: Final = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
GX: Final = 0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7
GY: Final = 0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0

SCALAR_BYTES: Final = 32
POINT_BYTES: Final = 65  # 0x04, x, y
SIGNATURE_BYTES: Final = 64  # r, s
C3_BYTES: Final = 32
CIPHER_HEAD_BYTES: Final = POINT_BYTES + C3_BYTES  # before C2
PLAIN_BYTES_MAX: Final = 64 * 1024  # SM2 is for keys; large content goes through SM4

SPKI_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
PKCS8_HEAD: Final = bytes.fromhex("308187020100301306072a8648ce3d020106082a811ccf5501822d046d306b0201010420")
PKCS8_POINT: Final = bytes.fromhex("a144034200")
PKCS8_BYTES: Final = len(PKCS8_HEAD) + SCALAR_BYTES + len(PKCS8_POINT) + POINT_BYTES
_DER_BYTES_MAX: Final = PLAIN_BYTES_MAX + 256


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
                raise wrong_signature("not DER")
            numbers.append(int.from_bytes(rest[2 : 2 + rest[1]], "big"))
            rest = rest[2 + rest[1] :]
        pair = cls(*numbers)
        if max(pair) >= 1 << 256 or pair.der() != der:
            raise wrong_signature("not canonical DER")
        return pair

    def in_range(self) -> bool:
        """Both in [1, n-1]."""
        return 1 <= self.r < N and 1 <= self.s < N

    def raw(self) -> bytes:
        """r then s, 32 bytes each."""
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big")

    def der(self) -> bytes:
        """SEQUENCE { r, s }."""
        return _wrapped(0x30, _integer(self.r) + _integer(self.s))


def signature_to_der(raw: bytes) -> bytes:
    """r then s -> SEQUENCE { r, s }. Raises Refused where it has not 64 bytes."""
    if len(raw) != SIGNATURE_BYTES:
        raise wrong_signature(f"{len(raw)} bytes, not {SIGNATURE_BYTES}")
    return Pair.of(raw).der()


def signature_from_der(der: bytes) -> bytes:
    """SEQUENCE { r, s } -> r then s, 64 bytes. Raises Refused where it is not canonical DER."""
    return Pair.from_der(der).raw()


def to_der(raw: bytes) -> bytes:
    """C1, C3, C2 -> SEQUENCE { x, y, C3, C2 } of GM/T 0009. Raises Refused."""
    check_ciphertext(raw)
    x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:65], "big")
    body = _integer(x) + _integer(y) + _wrapped(4, raw[65:97]) + _wrapped(4, raw[97:])
    return _wrapped(0x30, body)


def from_der(der: bytes) -> bytes:
    """SEQUENCE { x, y, C3, C2 } of GM/T 0009 -> C1, C3, C2. Raises Refused where it is not canonical DER."""
    if not 8 < len(der) <= _DER_BYTES_MAX:
        raise wrong_ciphertext(f"{len(der)} bytes of DER")
    body = _content(der, 0, 0x30)[0]
    x, at = _content(body, 0, 2)
    y, at = _content(body, at, 2)
    c3, at = _content(body, at, 4)
    c2, at = _content(body, at, 4)
    if len(x) > 33 or len(y) > 33 or len(c3) != C3_BYTES or not c2:
        raise wrong_ciphertext("a part of the DER has a wrong length")
    numbers = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if max(numbers) >= P:
        raise wrong_ciphertext("C1 is not on the SM2 curve")
    raw = b"\x04" + b"".join(number.to_bytes(32, "big") for number in numbers) + c3 + c2
    if to_der(raw) != der:
        raise wrong_ciphertext("not canonical DER")
    return raw


def check_ciphertext(raw: bytes) -> None:
    """Raise Refused unless the bytes are C1 on the curve, C3 and a C2 that is not empty."""
    if not CIPHER_HEAD_BYTES < len(raw) <= CIPHER_HEAD_BYTES + PLAIN_BYTES_MAX:
        raise wrong_ciphertext(f"{len(raw)} bytes")
    if not on_curve(raw[:POINT_BYTES]):
        raise wrong_ciphertext("C1 is not an uncompressed point on the SM2 curve")


def check_point(point: bytes) -> None:
    """Raise BadInput unless the bytes are an uncompressed point on the SM2 curve."""
    if len(point) != POINT_BYTES or point[0] != 4:
        raise wrong_key("not an uncompressed point of 65 bytes")
    if not on_curve(point):
        raise wrong_key("the point is not on the SM2 curve")


def on_curve(point: bytes) -> bool:
    """Whether the bytes are 04, x, y with x and y below p and on the curve; infinity has no such form."""
    if len(point) != POINT_BYTES or point[0] != 4:
        return False
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    return x < P and y < P and (y * y - (x * x * x + A * x + B)) % P == 0


def wrong_signature(reason: str) -> Refused:
    """The one refusal of an SM2 signature."""
    return Refused(
        "signature-invalid",
        Words(f"SM2 签名无效:{reason}", f"invalid SM2 signature: {reason}"),
        Words("请核对公钥与原文", "check the public key and the text"),
    )


def _integer(number: int) -> bytes:
    return _wrapped(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _wrapped(tag: int, body: bytes) -> bytes:
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _content(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The content of one element and where the next begins; one spelling is checked by the caller."""
    if len(data) < at + 2 or data[at] != tag:
        raise wrong_ciphertext("not DER")
    size, at = data[at + 1], at + 2
    if size >= 0x80:
        count = size - 0x80
        if not 1 <= count <= 3 or len(data) < at + count:
            raise wrong_ciphertext("not DER")
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    if len(data) < at + size:
        raise wrong_ciphertext("not DER")
    return data[at : at + size], at + size
