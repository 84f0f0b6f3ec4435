"""The tiles stand apart, the colours follow the numbers, a wrong file is named."""

from pathlib import Path

import pytest

from crypto.words import BadInput
from soc_api.wall_rules import SHIPPED, Strain, read_wall, shipped_wall


def test_thirteen_cities_have_places_of_their_own() -> None:
    tiles = shipped_wall().tiles
    assert sorted(tile.code for tile in tiles) == [f"32{n:02}" for n in range(1, 14)]


@pytest.mark.parametrize(
    ("strain", "colour"),
    [
        (Strain(), "none"),
        (Strain(high=1), "blue"),
        (Strain(critical=1), "yellow"),
        (Strain(critical=1, waiting=1), "orange"),
        (Strain(silent_percent=50), "red"),
        (Strain(overdue=5, high=100), "orange"),
    ],
)
def test_the_first_colour_whose_limit_is_reached_holds(strain: Strain, colour: str) -> None:
    found, why = shipped_wall().colour(strain)
    assert found == colour
    assert bool(why) is (colour != "none")


@pytest.mark.parametrize(
    "change", [("row = 0", "row = 99"), ("tiles", "tilez"), ("critical = 10", "critical = []")]
)
def test_a_wrong_file_is_named(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "wall.toml"
    path.write_text(SHIPPED.read_text("utf-8").replace(*change), "utf-8")
    with pytest.raises(BadInput, match=r"wall-rules.*wall\.toml"):
        read_wall(path)
