"""Mapping tables of ``rules/mappings``: data that operators extend, read once with tomllib."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def table(name: str) -> dict[str, Any]:
    """The table ``rules/mappings/<name>.toml``; it ships with the product, so a fault in it is ours."""
    return tomllib.loads((files("rules") / "mappings" / f"{name}.toml").read_text("utf-8"))
