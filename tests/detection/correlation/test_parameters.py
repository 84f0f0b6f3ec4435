"""The shipped parameters are usable, and their mistakes are told."""

from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.correlation.parameters import correlation_parameters
from detection.parameters import shipped


def test_the_shipped_parameters() -> None:
    parameters = correlation_parameters()
    assert parameters.lateness_seconds > parameters.future_seconds
    assert parameters.keys_max >= 1_000_000
    assert parameters.bytes_max <= 300_000_000


def test_an_unknown_key_is_told(tmp_path: Path) -> None:
    path = tmp_path / "correlation.toml"
    path.write_text(
        "latenes = 1\n" + shipped("correlation.toml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    with pytest.raises(BadInput, match="latenes"):
        correlation_parameters(path)
