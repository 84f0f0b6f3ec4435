"""Mapping tables of ``rules/mappings``: data that operators extend, read once with tomllib.

A center may send a sensor tables of its own (``sensors.configuration``); they take the shipped ones' place.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import rules

_SHIPPED: Final = Path(rules.__file__).parent / "mappings"
_given: list[Path] = []


def take_from(folder: Path | None) -> None:
    """Prefer the tables in ``folder``, which holds only what a center signed; said before any is read."""
    _given[:] = [] if folder is None else [folder]
    table.cache_clear()


@cache
def table(name: str) -> dict[str, Any]:
    """The table ``<name>.toml``: the center's, else the shipped one, where a fault would be ours."""
    for folder in _given:
        path = folder / f"{name}.toml"
        if path.is_file():
            return tomllib.loads(path.read_text("utf-8"))
    return shipped(name)


def shipped(name: str) -> dict[str, Any]:
    """The table that comes with the product. Raises FileNotFoundError where there is none of that name."""
    return tomllib.loads((_SHIPPED / f"{name}.toml").read_text("utf-8"))
