"""The desk's decisions are fed to the ledger."""

from typing import Any

from soc_api.exception_desk import SPANS_MAX, Asked


def test_decisions_are_fed_to_the_ledger_once(world: Any) -> None:
    desk = world.center.exceptions
    asked = Asked(
        kind="exception",
        title="巡检脚本",
        rules=("r1",),
        unit="320000-local",
        units=("320000-local",),
        condition="process.name:nc",
        reason="每日巡检",
        owner="zhang",
        begins=None,
        expires=world.now + SPANS_MAX["exception"],
    )
    kept = desk.ask(asked, "user:zhang", world.now)
    [(number, leaf)] = desk.feed(0)
    assert (number, leaf.kind, leaf.subject) == (1, "exception", f"exception:{kept.id}/1")
    assert "巡检脚本".encode() in leaf.payload
    assert desk.feed(1) == []
