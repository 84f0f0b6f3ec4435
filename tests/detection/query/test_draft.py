"""Drafts are rules that load, and find what their query finds."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.evaluate import matches
from detection.query.draft import Draft, draft_rule
from detection.query.parse import parse_query
from detection.sigma.load import load_rules
from sensors.event import Event, LogSource, Observation, Value, stamp

HEAD = Draft(
    rule="0d8f7a7e-6f63-4b4e-9d2f-1f2f3a4b5c6d",
    title="可疑的 nc",
    level="medium",
    author="user:zhang",
    day=date(2026, 11, 22),
    query="process.name:nc",
)
SOURCE = LogSource(product="linux", category="process_creation")
BODIES: list[dict[str, Value]] = [
    {"process.name": "nc", "user.name": "root", "source.ip": "10.0.0.8", "n": 5},
    {"process.name": "ncat", "user.name": "zhang", "process.command_line": "ncat -e /bin/sh *"},
    {"process.name": "a*b", "path": "C:\\x\\*", "note": "50%?"},
    {"process.name": None, "user.name": ["root", "adm"], "n": "12"},
    {},
]


def event(number: int, fields: dict[str, Value]) -> Event:
    seen = Observation(time=datetime(2026, 11, 22, tzinfo=UTC), logsource=SOURCE, fields=fields, native={})
    return stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)


@pytest.mark.parametrize(
    "text",
    [
        "process.name:nc",
        "process.name:(nc ncat) and not user.name:root",
        "process.name:nc*",
        'process.name:"a*b"',
        'path:"C:\\\\x\\\\*"',
        "sh or root",
        '"50%?"',
        "source.ip:10.0.0.0/8",
        "n >= 5 and (user.name:root or source.ip:*)",
        "n:[1 TO 9}",
        "process.command_line~'-e .*sh'",
        "_null_:process.name",
        "not (user.name:root or process.name:ncat)",
        "_missing_:user.name",
    ],
)
def test_a_draft_finds_what_its_query_finds(text: str, tmp_path: Path) -> None:
    condition = parse_query(text)
    file = tmp_path / "draft.yml"
    file.write_text(draft_rule(condition, SOURCE, HEAD), encoding="utf-8")
    (rule,), errors = load_rules([file])
    assert (errors, rule.id, rule.title.zh, rule.level) == ([], HEAD.rule, HEAD.title, "medium")
    events = [event(number, body) for number, body in enumerate(BODIES)]
    assert [matches(rule.condition, one) for one in events] == [matches(condition, one) for one in events]


@pytest.mark.parametrize(
    ("text", "source", "code"),
    [
        ("*", SOURCE, "draft-condition"),
        ("a or *", SOURCE, "draft-condition"),
        ("process.name:nc", LogSource(), "draft-source"),
        (" or ".join(f"n{number}:x" for number in range(70)), SOURCE, "draft-condition"),
    ],
)
def test_what_cannot_be_a_rule_is_said(text: str, source: LogSource, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        draft_rule(parse_query(text), source, HEAD)
    assert caught.value.code == code
