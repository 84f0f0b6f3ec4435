"""TPKT (RFC 1006) with X.224: the frames in which RDP and S7 travel."""

from typing import Final

CONNECT, CONFIRM, DATA = 0xE0, 0xD0, 0xF0
_FRAME_BYTES_MIN: Final = 7


def measure_tpkt(data: bytes) -> int:
    """Size of the frame that starts here; 0 where it is cut, -1 where it is none."""
    if len(data) < 4:
        return 0 if data[:2] in (b"\x03", b"\x03\0") or len(data) == 1 else -1
    size = int.from_bytes(data[2:4], "big")
    return size if data[0] == 3 and data[1] == 0 and size >= _FRAME_BYTES_MIN else -1


def x224_kind(frame: bytes) -> int:
    """CONNECT, CONFIRM, DATA or what else the frame holds; -1 where it is too short."""
    return frame[5] & 0xF0 if len(frame) > 5 else -1


def x224_payload(frame: bytes) -> bytes:
    """What follows the X.224 header."""
    return frame[5 + frame[4] :] if len(frame) > 4 else b""
