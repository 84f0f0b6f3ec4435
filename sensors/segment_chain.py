"""The chain of segments: each header carries the SM3 of the segment before it, as that was written.

A packed segment is unpacked to the very bytes it was made from; a mended header counts as whole.
"""

from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from crypto import sm3
from crypto.sm3 import same_digest
from crypto.words import Refused
from sensors.segment_format import Damage, End, Frame, Scan, scan
from sensors.segment_header import Header, pack_header
from sensors.segment_packed import BLOCK_BYTES, PACKED, frame_bytes, pack_blocks, scan_packed
from sensors.segment_seal import Keys

PIECE_BYTES: Final = BLOCK_BYTES


class Link(Enum):
    """What the next segment's header says of a segment."""

    WHOLE = "whole"
    DIFFERS = "differs"
    UNKNOWN = "unknown"  # the newest segment, or the next header is of version 1 or of another neighbour


class Contents(NamedTuple):
    """A whole segment read through: its frames in clear, its losses and its link."""

    frames: list[Frame]
    damages: list[Damage]
    end: End
    offset: int  # where valid frames end
    last: int
    link: Link

    @property
    def foreign(self) -> bool:
        """Whether every checksum is right and yet these are not the bytes that were written."""
        return self.link is Link.DIFFERS and not self.damages and self.end is End.CLEAN


def contents_of(data: bytes, header: Header, following: Header | None, keys: Keys) -> Contents:
    """Read the bytes of a segment file through. Raises LiuheError where its key is missing."""
    before = following.first if following is not None else None
    if header.packing == PACKED:
        seal = keys.blocks(header)
        got = scan_packed(data, header.size, header, seal, expected=header.first, before=before)
    else:
        if following is not None and following.previous_first == header.first and following.previous_bytes:
            data = data[: following.previous_bytes]  # behind it may lie what was never acknowledged
        got = scan(data, header.size, header, expected=header.first, before=before, whole=True)
        got = opened_scan(got, header, keys)
    link = _link(data, header, following, keys, got)
    return Contents(got.frames, got.damages, got.end, got.offset, got.expected - 1, link)


def opened_scan(got: Scan, header: Header, keys: Keys) -> Scan:
    """A scan of sealed frames with their payloads in clear; one that does not open is damage."""
    seal = keys.frames(header)
    if seal is None:
        return got
    frames, damages = [], list(got.damages)
    for frame in got.frames:
        try:
            payload = seal.open(frame.sequence, frame.flags, frame.payload)
        except Refused:
            damages.append(Damage(frame.sequence, frame.sequence, "a frame fails its SM4-GCM tag"))
            continue
        frames.append(frame._replace(payload=payload))
    return got._replace(frames=frames, damages=damages)


def written_bytes(data: bytes, header: Header, keys: Keys, got: Scan) -> bytes | None:
    """The segment as it was written; None where damage hides that."""
    if header.packing != PACKED:
        return pack_header(header) + data[header.size :]
    if got.damages or got.end is not End.CLEAN:
        return None
    original = header._replace(packing=0, pack_salt=0)
    return pack_header(original) + frame_bytes(original, got.frames, keys.frames(original))


def packed_form(
    read: Callable[[int, int], bytes], header: Header, following: Header, keys: Keys, pack_salt: int
) -> bytes | None:
    """The packed file of a segment; None where it is packed, of version 1, or not whole.

    ``read(size, offset)`` gives its bytes; they pass through piece by piece, to keep memory small.
    """
    if header.packing == PACKED or header.version == 1 or following.previous_first != header.first:
        return None
    packed = header._replace(packing=PACKED, pack_salt=pack_salt)
    seal, out = keys.blocks(packed), [pack_header(packed)]
    digest = sm3.new(pack_header(header))
    offset, expected, rest = header.size, header.first, b""
    while offset < following.previous_bytes:
        piece = read(min(PIECE_BYTES, following.previous_bytes - offset), offset)
        if not piece:
            return None
        digest.update(piece)
        offset += len(piece)
        data = rest + piece
        whole = offset == following.previous_bytes
        got = scan(data, 0, header, expected=expected, before=None, whole=whole)
        got = opened_scan(got, header, keys)
        if got.damages or got.end is End.INVALID:
            return None
        out.append(pack_blocks(packed, got.frames, seal))
        expected, rest = got.expected, data[got.offset :]
    whole = not rest and expected == following.previous_last + 1
    return b"".join(out) if whole and same_digest(digest.digest(), following.previous_sm3) else None


def _link(data: bytes, header: Header, following: Header | None, keys: Keys, got: Scan) -> Link:
    if following is None or following.previous_first != header.first or not following.previous_bytes:
        return Link.UNKNOWN
    written = written_bytes(data, header, keys, got)
    if written is None:
        return Link.DIFFERS
    same = len(written) == following.previous_bytes
    return Link.WHOLE if same and same_digest(sm3.sm3(written), following.previous_sm3) else Link.DIFFERS
