"""``liuhe hunt``: a query or a rule over the stored events of a center, beside its running processes."""

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import BadInput, Words
from detection.query.parse import parse_query
from detection.store.bare_state import bare_state
from detection.store.event_store import EventStore
from detection.store.retro import asked_rules, retrospect, unknown_goes_to_all
from detection.store.state import Engine, has_state, state_of
from sensors.event import encode

_AGE: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_encode_alert: Final = msgspec.json.Encoder().encode
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def hunt(arguments: argparse.Namespace, now: datetime) -> int:
    """Print matching events, or alerts of ``--rule``, as NDJSON, newest first; the rest goes to stderr."""
    if bool(arguments.query) is bool(arguments.rule):
        raise _one_of_two()
    since = None if not arguments.since else parse_since(arguments.since, now)
    until = None if not arguments.until else parse_since(arguments.until, now, field="--until")
    condition = parse_query(arguments.query) if arguments.query else None
    data = Path(arguments.data)
    bare: list[Words] = []
    with _state(data, bare) as engine:
        asked = None if condition is not None else asked_rules(arguments.rule, data)
        store = EventStore(data, engine)
        if condition is not None:
            found = store.search(condition, since=since, until=until, limit=arguments.limit)
            lines, findings = list(map(encode, found.events)), found.findings
            more = len(lines) >= arguments.limit
        else:
            assert asked is not None
            past = retrospect(
                store,
                asked,
                since=since,
                until=until,
                limit=arguments.limit,
                unknown_to_all=unknown_goes_to_all(data),
            )
            lines, findings = list(map(_encode_alert, past.alerts)), past.findings
            more = past.more
        store.close()
    findings = (*bare, *findings)
    out = sys.stdout.buffer
    for line in lines:
        out.write(line + b"\n")
    out.flush()
    for finding in findings:
        print(finding, file=sys.stderr)
    print(_summary(len(lines), more=more, alerts=condition is None), file=sys.stderr)
    return 3 if findings else 0


def parse_since(text: str, now: datetime, *, field: str = "--since") -> datetime:
    """``90m``, ``24h``, ``7d`` before ``now``, or an RFC 3339 time. Raises BadInput (hunt-since)."""
    if age := _AGE.fullmatch(text):
        seconds = int(age[1]) * _SECONDS[age[2]]
        return now - timedelta(seconds=min(seconds, 36_500 * 86_400))
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise BadInput(
            "hunt-since",
            Words(f"时间写法无法识别:{text[:80]}", f"not a time: {text[:80]}"),
            Words(
                "请写成 90m、24h、7d 或 2026-11-22T08:00:00+08:00",
                "write 90m, 24h, 7d or 2026-11-22T08:00:00+08:00",
            ),
            field=field,
        )
    return time


def _summary(count: int, *, more: bool, alerts: bool) -> Words:
    zh, en = ("条告警", "alerts") if alerts else ("条", "events")
    if more:
        return Words(
            f"共 {count} {zh}(达到 --limit,可能还有更早的)",
            f"{count} {en} (--limit reached, older ones may exist)",
        )
    return Words(f"共 {count} {zh}", f"{count} {en}")


def _one_of_two() -> BadInput:
    return BadInput(
        "hunt-nothing",
        Words("查询语句与 --rule 应给且只给一个", "either a query or --rule is wanted, and not both"),
        Words(
            "例如 liuhe hunt 'user.name:root' 或 liuhe hunt --rule rule.yml",
            "for example: liuhe hunt 'user.name:root', or liuhe hunt --rule rule.yml",
        ),
        field="QUERY",
    )


@contextmanager
def _state(data: Path, unreadable: list[Words]) -> Iterator[Engine]:
    """The center's state, or where there is none, one made of what its event files say."""
    if not has_state(data):
        with bare_state(data, unreadable) as engine:
            yield engine
        return
    engine = state_of(data)
    try:
        yield engine
    finally:
        engine.dispose()
