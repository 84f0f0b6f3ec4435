"""center.toml: round trip, defaults, and errors that name the key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.words import BadInput, LiuheError
from soc_api.settings import Identity, Settings, Storage, load_settings, parse_settings, render_settings

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)


@given(name=names, unit=names, days=st.integers(190, 36500))
def test_what_is_written_is_read_back(name: str, unit: str, days: int) -> None:
    settings = Settings(center=Identity(name=name, unit=unit), storage=Storage(retention_days=days))
    assert parse_settings(render_settings(settings).encode(), "center.toml") == settings


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[console]\nport = 0", "console.port"),
        ("[console]\nprot = 8600", "prot"),
        ("[center]\ntier = 'county'", "center.tier"),
        ("[storage]\nretention_days = 30", "retention_days"),
        ("[console]\nhost = '0.0.0.0'", "console.certificate"),
        ("roles = []", "roles"),
        ("[cryptography]\nbackend = 'OpenSSL'", "cryptography.backend"),
        ("[center\nx=1", "line 1"),
        ("x = '\xff'", "x"),
    ],
)
def test_a_wrong_key_is_named(text: str, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_settings(text.encode(), "center.toml")
    assert says in str(caught.value)
    assert "center.toml" in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_give_settings_or_bad_input(raw: bytes) -> None:
    try:
        parse_settings(raw, "center.toml")
    except BadInput:
        pass


def test_no_center_says_what_to_run(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(LiuheError, match="center-absent"):
        load_settings(tmp_path)
