"""Capture files: pcap (micro- and nanosecond, either byte order) and pcapng, read as a stream.

Blocks larger than ``RECORD_BYTES_MAX`` and files that contradict themselves raise BadInput with the file and
the offset; a file that merely ends too early (a capture still being written) yields what is whole.
"""

from collections.abc import Iterator
from pathlib import Path
from struct import Struct, error
from typing import BinaryIO, Final, NamedTuple

from crypto.words import BadInput, Words

RECORD_BYTES_MAX: Final = 4 * 1024 * 1024  # libpcap's largest snap length is 256 KiB; USB captures have more
INTERFACES_MAX: Final = 1_024
READ_BYTES: Final = 256 * 1024
PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
_MAGICS: Final = {  # byte order and seconds per unit of the fraction
    b"\xa1\xb2\xc3\xd4": (">", 1e-6),
    b"\xd4\xc3\xb2\xa1": ("<", 1e-6),
    b"\xa1\xb2\x3c\x4d": (">", 1e-9),
    b"\x4d\x3c\xb2\xa1": ("<", 1e-9),
}
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_RESOLUTION: Final = 9
_OFFSET: Final = 14


class Captured(NamedTuple):
    """One packet of a file."""

    data: bytes
    link_type: int
    time: float  # seconds since 1970


_new: Final = tuple.__new__


class _Interface(NamedTuple):
    link_type: int
    unit_seconds: float
    offset_seconds: int
    snaplen_bytes: int


def is_capture(head: bytes) -> bool:
    """Whether a file that begins so is a capture file."""
    return head[:4] in _MAGICS or head[:4] == PCAPNG


def read_packets(stream: BinaryIO, path: Path) -> Iterator[Captured]:
    """The packets of an opened capture file, in file order; ``path`` is for error messages."""
    head = _exactly(stream, 4)
    if head == PCAPNG:
        return _pcapng(stream, path)
    if head not in _MAGICS:
        raise _bad(path, 0, "not a pcap or pcapng file")
    return _pcap(stream, path, *_MAGICS[head])


def _pcap(stream: BinaryIO, path: Path, order: str, unit: float) -> Iterator[Captured]:
    header = _exactly(stream, 20)
    if len(header) < 20:
        raise _bad(path, 4, "the file header is cut short")
    link_type = Struct(f"{order}I").unpack_from(header, 16)[0] & 0xFFFF
    record = Struct(f"{order}4I").unpack_from
    offset = 24  # of the buffer in the file
    at = 0
    buffer = stream.read(READ_BYTES)
    while True:
        if at + 16 > len(buffer):
            offset, at, buffer = offset + at, 0, buffer[at:] + stream.read(READ_BYTES)
            if len(buffer) < 16:
                return
        seconds, fraction, size, _ = record(buffer, at)
        if size > RECORD_BYTES_MAX:
            raise _bad(path, offset + at, f"a packet of {size} bytes")
        end = at + 16 + size
        if end > len(buffer):
            offset, at, buffer = offset + at, 0, buffer[at:] + stream.read(max(READ_BYTES, 16 + size))
            end = 16 + size
            if end > len(buffer):
                return
        yield _new(Captured, (buffer[at + 16 : end], link_type, seconds + fraction * unit))
        at = end


def _pcapng(stream: BinaryIO, path: Path) -> Iterator[Captured]:
    order = "<"
    interfaces: list[_Interface] = []
    offset = 0
    kind_raw = PCAPNG
    while len(kind_raw) == 4:
        size_raw = _exactly(stream, 4)
        if kind_raw == PCAPNG:
            order = _section_order(mark := _exactly(stream, 4), path, offset)
            interfaces = []
        else:
            mark = b""
        if len(size_raw) < 4:
            return
        word = Struct(f"{order}I")
        kind, size = word.unpack(kind_raw)[0], word.unpack(size_raw)[0]
        if size < 12 or size % 4 or size > RECORD_BYTES_MAX:
            raise _bad(path, offset, f"a block of {size} bytes")
        body = mark + _exactly(stream, size - 8 - len(mark))
        if len(body) < size - 8:
            return
        try:
            if kind == _INTERFACE:
                if len(interfaces) >= INTERFACES_MAX:
                    raise _bad(path, offset, f"more than {INTERFACES_MAX} interfaces")
                interfaces.append(_interface(body[:-4], order))
            elif kind in (_ENHANCED, _OLD_PACKET, _SIMPLE):
                yield _packet(kind, body[:-4], order, interfaces)
        except (error, IndexError):
            raise _bad(path, offset, "a block that contradicts itself") from None
        offset += size
        kind_raw = _exactly(stream, 4)


def _section_order(mark: bytes, path: Path, offset: int) -> str:
    if mark == b"\x1a\x2b\x3c\x4d":
        return ">"
    if mark == b"\x4d\x3c\x2b\x1a":
        return "<"
    raise _bad(path, offset, "a section without byte-order mark")


def _interface(body: bytes, order: str) -> _Interface:
    link_type, _, snaplen = Struct(f"{order}HHI").unpack_from(body, 0)
    unit, shift = 1e-6, 0
    option = Struct(f"{order}HH")
    offset = 8
    while offset + 4 <= len(body):
        code, size = option.unpack_from(body, offset)
        if code == 0:
            break
        if code == _RESOLUTION and size == 1:
            power = body[offset + 4]
            unit = 2.0 ** -(power & 0x7F) if power & 0x80 else 10.0**-power
        elif code == _OFFSET and size == 8:
            shift = Struct(f"{order}q").unpack_from(body, offset + 4)[0]
        offset += 4 + (size + 3) // 4 * 4
    return _Interface(link_type, unit, shift, snaplen)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Captured:
    if kind == _SIMPLE:
        interface = interfaces[0]
        length = Struct(f"{order}I").unpack_from(body, 0)[0]
        size = min(length, interface.snaplen_bytes or length)
        return Captured(_cut(body, 4, size), interface.link_type, 0.0)
    if kind == _ENHANCED:
        number, high, low, size = Struct(f"{order}4I").unpack_from(body, 0)
    else:
        number, _, high, low, size = Struct(f"{order}HH3I").unpack_from(body, 0)
    interface = interfaces[number]
    time = (high << 32 | low) * interface.unit_seconds + interface.offset_seconds
    return Captured(_cut(body, 20, size), interface.link_type, time)


def _cut(body: bytes, offset: int, size: int) -> bytes:
    if offset + size > len(body):
        raise IndexError(size)
    return body[offset : offset + size]


def _exactly(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes, fewer only at the end of the file."""
    return stream.read(size) if size else b""


def _bad(path: Path, offset: int, reason: str) -> BadInput:
    return BadInput(
        "capture-malformed",
        Words(f"抓包文件不合格式:{reason}", f"malformed capture file: {reason}"),
        Words("请用抓包工具重新导出为 pcap 或 pcapng", "export it anew as pcap or pcapng"),
        field=f"{path}:{offset}",
    )
