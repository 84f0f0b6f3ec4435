"""The ledger as C2SP tlog-tiles: a tree of files that any tool of that format reads and checks.

``tile/<level>/<index>`` holds 256 hashes of 8 levels' subtrees, ``tile/entries/<index>`` 256 leaves with
their length, ``….p/<width>`` what is there of an unfinished one. A finished file never changes: written once,
it is not written again, and one that differs is refused rather than replaced.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from compliance.ledger_files import Damage, FramedLog, damaged, replace_file
from crypto.merkle import ReadNode
from crypto.words import Refused, Words

TILE_WIDTH: Final = 256
_TILE_HEIGHT: Final = 8
_LENGTH: Final = struct.Struct(">H")


class Tile(NamedTuple):
    """One file: its level (-1 for entries), place, and how many items it has."""

    level: int
    place: int
    width: int

    @property
    def path(self) -> str:
        """Its path, slashes between."""
        level = "entries" if self.level < 0 else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{index_path(self.place)}{partial}"


class Tiled(NamedTuple):
    """What an export wrote, and what was there already."""

    size: int
    written: int
    kept: int


def index_path(index: int) -> str:
    """Three digits a folder, ``x`` before all but the last: 1234067 is x001/x234/067."""
    parts = [f"{index % 1000:03d}"]
    while index := index // 1000:
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree of this size, entries last."""
    level = 0
    while count := size >> (_TILE_HEIGHT * level):
        yield from _row(level, count)
        level += 1
    yield from _row(-1, size)


def _row(level: int, count: int) -> Iterator[Tile]:
    full, rest = divmod(count, TILE_WIDTH)
    yield from (Tile(level, index, TILE_WIDTH) for index in range(full))
    if rest:
        yield Tile(level, full, rest)


def tile_bytes(tile: Tile, node: ReadNode) -> bytes:
    """The hashes of a tile."""
    first = tile.place * TILE_WIDTH
    return b"".join(node(_TILE_HEIGHT * tile.level, first + place) for place in range(tile.width))


def bundle_bytes(tile: Tile, leaves: FramedLog) -> bytes:
    """The leaves of an entries tile. Raises LiuheError where one is damaged."""
    first = tile.place * TILE_WIDTH
    offset = leaves.offset_of(first)
    frames = leaves.scan(offset) if offset is not None else iter(())
    parts: list[bytes] = []
    for number, found in zip(range(first, first + tile.width), frames, strict=False):
        if isinstance(found, Damage) or found.sequence != number:
            raise damaged(f"{leaves.path.name}: {number}")
        parts += [_LENGTH.pack(len(found.data)), found.data]
    if len(parts) != 2 * tile.width:
        raise damaged(f"{leaves.path.name}: {first + len(parts) // 2}")
    return b"".join(parts)


def export_tiles(folder: Path, size: int, node: ReadNode, leaves: FramedLog, checkpoint: bytes) -> Tiled:
    """Bring a folder up to a checkpoint, written last. Raises Refused where it contradicts what is there."""
    written = kept = 0
    for tile in tiles_of(size):
        path = folder / tile.path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, _bytes(tile, node, leaves))
            written += 1
        elif tile.level >= 0 and path.read_bytes() != _bytes(tile, node, leaves):
            raise _contradiction(tile)  # entries are covered by the hashes above them
        else:
            kept += 1
    replace_file(folder / "checkpoint", checkpoint)
    return Tiled(size, written, kept)


def _bytes(tile: Tile, node: ReadNode, leaves: FramedLog) -> bytes:
    return bundle_bytes(tile, leaves) if tile.level < 0 else tile_bytes(tile, node)


def _contradiction(tile: Tile) -> Refused:
    return Refused(
        "tile-differs",
        Words(f"{tile.path} 已导出的内容与账本不符", f"{tile.path} was exported with other bytes"),
        Words(
            "请执行 liuhe evidence verify,并导出到新目录",
            "run liuhe evidence verify, and export into a new folder",
        ),
        field=tile.path,
    )
