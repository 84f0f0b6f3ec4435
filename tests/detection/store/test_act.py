"""What acts make of a group, one table of state and action."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from crypto.words import BadInput
from detection.store.act import SNOOZE_MAX, Act, Decision, Place, Target, checked, decided, note_of, refusal

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
NEW = Decision("new", "", "", "", 0, "")
TAKEN = Decision("acknowledged", "user:li", "", "", 0, "")
CLOSED = Decision("closed", "user:li", "test", "drill", 0, "")
HERE = Place(id="a", unit="u", newest=True, members=0)
LEADER = Place(id="a", unit="u", newest=True, members=2)
CLOSE = Act(action="close", classification="test", reason="drill")


@pytest.mark.parametrize(
    ("act", "before", "after"),
    [
        (Act(action="acknowledge"), NEW, TAKEN),
        (Act(action="acknowledge"), TAKEN, "alert-state"),
        (Act(action="assign", owner="user:wang"), NEW, msgspec.structs.replace(TAKEN, owner="user:wang")),
        (Act(action="assign"), TAKEN, NEW),
        (Act(action="assign", owner="user:wang"), CLOSED, "alert-state"),
        (CLOSE, NEW, CLOSED),
        (CLOSE, CLOSED, "alert-state"),
        (Act(action="reopen"), CLOSED, TAKEN),
        (Act(action="reopen"), NEW, "alert-state"),
        (Act(action="note", reason="seen"), CLOSED, CLOSED),
        (Act(action="snooze"), NEW, msgspec.structs.replace(NEW, snoozed_until=7)),
        (Act(action="split"), NEW, "alert-not-merged"),
        (Act(action="split"), msgspec.structs.replace(NEW, parent="b"), NEW),
        (Act(action="merge", into="b"), NEW, msgspec.structs.replace(NEW, parent="b")),
    ],
)
def test_an_act_decides(act: Act, before: Decision, after: Decision | str) -> None:
    target = Target(id="b", unit="u", parent="", state="new")
    assert decided(act, before, HERE, "user:li", 7, target) == after


def test_a_group_with_a_younger_instance_stays_closed() -> None:
    old = msgspec.structs.replace(HERE, newest=False)
    assert decided(Act(action="reopen"), CLOSED, old, "user:li", 0) == "alert-superseded"


@pytest.mark.parametrize(
    ("target", "place", "code"),
    [
        (None, HERE, "alert-not-found"),
        (Target(id="b", unit="u", parent="c", state="new"), HERE, "alert-merge-target"),
        (Target(id="b", unit="u", parent="", state="closed"), HERE, "alert-merge-target"),
        (Target(id="b", unit="v", parent="", state="new"), HERE, "alert-merge-unit"),
        (Target(id="a", unit="u", parent="", state="new"), HERE, "alert-merged"),
        (
            Target(id="b", unit="u", parent="", state="new"),
            LEADER,
            "alert-merged",
        ),
    ],
)
def test_what_cannot_be_merged_is_refused(target: Target | None, place: Place, code: str) -> None:
    assert decided(Act(action="merge", into="b"), NEW, place, "user:li", 0, target) == code
    assert refusal(code).what.zh


@pytest.mark.parametrize(
    "act",
    [
        Act(action="close", reason="drill"),
        Act(action="close", classification="test", reason=" x "),
        Act(action="note"),
        Act(action="merge"),
        Act(action="snooze"),
        Act(action="snooze", until=NOW),
        Act(action="snooze", until=NOW + SNOOZE_MAX + timedelta(seconds=1)),
        Act(action="note", reason="x" * 2_001),
    ],
)
def test_an_act_that_says_too_little_is_refused(act: Act) -> None:
    with pytest.raises(BadInput):
        checked(act, NOW)


def test_the_history_says_what_was_told() -> None:
    assert note_of(CLOSE) == "test: drill"
    assert note_of(Act(action="assign", owner="user:li", reason="knows it")) == "user:li knows it"
    assert note_of(Act(action="merge", into="b")) == "b"
    assert note_of(Act(action="snooze", until=NOW)) == "2026-11-22T08:00+00:00"
