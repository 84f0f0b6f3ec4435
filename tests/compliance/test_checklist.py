"""The checklist as data: 74 checks, catalogue clauses, errors that name the place."""

from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from compliance.attestation_form import parse_duration
from compliance.checklist import LAYERS, load_checklist
from crypto.words import BadInput
from rules import ROOT

CHECK = """
- id: X-01
  title: {zh: 甲, en: a}
  layer: platform
  severity: high
  method: probe
  freshness: P1D
  clauses: ["8.1.4.1.a"]
  looks_at: x
  evidence_form: y
  enforce: []
"""


def test_the_shipped_checklist_is_whole() -> None:
    checks = load_checklist(ROOT / "checklist")
    assert len(checks) == 74
    assert {check.layer for check in checks} == set(LAYERS)
    assert sum(bool(check.tests) for check in checks) >= 12, "at least 12 checks are live"


def test_checks_agree_with_the_catalogue() -> None:
    catalogue = yaml.safe_load((ROOT / "grading" / "catalogue.yaml").read_text(encoding="utf-8"))
    listed = {check["id"]: check for check in catalogue["six_layer_checklist"]}
    for check in load_checklist(ROOT / "checklist"):
        assert check.title.zh == listed[check.id]["title"]
        assert [f"L3-{clause}" if clause[0] == "8" else clause for clause in check.clauses] == listed[
            check.id
        ]["evidences"]
        assert check.severity == listed[check.id]["severity"]


def test_every_level_three_item_is_evidenced() -> None:
    catalogue = yaml.safe_load((ROOT / "grading" / "catalogue.yaml").read_text(encoding="utf-8"))
    general = {
        item["id"][3:] for item in catalogue["catalog"] if item["level"] == 3 and item["ext"] == "general"
    }
    assert len(general) == 211
    evidenced = {clause for check in load_checklist(ROOT / "checklist") for clause in check.clauses}
    assert general <= evidenced


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("severity: high", "severity: huge"), "X-01"),
        (("freshness: P1D", "freshness: tomorrow"), "tomorrow"),
        (("looks_at: x", "look_at: x"), "look_at"),
        (("- id: X-01", "id: X-01"), "list"),
        (
            ("enforce: []", "enforce: []\n  live: [{fact: f, satisfied: {s: {a|nope: 1}, condition: s}}]"),
            "live.f",
        ),
        (("enforce: []", "enforce: ["), "yaml"),
        (("enforce: []", "enforce: []\n  enforce: [a]"), "twice"),
        (("enforce: []", "enforce: " + "[" * 2_000), "deep"),
        (("enforce: []", "enforce: &a []\n  live: *a"), "alias"),
        (("enforce: []", "enforce: []\n---\n[]"), "list"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    (tmp_path / "9-x.yaml").write_text(CHECK.replace(*change), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_checklist(tmp_path)
    assert says in str(caught.value)
    assert "9-x.yaml" in str(caught.value)


def test_a_check_that_stands_twice(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(CHECK + CHECK, encoding="utf-8")
    with pytest.raises(BadInput, match="twice"):
        load_checklist(tmp_path)


def test_durations() -> None:
    assert parse_duration("P1Y2M3DT4H5M") == timedelta(days=365 + 60 + 3, hours=4, minutes=5)
    for wrong in ("P", "1D", "P1W", "PT", "P-1D", "P1D "):
        with pytest.raises(ValueError, match="duration"):
            parse_duration(wrong)
