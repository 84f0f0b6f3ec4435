"""Joining lines: keys by field and by mark, ends by line, gap, length and bound, hostile clocks."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from detection.special.log_sessions import LogSessions, Session, SessionSource
from sensors.event import Event

Make = Callable[..., Event]
SOURCES = (
    SessionSource(
        name="sshd", programs=frozenset({"sshd"}), keys=("process.pid", "user.name"), gap_seconds=60.0
    ),
    SessionSource(name="blocks", after="blk_", ends=("removed",), gap_seconds=60.0),
)


def line(
    make: Make, seconds: float, message: str, program: str = "sshd", pid: int = 0, user: str = ""
) -> Event:
    fields: dict[str, object] = {"message": message, "process.name": program, "host.name": "web-01"}
    fields |= {"process.pid": pid or None, "user.name": user}
    return make(seconds, "auth.log", fields, product="linux")


def run(sessions: LogSessions, events: list[Event]) -> list[Session]:
    done: list[Session] = []
    for event in events:
        done += sessions.ended(event)
        found = sessions.line_of(event)
        if found is not None:
            done += sessions.add(event, found, found.message.split()[0])
    return done


def opened(**bounds: int) -> LogSessions:
    return LogSessions(SOURCES, **{"sessions_max": 10, "lines_max": 5} | bounds, kept=None)


def test_lines_of_a_process_are_a_session_until_nothing_follows(make: Make) -> None:
    events = [line(make, n, f"{word} x", pid=7) for n, word in enumerate(("open", "close"))]
    events.append(line(make, 2, "other x", "sshd(pam_unix)", pid=8))
    done = run(opened(), [*events, make(61, "liuhe.heartbeat", {}), make(70, "liuhe.heartbeat", {})])
    assert [(one.steps, one.begun % 60, one.last % 60) for one in done] == [
        (["open", "close"], 0.0, 1.0),
        (["other"], 2.0, 2.0),
    ]
    assert (done[0].first.id, done[0].final.id) == (events[0].id, events[1].id)


def test_the_same_key_after_a_gap_is_another_session(make: Make) -> None:
    quick = make(0, "liuhe.heartbeat", {}, sensor="other")
    events = [line(make, n, "word", user="li") for n in (0, 10, 100)]
    assert [len(one.steps) for one in run(opened(), [quick, *events])] == [2]


def test_ids_in_the_line_join_lines_of_any_program(make: Make) -> None:
    events = [
        line(make, 0, "writing blk_-12: ok", "datanode"),
        line(make, 1, "reading blk_13", "datanode"),
        line(make, 2, "removed blk_-12.", "namenode"),
        line(make, 3, "no id blk_ here", "namenode"),
        line(make, 4, "no mark", "namenode"),
        line(make, 5, "", "sshd"),
    ]
    assert [one.steps for one in run(opened(), events)] == [["writing", "removed"]]


def test_long_and_many_sessions_are_cut(make: Make) -> None:
    long = [line(make, 0, "word", pid=7) for _ in range(11)]
    assert [len(one.steps) for one in run(opened(), long)] == [5, 5]
    many = [line(make, n / 100, "word", pid=n + 1) for n in range(14)]
    assert len(run(opened(), many)) == 4


def test_a_clock_far_ahead_of_receipt_ends_nothing(make: Make) -> None:
    event = line(make, 0, "word", pid=7)
    ahead = make(9_000, "liuhe.heartbeat", {})
    late = msgspec.structs.replace(ahead, ingested=ahead.time - timedelta(hours=2))
    assert run(opened(), [event, late]) == []
    assert len(run(opened(), [event, msgspec.structs.replace(ahead, ingested=ahead.time)])) == 1


@pytest.mark.parametrize("cut", range(7))
def test_handing_on_open_sessions_changes_nothing(make: Make, cut: int) -> None:
    events = [line(make, n * 25, f"w{n}", pid=n % 2 + 1) for n in range(6)]
    events.append(make(400, "liuhe.heartbeat", {}))
    first = opened()
    done = run(first, events[:cut])
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()), type=type(first.state()))
    second = LogSessions(SOURCES, sessions_max=10, lines_max=5, kept=kept)
    assert done + run(second, events[cut:]) == run(opened(), events)
