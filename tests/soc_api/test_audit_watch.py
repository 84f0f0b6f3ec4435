"""Tests of soc_api.audit_watch: attempts and refusals become lines and alerts; nothing is lost."""

import sqlite3
from typing import Any

import pytest

from crypto.words import LiuheError, Words
from soc_api.audit import entry
from soc_api.audit_watch import AuditWatch


@pytest.fixture(name="heard")
def _heard() -> list[Words]:
    return []


@pytest.fixture(name="watch")
def _watch(world: Any, heard: list[Words]) -> AuditWatch:
    return AuditWatch(world.audit, world.alerts, "320000-local", heard.append)


def line(world: Any) -> Any:
    return world.audit.record(
        entry(time=world.now, actor="user:a", source="local", action="test.do", about="x")
    )


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("UPDATE audit_log SET object = 'y'", "UPDATE"),
        ("DELETE FROM audit_log", "DELETE"),
        ("INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log", "REPLACE"),
    ],
)
def test_an_attempt_with_another_program_is_refused_and_told(
    world: Any, watch: AuditWatch, statement: str, verb: str
) -> None:
    line(world)
    outside = sqlite3.connect(world.folder / "state.sqlite", isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        outside.execute(statement)
    outside.close()
    watch.beat(world.now)
    told = world.audited()[-1]
    assert told == ("system:center", "audit.tamper", f"{verb} audit_log 1", "refused: append-only")
    (group,) = world.alerts.page(state="open").rows
    assert (group.rule, group.severity) == ("audit-tampered", "critical")
    watch.beat(world.now)
    assert world.audited()[-1] == told
    assert world.audit.attempts() == []
    assert world.audit.broken_at() is None


def test_refused_acts_are_told_once_lines_can_be_written(
    world: Any, watch: AuditWatch, heard: list[Words], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_said: Any) -> None:
        raise LiuheError("audit-unwritable", Words("写不进", "unwritable"), Words("清理", "make room"))

    client = world.signed_in("shift_lead")
    with monkeypatch.context() as broken:
        broken.setattr(world.audit, "record", full)
        answer = client("POST", "/checks/evaluate")
        assert (answer.status_code, answer.json()["code"]) == (503, "audit-unwritable")
        assert world.compliance.evaluated == 0
        assert client("GET", "/health").status_code == 503
        watch.beat(world.now)
        assert [words.en for words in heard] == ["unwritable"]
    watch.beat(world.now)
    assert world.audited()[-1][1] == "audit.unwritable"
    assert world.audited()[-1][2].startswith("1 refused ")
    assert [group.rule for group in world.alerts.page(state="open").rows] == ["audit-unwritable"]
    assert client("GET", "/health").status_code == 200
