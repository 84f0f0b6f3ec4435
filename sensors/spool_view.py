"""What lies in a spool folder, looked at without changing it; also while the sensor runs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Final

import msgspec

from sensors.disk import REAL, Disk, opened, read_file, read_from
from sensors.event import Value
from sensors.gap_reserve import NAME as RESERVE_NAME
from sensors.gap_reserve import held_in
from sensors.lane_mark import marked_last
from sensors.messages import LANES
from sensors.segment_chain import Link, contents_of
from sensors.segment_folder import Segment, segments_of
from sensors.segment_format import End
from sensors.segment_header import HEADER_BYTES_MAX, Header, refuse_newer, unpack_header
from sensors.segment_packed import PACKED
from sensors.segment_seal import Keys
from sensors.spool_files import read_acked

UNREADABLE: Final = "the header is unreadable"


class Loss(msgspec.Struct, frozen=True):
    """Sequences that cannot be read."""

    first: int
    last: int
    reason: str


class SegmentView(msgspec.Struct, frozen=True, kw_only=True):
    """One file. ``link``: whether its SM3 is the one in the next header; '' where that was not asked for."""

    first: int
    last: int
    bytes: int
    version: int
    epoch: int
    sensor: str
    created: datetime | None
    packed: bool
    key: str
    events: int | None
    link: str
    losses: list[Loss]


class LaneView(msgspec.Struct, frozen=True, kw_only=True):
    """One lane; ``acked`` is what was last written down, at most five seconds old."""

    name: str
    bytes: int
    first: int
    last: int
    acked: int
    segments: list[SegmentView]
    losses: list[Loss]  # behind the last segment: a file that is gone or cut


class SpoolView(msgspec.Struct, frozen=True, kw_only=True):
    """A whole spool folder."""

    folder: str
    verified: bool
    lanes: list[LaneView]
    gaps: list[dict[str, Value]]  # gap records that the center may not have yet

    @property
    def problems(self) -> list[str]:
        """Every loss and every broken link, one line each."""
        return [line for lane in self.lanes for line in _problems(lane)]


def view_spool(folder: Path, keys: Keys, *, verify: bool, disk: Disk = REAL) -> SpoolView:
    """Look at a spool folder; with ``verify`` every frame is read and every link of the chain checked.

    Raises LiuheError: a missing key, a segment of a newer release, a file that cannot be read.
    """
    acked = read_acked(folder, disk)
    lanes = [view_log(folder / name, name, acked.get(name, 0), keys, verify, disk) for name in LANES]
    try:
        gaps = [one.fields for one in held_in(read_file(disk, folder / RESERVE_NAME)).values()]
    except FileNotFoundError:
        gaps = []
    return SpoolView(folder=str(folder), verified=verify, lanes=lanes, gaps=gaps)


def view_log(folder: Path, name: str, acked: int, keys: Keys, verify: bool, disk: Disk = REAL) -> LaneView:
    """Look at one segment log."""
    written = marked_last(folder, disk)  # before the segments: a running sensor writes on
    segments = list(_segments(folder, keys, verify, disk))
    last = segments[-1].last if segments else 0
    from_here = max(last, acked) + 1
    lost = [Loss(from_here, written, "the end of the lane is missing")] if written >= from_here else []
    return LaneView(
        name=name,
        bytes=sum(one.bytes for one in segments),
        first=segments[0].first if segments else 0,
        last=last,
        acked=acked,
        segments=segments,
        losses=lost,
    )


def _segments(folder: Path, keys: Keys, verify: bool, disk: Disk) -> Iterator[SegmentView]:
    known = segments_of(folder, disk)
    for segment, following in zip_longest(known, known[1:]):
        try:
            data = read_file(disk, segment.path)
            after = _header(following, disk) if following is not None else None
        except FileNotFoundError:  # released meanwhile
            continue
        yield _view(segment, data, following, after, keys, verify)


def _header(segment: Segment, disk: Disk) -> Header | None:
    with opened(disk, segment.path, "read") as handle:
        data = read_from(disk, handle, HEADER_BYTES_MAX)
    header = unpack_header(data)
    if header is None:
        refuse_newer(data, segment.path)
    return header


def _view(
    segment: Segment,
    data: bytes,
    following: Segment | None,
    after: Header | None,
    keys: Keys,
    verify: bool,
) -> SegmentView:
    header = unpack_header(data)
    end = after.previous_last if after is not None else following.first - 1 if following is not None else 0
    if header is None or header.first != segment.first:
        refuse_newer(data, segment.path)
        lost = [Loss(segment.first, max(end, segment.first), UNREADABLE)] if following is not None else []
        return _blank(segment, data, end, lost)
    last, events, losses, link = end, None, [], ""
    if verify or following is None:
        found = contents_of(data, header, after, keys)
        last, events = found.last, len(found.frames)
        losses = [Loss(*damage) for damage in found.damages]
        if following is not None and end > found.last:
            losses.append(Loss(found.last + 1, end, "frames at the end of the segment are missing"))
        link = found.link.value if verify else ""
        if following is None and header.packing == PACKED and found.end is not End.CLEAN:
            losses.append(Loss(found.last + 1, found.last + 1, "a block is unreadable"))
    return SegmentView(
        first=segment.first,
        last=last,
        bytes=len(data),
        version=header.version,
        epoch=header.epoch,
        sensor=header.sensor,
        created=datetime.fromtimestamp(header.created_ms / 1000, UTC) if header.created_ms else None,
        packed=header.packing == PACKED,
        key=header.key_id.hex() if header.sealed else "",
        events=events,
        link=link,
        losses=losses,
    )


def _blank(segment: Segment, data: bytes, last: int, losses: list[Loss]) -> SegmentView:
    return SegmentView(
        first=segment.first,
        last=max(last, segment.first - 1),
        bytes=len(data),
        version=0,
        epoch=0,
        sensor="",
        created=None,
        packed=False,
        key="",
        events=None,
        link="",
        losses=losses,
    )


def _problems(lane: LaneView) -> Iterator[str]:
    for segment in lane.segments:
        place = f"{lane.name}/{segment.first:020d}.seg"
        for loss in segment.losses:
            yield f"{place}: {loss.first}..{loss.last}: {loss.reason}"
        if segment.link == Link.DIFFERS.value:
            yield f"{place}: its SM3 is not the one in the next header"
    for loss in lane.losses:
        yield f"{lane.name}: {loss.first}..{loss.last}: {loss.reason}"
