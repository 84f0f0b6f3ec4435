"""Recorded Windows events and the public Windows rules: the index answers as the plain reading does."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from detection.condition import Condition
from detection.offline import events_in
from detection.sigma.detector import SigmaDetector
from detection.sigma.load import load_rules
from detection.sigma.rule import Rule, routes
from sensors.event import LogSource

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
RECORDED = DATA / "host" / "otrf" / "events.jsonl.zst"
EVENTS = 1_200
EVERY = 83  # so that all recordings have a share


@pytest.mark.slow
@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded Windows events are not beside the project")
def test_recorded_events_are_answered_as_by_the_plain_reading(
    holds: Callable[[Condition, Any], bool], tmp_path: Path
) -> None:
    folders = [DATA / "sigma" / name for name in ("rules/windows", "rules-emerging-threats")]
    rules = load_rules(folders)[0]
    sample = tmp_path / "events.jsonl"
    with RECORDED.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        lines = (line for number, line in enumerate(io.BufferedReader(stream)) if number % EVERY == 0)
        sample.write_bytes(b"".join(line for _, line in zip(range(EVENTS), lines, strict=False)))
    events = list(events_in(sample, "jsonl", lambda error: pytest.fail(str(error))))
    asked: dict[LogSource, list[Rule]] = {}
    hits = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Python's own regexes are not sure of some sets
        for event, found in zip(events, SigmaDetector(rules).matching_each(events), strict=True):
            if event.logsource not in asked:
                asked[event.logsource] = [r for r in rules if routes(r.logsource, event.logsource)]
            wanted = [rule.id for rule in asked[event.logsource] if holds(rule.condition, event)]
            assert [rule.id for rule in found] == wanted
            hits += len(wanted)
    assert hits
