"""The place for an approved map of the site: shown only together with its approval number (审图号).

``map/map.geojson`` of the data folder, and ``map/map.toml`` with ``approval = "…"``. Without both the wall
display draws its diagram of tiles. Nothing of it is fetched from a network.
"""

import json
import tomllib
from pathlib import Path
from typing import Final

FILE: Final = "map.geojson"
SAID: Final = "map.toml"
BYTES_MAX: Final = 5 << 20
APPROVAL_CHARS: Final = (4, 64)
_TOML_BYTES_MAX: Final = 4_096


class SiteMap:
    """Read anew each time: somebody may just have put it there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def approval(self) -> str:
        """The approval number; '' where there is no map that may be shown."""
        try:
            size = (self._folder / FILE).stat().st_size
            data = (self._folder / SAID).read_bytes()
            said = tomllib.loads(data.decode()).get("approval") if len(data) <= _TOML_BYTES_MAX else None
        except (OSError, ValueError):
            return ""
        least, most = APPROVAL_CHARS
        fits = isinstance(said, str) and least <= len(said.strip()) <= most and said.isprintable()
        return said.strip() if fits and isinstance(said, str) and 0 < size <= BYTES_MAX else ""

    def geojson(self) -> bytes | None:
        """The map; None where there is none that may be shown, or it is no collection of features."""
        if not self.approval():
            return None
        try:
            data = (self._folder / FILE).read_bytes()[: BYTES_MAX + 1]
            found = json.loads(data)
        except (OSError, ValueError, RecursionError):
            return None
        whole = isinstance(found, dict) and found.get("type") == "FeatureCollection"
        return data if whole and isinstance(found.get("features"), list) else None
