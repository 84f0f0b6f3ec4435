"""Which characters the report's fonts can show, and text in which every other one is replaced.

PDF/A has no place for a character without a glyph, and a report quotes what the world wrote: a file name in a
script that no font here holds must not keep the report from being made. The XLSX has the text as it was.
OpenType, table ``cmap``, formats 4 and 12.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from struct import Struct, error
from typing import Any, Final
from unicodedata import category

FONT_SUFFIXES: Final = frozenset({".otf", ".ttf", ".ttc", ".otc"})
FONT_BYTES_MAX: Final = 64 * 1024 * 1024
INSTEAD: Final = "\u25a1"  # WHITE SQUARE: what a reader knows as "not shown here"
_SPACES: Final = frozenset(" \n\t\u00a0\u3000\u200b")
_offsets: Final = Struct(">4sHHHH")
_record: Final = Struct(">4sIII")
_encoding: Final = Struct(">HHI")
_group: Final = Struct(">III")
_CODES_MAX: Final = 0x110000


def legible(value: Any, shown: frozenset[int]) -> Any:
    """``value`` (as JSON knows values) with every character outside ``shown`` replaced; keys stay."""
    if isinstance(value, str):
        return value if _all_shown(value, shown) else "".join(_instead(one, shown) for one in value)
    if isinstance(value, Mapping):
        return {key: legible(one, shown) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [legible(one, shown) for one in value]
    return value


def characters(folders: Iterable[Path]) -> frozenset[int]:
    """The characters that a font in one of the folders has a glyph for."""
    found: set[int] = set()
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.suffix.lower() in FONT_SUFFIXES:
                found |= _of_font(path, path.stat().st_mtime_ns)
    return frozenset(found)


def _all_shown(text: str, shown: frozenset[int]) -> bool:
    return all(ord(one) in shown or one in _SPACES for one in set(text))


def _instead(one: str, shown: frozenset[int]) -> str:
    if ord(one) in shown or one in _SPACES:
        return one
    if category(one) in ("Cc", "Cf", "Mn", "Me"):  # nothing to see by itself
        return ""
    return INSTEAD if ord(INSTEAD) in shown else "?"


@lru_cache(maxsize=64)
def _of_font(path: Path, _changed: int) -> frozenset[int]:
    """One font file's characters; none where it is no font we can read: typst says so itself."""
    with path.open("rb") as file:
        data = file.read(FONT_BYTES_MAX)
    found: set[int] = set()
    try:
        for start in _fonts(data):
            found |= _font(data, start)
    except (error, IndexError):
        return frozenset()
    return frozenset(found)


def _fonts(data: bytes) -> list[int]:
    """Where each font of the file begins: a collection has several."""
    if data[:4] != b"ttcf":
        return [0]
    count = min(int.from_bytes(data[8:12]), 64)
    return [int.from_bytes(data[at : at + 4]) for at in range(12, 12 + count * 4, 4)]


def _font(data: bytes, start: int) -> set[int]:
    _, tables, *_ = _offsets.unpack_from(data, start)
    for number in range(tables):
        tag, _, offset, _ = _record.unpack_from(data, start + _offsets.size + number * _record.size)
        if tag == b"cmap":
            return _cmap(data, offset)
    return set()


def _cmap(data: bytes, at: int) -> set[int]:
    found: set[int] = set()
    for number in range(int.from_bytes(data[at + 2 : at + 4])):
        platform, encoding, offset = _encoding.unpack_from(data, at + 4 + number * _encoding.size)
        if platform == 0 or (platform, encoding) in ((3, 1), (3, 10)):
            table = at + offset
            form = int.from_bytes(data[table : table + 2])
            found |= _segments(data, table) if form == 4 else _groups(data, table) if form == 12 else set()
    return found


def _segments(data: bytes, at: int) -> set[int]:
    """Format 4. A glyph of 0 inside a segment is counted as there: fonts are cut so that this is rare."""
    size = int.from_bytes(data[at + 6 : at + 8])
    ends, starts = at + 14, at + 16 + size
    found: set[int] = set()
    for number in range(0, size, 2):
        last = int.from_bytes(data[ends + number : ends + number + 2])
        first = int.from_bytes(data[starts + number : starts + number + 2])
        if first <= last and first != 0xFFFF:
            found.update(range(first, last + 1))
    return found


def _groups(data: bytes, at: int) -> set[int]:
    """Format 12."""
    found: set[int] = set()
    for number in range(int.from_bytes(data[at + 12 : at + 16])):
        first, last, _ = _group.unpack_from(data, at + 16 + number * _group.size)
        if first <= last < _CODES_MAX:
            found.update(range(first, last + 1))
    return found
