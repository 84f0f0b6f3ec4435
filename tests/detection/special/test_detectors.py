"""The shipped special detectors are all there, and a wrong parameter file names its key."""

from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.parameters import shipped
from detection.special.detectors import special_detectors


def test_all_special_detectors_start_with_the_shipped_parameters() -> None:
    names = [detector.name for detector in special_detectors()]
    assert names[:4] == ["scan", "brute_force", "slow_scan", "beacon"]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("failed_targets = 30 ", "failed_targets = 'x' ", "failed_targets"),
        ("failed_share = 0.6", "failed_sher = 0.6", "failed_sher"),
        ("[scan]", "[scan", ""),
        ("{targets} 个目标", "{targets 个目标", "reason"),
    ],
)
def test_a_wrong_parameter_file_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = shipped("special.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "special.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        special_detectors(path)
    assert str(path) in caught.value.field
    assert named in caught.value.what.en


def test_a_missing_parameter_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="parameters-malformed"):
        special_detectors(tmp_path / "none.toml")
