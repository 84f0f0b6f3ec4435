"""SM2 verification and SM3, by the text of the standards: a second implementation, on purpose.

The verifier of an evidence kit carries this file inside. It shares nothing with ``crypto``; hashlib's SM3
does the bulk where it agrees with the one below.
"""

import hashlib
from collections.abc import Callable

IDENTITY = b"1234567812345678"
# GB/T 32918.5-2017
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
# GB/T 32905-2016
IV = (
    0x7380166F,
    0x4914B2B9,
    0x172442D7,
    0xDA8A0600,
    0xA96F30BC,
    0x163138AA,
    0xE38DEE4D,
    0xB0FB0E4E,
)
M32 = 0xFFFFFFFF
_T = (0x79CC4519,) * 16 + (0x7A879D8A,) * 48
ROUND = tuple(((t << (j % 32)) | (t >> (32 - j % 32))) & M32 for j, t in enumerate(_T))
Point = tuple[int, int, int]
Hash = Callable[[bytes], bytes]


def _rotate(x: int, by: int) -> int:
    return ((x << by) | (x >> (32 - by))) & M32


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _rotate(w[j - 3], 15)
        w.append(x ^ _rotate(x, 15) ^ _rotate(x, 23) ^ _rotate(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        turned = ((a << 12) | (a >> 20)) & M32
        s1 = (turned + e + ROUND[j]) & M32
        s1 = ((s1 << 7) | (s1 >> 25)) & M32
        if j < 16:
            t1 = (a ^ b ^ c) + d + (s1 ^ turned) + (w[j] ^ w[j + 4])
            t2 = (e ^ f ^ g) + h + s1 + w[j]
        else:
            t1 = ((a & b) | (a & c) | (b & c)) + d + (s1 ^ turned) + (w[j] ^ w[j + 4])
            t2 = ((e & f) | (~e & g & M32)) + h + s1 + w[j]
        t2 &= M32
        d, c, b, a = c, _rotate(b, 9), a, t1 & M32
        h, g, f, e = g, _rotate(f, 19), e, t2 ^ _rotate(t2, 9) ^ _rotate(t2, 17)
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def sm3_pure(data: bytes) -> bytes:
    """SM3 by the text of the standard."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state: tuple[int, ...] = IV
    for at in range(0, len(padded), 64):
        state = _compress(state, padded[at : at + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def choose_sm3(pure: bool) -> Hash:
    """hashlib's SM3 where it exists and agrees with ours, else ours."""
    if pure or "sm3" not in hashlib.algorithms_available:
        return sm3_pure
    for sample in (b"", b"abc", bytes(range(256)) * 3):
        if hashlib.new("sm3", sample).digest() != sm3_pure(sample):
            return sm3_pure
    return lambda data: hashlib.new("sm3", data).digest()


def _double(point: Point) -> Point:
    x, y, z = point
    if not z or not y:
        return 0, 1, 0
    yy = y * y % P
    s = 4 * x * yy % P
    m = (3 * x * x + A * pow(z, 4, P)) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(one: Point, two: Point) -> Point:
    if not one[2]:
        return two
    if not two[2]:
        return one
    x1, y1, z1 = one
    x2, y2, z2 = two
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * zz2 % P, x2 * zz1 % P
    s1, s2 = y1 * zz2 * z2 % P, y2 * zz1 * z1 % P
    if u1 == u2:
        return _double(one) if s1 == s2 else (0, 1, 0)
    h, r = (u2 - u1) % P, (s2 - s1) % P
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * z1 * z2 % P


def _times(number: int, x: int, y: int) -> Point:
    total: Point = (0, 1, 0)
    for bit in f"{number:b}":
        total = _double(total)
        if bit == "1":
            total = _add(total, (x, y, 1))
    return total


def sm2_verify(point: bytes, message: bytes, signature: bytes, sm3: Hash) -> bool:
    """GB/T 32918.2 verification with the default identity; ``signature`` is r then s."""
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if len(point) != 65 or point[0] != 4 or x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not (1 <= r < N and 1 <= s < N) or not (r + s) % N:
        return False
    curve = b"".join(value.to_bytes(32, "big") for value in (A, B, *G))
    za = sm3((8 * len(IDENTITY)).to_bytes(2, "big") + IDENTITY + curve + point[1:])
    e = int.from_bytes(sm3(za + message), "big")
    px, _, pz = _add(_times(s, *G), _times((r + s) % N, x, y))
    return bool(pz) and (e + px * pow(pz, -2, P) % P) % N == r
