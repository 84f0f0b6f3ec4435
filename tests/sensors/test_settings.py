"""sensor.toml comes back as written; what is wrong in it is named."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput, LiuheError
from sensors.settings import Settings, SpoolSettings, load_settings, parse_settings, render_settings

GOOD = Settings(id="web01", unit='市"局"\\', kind="network", center=["10.0.0.1:8610", "[2001:db8::1]:8610"])


def test_settings_come_back(tmp_path: Path) -> None:
    changed = Settings(
        id="web01", unit="u\x7f", kind="host", center=["a:1"], spool=SpoolSettings(bulk_bytes_max=1 << 30)
    )
    for one in (GOOD, changed):
        assert parse_settings(render_settings(one).encode(), "x") == one
    with pytest.raises(LiuheError, match="sensor-absent"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "id = 3",
        'id = "UP"\nunit = "u"\nkind = "host"\ncenter = ["a:1"]',
        'id = "a"\nunit = "u"\nkind = "host"\ncenter = []',
        'id = "a"\nunit = "u"\nkind = "host"\ncenter = ["nowhere"]',
        'id = "a"\nunit = "u"\nkind = "host"\ncenter = ["a:1"]\nnew = 1',
        'id = "a"\nunit = "u"\nkind = "host"\ncenter = ["a:1"]\n[spool]\nbulk_bytes_max = 1',
        "x" * 300_000,
    ],
)
def test_bad_settings_are_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        parse_settings(text.encode(), "sensor.toml")


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=200))
def test_any_bytes_raise_only_bad_input(raw: bytes) -> None:
    with pytest.raises(BadInput):
        parse_settings(raw, "sensor.toml")
