"""``liuhe hunt``: a query over the stored events of a center, beside its running processes."""

import argparse
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from crypto.words import BadInput, LiuheError, Words
from detection.store.event_store import EventStore
from detection.query.parse import parse_query
from detection.store.state import state_of
from sensors.event import encode

_AGE: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def hunt(arguments: argparse.Namespace, now: datetime) -> int:
    """Print matching events as NDJSON, newest first; how many, and what could not be read, on stderr."""
    condition = parse_query(arguments.query)
    since = None if not arguments.since else parse_since(arguments.since, now)
    data = Path(arguments.data)
    if not (data / "state.sqlite").is_file():
        raise _no_center(data)
    engine = state_of(data)
    try:
        store = EventStore(data, engine)
        found = store.search(condition, since=since, limit=arguments.limit)
        store.close()
    finally:
        engine.dispose()
    out = sys.stdout.buffer
    for event in found.events:
        out.write(encode(event) + b"\n")
    out.flush()
    for finding in found.findings:
        print(finding, file=sys.stderr)
    more = len(found.events) >= arguments.limit
    print(_summary(len(found.events), more=more), file=sys.stderr)
    return 3 if found.findings else 0


def parse_since(text: str, now: datetime) -> datetime:
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
            field="--since",
        )
    return time


def _summary(count: int, *, more: bool) -> Words:
    if more:
        return Words(
            f"共 {count} 条(达到 --limit,可能还有更早的)",
            f"{count} events (--limit reached, older ones may exist)",
        )
    return Words(f"共 {count} 条", f"{count} events")


def _no_center(data: Path) -> LiuheError:
    return LiuheError(
        "center-absent",
        Words("此目录中没有监管中心", "there is no center in this folder"),
        Words("请用 --data 指定中心的数据目录", "name the center's data folder with --data"),
        field=str(data),
    )
