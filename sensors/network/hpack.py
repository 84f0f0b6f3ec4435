"""HPACK (RFC 7541): header fields out of the header blocks of HTTP/2, one direction, in bounds.

The Huffman code of appendix B is canonical: it follows from which octets have codes of which length.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import Final

BLOCK_BYTES_MAX: Final = 8 * 1024
STRING_BYTES_MAX: Final = 4 * 1024  # encoded; longer ones end the reading
FIELDS_MAX: Final = 128  # of one block
TABLE_BYTES_MAX: Final = 64 * 1024
_TABLE_BYTES: Final = 4_096  # until the peer says otherwise
_ENTRY_BYTES: Final = 32  # RFC 7541 4.1
_CODES: Final = {  # length -> octets, in the order of their codes
    5: b"012aceiost",
    6: b" %-./3456789=A_bdfghlmnpru",
    7: b":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz",
    8: b"&*,;XZ",
    10: b'!"()?',
    11: b"'+|",
    12: b"#>",
    13: b"\x00$@[]~",
    14: b"^}",
    15: b"<`{",
    19: b"\\\xc3\xd0",
    20: bytes.fromhex("808283a2b8c2e0e2"),
    21: bytes.fromhex("99a1a7acb0b1b3d1d8d9e3e5e6"),
    22: bytes.fromhex("8184858688929a9ca0a3a4a9aaadb2b5b9babbbdbec4c6e4e8e9"),
    23: bytes.fromhex("0187898a8b8c8d8f93959697989b9d9ea5a6a8aeafb4b6b7bcbfc5e7ef"),
    24: bytes.fromhex("098e9091949fabced7e1eced"),
    25: bytes.fromhex("c7cfeaeb"),
    26: bytes.fromhex("c0c1c8c9cacdd2d5dadbeef0f2f3ff"),
    27: bytes.fromhex("cbccd3d4d6dddedff1f4f5f6f7f8fafbfcfdfe"),
    28: bytes.fromhex("020304050607080b0c0e0f1011121314151718191a1b1c1d1e1f7fdcf9"),
    30: bytes.fromhex("0a0d16"),
}
_STATIC_NAMES: Final = (
    ":authority :method :method :path :path :scheme :scheme :status :status :status :status :status :status "
    ":status accept-charset accept-encoding accept-language accept-ranges accept access-control-allow-origin "
    "age allow authorization cache-control content-disposition content-encoding content-language "
    "content-length content-location content-range content-type cookie date etag expect expires from host "
    "if-match if-modified-since if-none-match if-range if-unmodified-since last-modified link location "
    "max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after server set-cookie "
    "strict-transport-security transfer-encoding user-agent vary via www-authenticate"
)
_STATIC_VALUES: Final = {
    2: "GET", 3: "POST", 4: "/", 5: "/index.html", 6: "http", 7: "https", 8: "200", 9: "204", 10: "206",
    11: "304", 12: "400", 13: "404", 14: "500", 16: "gzip, deflate",
}  # fmt: skip
_STATIC: Final = tuple(
    (name.encode(), _STATIC_VALUES.get(place, "").encode())
    for place, name in enumerate(_STATIC_NAMES.split(), start=1)
)
_SIZE_UPDATES_MAX: Final = 8

Field = tuple[bytes, bytes]


class BadBlock(Exception):
    """The block is none, or the direction was joined too late to understand it."""


def _groups() -> tuple[list[int], list[tuple[int, int, bytes]]]:
    """(first code of each length, its length and octets), codes moved up to ``_CODE_BITS`` bits."""
    starts: list[int] = []
    groups: list[tuple[int, int, bytes]] = []
    code = previous = 0
    for length, octets in _CODES.items():
        code <<= length - previous
        previous = length
        starts.append(code << (_CODE_BITS - length))
        groups.append((code, length, octets))
        code += len(octets)
    return starts, groups


def _short() -> list[tuple[int, int]]:
    """(octet, length) for each eight bits a short code begins; (0, 0) where a longer one does."""
    table = [(0, 0)] * 256
    for first, length, octets in _GROUPS:
        for place, octet in enumerate(octets) if length <= 8 else ():
            begins = (first + place) << (8 - length)
            table[begins : begins + (1 << (8 - length))] = [(octet, length)] * (1 << (8 - length))
    return table


_CODE_BITS: Final = 30
_STARTS, _GROUPS = _groups()
_SHORT: Final = _short()


def huffman(raw: bytes) -> bytes:
    """The text behind a Huffman-coded string. Raises BadBlock."""
    found = bytearray()
    held = bits = 0
    short = _SHORT
    for byte in raw:
        held = held << 8 | byte
        bits += 8
        while bits >= 8:
            octet, length = short[held >> (bits - 8)]
            if not length:
                if bits < _CODE_BITS:
                    break  # a long code: wait for all of it
                octet, length = _long(held >> (bits - _CODE_BITS))
            found.append(octet)
            bits -= length
            held &= (1 << bits) - 1
    while bits >= 5 and held != (1 << bits) - 1:
        octet, length = _long((held + 1 << (_CODE_BITS - bits)) - 1)
        if length > bits:
            raise BadBlock
        found.append(octet)
        bits -= length
        held &= (1 << bits) - 1
    if bits > 7 or held != (1 << bits) - 1:  # padded with the beginning of the end code: ones
        raise BadBlock
    return bytes(found)


def _long(ahead: int) -> tuple[int, int]:
    """(octet, length) of the code that ``_CODE_BITS`` bits begin with."""
    first, length, octets = _GROUPS[bisect_right(_STARTS, ahead) - 1]
    place = (ahead >> (_CODE_BITS - length)) - first
    if place >= len(octets):
        raise BadBlock
    return octets[place], length


class Decoder:
    """Reads the blocks of one direction in their order."""

    def __init__(self) -> None:
        self._dynamic: deque[Field] = deque()  # newest first
        self._held = 0
        self._limit = _TABLE_BYTES

    def decode(self, block: bytes) -> list[Field]:
        """The fields of a block. Raises BadBlock."""
        if len(block) > BLOCK_BYTES_MAX:
            raise BadBlock
        try:
            return list(self._fields(block))
        except IndexError:
            raise BadBlock from None

    def _fields(self, block: bytes) -> Iterator[Field]:
        at = count = updates = 0
        while at < len(block):
            first = block[at]
            if first & 0x80:
                place, at = _integer(block, at, 7)
                field = self._entry(place)
            elif first & 0xE0 == 0x20:
                size, at = _integer(block, at, 5)
                updates += 1
                if size > TABLE_BYTES_MAX or updates > _SIZE_UPDATES_MAX:
                    raise BadBlock
                self._limit = size
                self._shrink()
                continue
            else:
                is_kept = bool(first & 0x40)
                place, at = _integer(block, at, 6 if is_kept else 4)
                if place:
                    name = self._entry(place)[0]
                else:
                    name, at = _string(block, at)
                value, at = _string(block, at)
                field = (name, value)
                if is_kept:
                    self._add(field)
            count += 1
            if count > FIELDS_MAX:
                raise BadBlock
            yield field

    def _entry(self, place: int) -> Field:
        if place < 1:
            raise BadBlock
        return _STATIC[place - 1] if place <= len(_STATIC) else self._dynamic[place - len(_STATIC) - 1]

    def _add(self, field: Field) -> None:
        self._dynamic.appendleft(field)
        self._held += len(field[0]) + len(field[1]) + _ENTRY_BYTES
        self._shrink()

    def _shrink(self) -> None:
        while self._held > self._limit:
            name, value = self._dynamic.pop()
            self._held -= len(name) + len(value) + _ENTRY_BYTES


def _integer(block: bytes, at: int, bits: int) -> tuple[int, int]:
    """(number, place behind it), RFC 7541 5.1."""
    full = (1 << bits) - 1
    number = block[at] & full
    at += 1
    if number < full:
        return number, at
    for shift in (0, 7, 14):
        byte = block[at]
        at += 1
        number += (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise BadBlock


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    is_coded = bool(block[at] & 0x80)
    size, at = _integer(block, at, 7)
    raw = block[at : at + size]
    if size > STRING_BYTES_MAX or len(raw) < size:
        raise BadBlock
    return huffman(raw) if is_coded else raw, at + size
