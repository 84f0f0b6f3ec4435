"""Where the tiles of the wall display stand and when it changes colour: rules/wall/wall.toml."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from crypto.words import BadInput, Words
from rules import ROOT

Colour = Literal["red", "orange", "yellow", "blue", "none"]

SHIPPED: Final = ROOT / "wall" / "wall.toml"
_FILE_BYTES_MAX: Final = 64 * 1024
_PLACE_MAX: Final = 11  # rows and columns of the diagram, from 0


class Tile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A city: the first four digits of its units' codes, its name, its place in the diagram."""

    code: str
    zh: str
    en: str
    column: int
    row: int


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a colour hold; 0 is never reached."""

    name: Literal["red", "orange", "yellow", "blue"]
    critical: int
    waiting: int
    high: int
    overdue: int
    silent_percent: int


class Strain(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers a colour is made of."""

    critical: int = 0
    waiting: int = 0
    high: int = 0
    overdue: int = 0
    silent_percent: int = 0


class WallRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    tiles: tuple[Tile, ...]
    colours: tuple[Limits, ...]

    def colour(self, strain: Strain) -> tuple[Colour, tuple[Words, ...]]:
        """The first colour of which a limit is reached, and which."""
        for limits in self.colours:
            reached = tuple(
                words
                for name, words in _said(strain).items()
                if 0 < getattr(limits, name) <= getattr(strain, name)
            )
            if reached:
                return limits.name, reached
        return "none", ()


@cache
def shipped_wall() -> WallRules:
    """Those that came with the product, or as the site changed them. Raises BadInput (wall-rules)."""
    return read_wall(SHIPPED)


def read_wall(path: Path) -> WallRules:
    """The rules in a file. Raises BadInput (wall-rules) naming file and reason."""
    try:
        data = path.read_bytes()
        if len(data) > _FILE_BYTES_MAX:
            raise _bad(path, f"> {_FILE_BYTES_MAX} bytes")
        found = msgspec.convert(tomllib.loads(data.decode()), WallRules)
    except (OSError, ValueError, msgspec.ValidationError, RecursionError) as error:
        raise _bad(path, str(error)) from None
    places = [(tile.column, tile.row) for tile in found.tiles]
    if len(set(places)) < len(places) or not all(0 <= at <= _PLACE_MAX for place in places for at in place):
        raise _bad(path, f"tiles need places of their own, columns and rows from 0 to {_PLACE_MAX}")
    return found


def _said(strain: Strain) -> dict[str, Words]:
    return {
        "critical": Words(f"严重告警 {strain.critical} 组", f"{strain.critical} critical groups"),
        "waiting": Words(f"{strain.waiting} 组严重告警无人接手", f"{strain.waiting} critical groups wait"),
        "high": Words(f"高危告警 {strain.high} 组", f"{strain.high} high groups"),
        "overdue": Words(f"整改单逾期 {strain.overdue} 件", f"{strain.overdue} orders overdue"),
        "silent_percent": Words(
            f"传感器失联 {strain.silent_percent}%", f"{strain.silent_percent}% of sensors silent"
        ),
    }


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "wall-rules",
        Words(f"大屏配置不能用:{reason}", f"the rules of the wall display cannot be used: {reason}"),
        Words("请按 docs/reference/wall.md 改正", "correct it, see docs/reference/wall.md"),
        field=str(path),
    )
