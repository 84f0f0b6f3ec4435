"""Lines are sorted out only where the events they would become satisfy no rule."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import BadInput, Words
from detection.condition import And, Atom, Condition, Keyword, Not
from detection.offline import events_in
from detection.sigma.detector import SigmaDetector
from detection.sigma.load import load_rules
from detection.sigma.rule import Rule
from detection.sigma.windows_lines import WindowsLines
from sensors.event import LogSource

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
SYSMON = "Microsoft-Windows-Sysmon/Operational"
CREATED = LogSource(product="windows", category="process_creation")
ANY = LogSource(product="windows")


def rule(number: int, condition: Condition, source: LogSource = ANY) -> Rule:
    return Rule(
        id=f"rule-{number}",
        path="r.yml",
        line=1,
        title=Words("规则", "Rule"),
        description=Words("", ""),
        level="high",
        logsource=source,
        condition=condition,
        entity="host",
    )


RULES = [
    rule(1, Atom("Image", "endswith", ("\\cmd.exe",)), CREATED),
    rule(2, And((Atom("EventID", "equals", (1,)), Atom("User", "null"))), CREATED),
    rule(3, Keyword("contains", ("sekurlsa", "windows.sysmon.x", "12345"))),
    rule(4, Atom("event.code", "equals", ("12",))),
    rule(5, Atom("Data", "contains", ("true", "7"))),
    rule(6, Not(Atom("Provider_Name", "exists"))),
    rule(7, Atom("Computer", "equals", ("pc",))),
]
READS_ECS = rule(8, Atom("process.name", "equals", ("cmd.exe",)), CREATED)

VALUES = st.one_of(
    st.sampled_from(["C:\\x\\CMD.exe", "sekurlsa::x", "SEKURLSA", "pc", "", "true", "x" * 20_000, "é"]),
    st.none(),
    st.booleans(),
    st.integers(0, 12345),
    st.sampled_from([7.0, 0.5]),
    st.lists(st.one_of(st.sampled_from(["a", "7"]), st.booleans(), st.none()), max_size=2),
    st.dictionaries(st.sampled_from(["#text", "k"]), st.sampled_from(["v", "sekurlsa"]), max_size=1),
)
RECORDS = st.fixed_dictionaries(
    {
        "Channel": st.sampled_from([SYSMON, "Security", "", "Other"]),
        "EventID": st.sampled_from([1, "1", 12, "012", 4688, True, 1.0, None, "x", -3]),
    },
    optional=dict.fromkeys(
        (
            "Image",
            "User",
            "Data",
            "NewProcessName",
            "EventType",
            "Hostname",
            "Computer",
            "SourceName",
            "Provider_Name",
            "#attributes",
            "logsource",
        ),
        VALUES,
    ),
)


def matched(rules: list[Rule], lines: list[bytes], folder: Path) -> list[bool]:
    """Whether each line, taken the usual way, satisfies a rule or cannot be read."""
    detector = SigmaDetector(rules)
    found = []
    for line in lines:
        path = folder / "line.jsonl"
        path.write_bytes(line + b"\n")
        told: list[BadInput] = []
        events = list(events_in(path, "jsonl", told.append))
        found.append(bool(told) or any(detector.matching(event) for event in events))
    return found


@settings(max_examples=25, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=12))
def test_no_line_that_matters_is_sorted_out(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]
) -> None:
    lines = [msgspec.json.encode(record) for record in records] + [b"{", b"[]", b"\xff", b'{"Channel": 1}']
    folder = tmp_path_factory.mktemp("lines")
    for rules in (RULES, [*RULES, READS_ECS]):
        worth = WindowsLines(rules).worth(lines)
        for index, matters in enumerate(matched(rules, lines, folder)):
            assert worth[index] >= matters, lines[index]


def test_plain_lines_without_a_match_are_sorted_out() -> None:
    plain = {
        "Channel": SYSMON,
        "EventID": 1,
        "Image": "C:\\a.exe",
        "User": "u",
        "SourceName": "s",
        "Hostname": "h",
    }
    lines = [
        msgspec.json.encode(plain | more) for more in ({}, {"Image": "c:\\CMD.exe"}, {"Data": ["x", True]})
    ]
    assert WindowsLines(RULES).worth(lines) == [False, True, True]
    assert WindowsLines([*RULES, READS_ECS]).worth(lines) == [True, True, True]


@pytest.mark.slow
def test_recorded_events_are_sorted_as_they_match(tmp_path: Path) -> None:
    path = DATA / "host" / "otrf" / "events.jsonl.zst"
    if not path.exists():
        pytest.skip("the recorded Windows events are not beside the project")
    rules, _ = load_rules([DATA / "sigma" / "rules" / "windows"])
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        lines = [line for _, line in zip(range(8_000), io.BufferedReader(stream), strict=False)]
    sample = tmp_path / "events.jsonl"
    sample.write_bytes(b"".join(lines))
    events = list(events_in(sample, "jsonl", lambda error: pytest.fail(str(error))))
    matters = [bool(found) for found in SigmaDetector(rules).matching_each(events)]
    worth = WindowsLines(rules).worth(lines)
    assert sum(matters) > 10
    assert sum(worth) < len(lines) / 20
    assert all(one or not two for one, two in zip(worth, matters, strict=True))
