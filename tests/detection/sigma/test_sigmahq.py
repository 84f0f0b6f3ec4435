"""The public SigmaHQ rules: all load or say why, the recorded cases match, routing loses nothing."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from crypto.words import BadInput
from detection.evaluate import matches
from detection.offline import events_in
from detection.sigma.detector import SigmaDetector
from detection.sigma.load import load_rules
from detection.sigma.rule import Rule, routes
from sensors.event import Event

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SIGMA = DATA / "sigma"
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance")
PLACEHOLDERS = 25  # rules that need a list only the operator has
EVENTS = 1_500
# the recording names its fields "Threat Name", the rule "ThreatName": a mapping the sensor does not have yet
UNMAPPED = frozenset({"a7c3e5f2-8b1d-4e9a-b6c2-3d7f5e8a9b4c"})

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SIGMA.exists(), reason="the SigmaHQ rules are not beside the project"),
]


@pytest.fixture(scope="module")
def loaded() -> tuple[list[Rule], list[str]]:
    rules, errors = load_rules([SIGMA / folder for folder in FOLDERS])
    return rules, [error.code for error in errors]


def test_every_rule_loads_or_says_why(loaded: tuple[list[Rule], list[str]]) -> None:
    rules, errors = loaded
    files = sum(1 for folder in FOLDERS for _ in (SIGMA / folder).rglob("*.yml"))
    assert len(rules) + len(errors) == files
    assert errors == ["rule-placeholder"] * PLACEHOLDERS


def test_every_recorded_case_is_matched_by_its_rule(loaded: tuple[list[Rule], list[str]]) -> None:
    by_id = {rule.id: rule for rule in loaded[0]}
    failed: list[str] = []
    count = 0
    with (SIGMA / "regression_index.csv").open(encoding="utf-8") as file:
        for case in csv.DictReader(file):
            path = SIGMA / case["path"]
            if case["type"] != "evtx" or not path.exists():
                continue
            count += 1
            detector = SigmaDetector([by_id[case["rule_id"]]])
            hits = sum(bool(detector.matching(event)) for event in events_in(path, "evtx", _refuse))
            if hits < int(case["match_count"] or 1) and case["rule_id"] not in UNMAPPED:
                failed.append(f"{case['title']}: {hits}")
    assert count > 100
    assert failed == []


def test_routing_and_shared_facts_lose_nothing(loaded: tuple[list[Rule], list[str]], tmp_path: Path) -> None:
    windows = [rule for rule in loaded[0] if rule.logsource.product == "windows"]
    detector = SigmaDetector(windows)
    hits = 0
    for event in _otrf(tmp_path):
        brute = [
            r.id for r in windows if routes(r.logsource, event.logsource) and matches(r.condition, event)
        ]
        assert [rule.id for rule in detector.matching(event)] == brute
        hits += len(brute)
    assert hits > 0


def _otrf(folder: Path) -> Iterator[Event]:
    path = DATA / "host" / "otrf" / "events.jsonl.zst"
    if not path.exists():
        pytest.skip("the recorded Windows events are not beside the project")
    lines: list[str] = []
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="utf-8")):
            if number % 7 == 0:
                lines.append(line)
            if len(lines) == EVENTS:
                break
    sample = folder / "events.jsonl"
    sample.write_text("".join(lines), encoding="utf-8")
    yield from events_in(sample, "jsonl", _refuse)


def _refuse(error: BadInput) -> None:
    raise error
