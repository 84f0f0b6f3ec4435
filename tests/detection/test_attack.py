"""The names of ATT&CK cover what rules and built-in detections name."""

from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.attack import built_in, read_techniques, techniques
from detection.sigma.load import load_all
from detection.sigma.tactics import TACTICS
from rules import ROOT


def test_every_technique_of_our_rules_has_a_name() -> None:
    known = techniques()
    loaded = load_all([ROOT / "sigma", ROOT / "correlation"])
    named = {one for rule in (*loaded.rules, *loaded.correlations) for one in rule.attack}
    named |= {one for detection in built_in() for one in detection.attack}
    missing = {one for one in named if one not in known and one.partition(".")[0] not in known}
    assert missing <= {"T0816", "T1562.001", "T1562"}  # of another matrix, or of versions before


def test_every_name_stands_under_a_tactic_and_its_parent() -> None:
    known = techniques()
    for one in known.values():
        assert set(one.tactics) <= TACTICS.keys()
        assert one.parent in known
        assert one.name.zh
        assert one.name.en


def test_built_in_detections_are_read_from_their_parameters() -> None:
    found = {one.rule: one for one in built_in()}
    assert found["special.port-scan"].attack == ("T1046",)
    assert found["special.port-scan"].kind == "special"
    assert {one.kind for one in found.values()} == {"special", "anomaly"}


@pytest.mark.parametrize(
    "line", ["T1\tnowhere\ta\tb", "T1\texecution\ta", "T1\texecution\ta\tb\nT1\timpact\ta\tb"]
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "names.tsv"
    file.write_text(f"# head\n{line}\n", "utf-8")
    with pytest.raises(BadInput) as caught:
        read_techniques(file)
    assert caught.value.code == "attack-names"
