"""Tests of soc_api.audit_ledger: a log rewritten with a chain that holds is not the one in the ledger."""

from typing import Any

from sqlalchemy import text

from detection.store.state import writing
from soc_api.api_process import audit_feed
from soc_api.audit import GENESIS, chained, entry
from soc_api.audit_ledger import check_audit


def fed(world: Any, after: int = 0) -> None:
    world.ledger.append([leaf for _, leaf in audit_feed(world.audit)(after)], world.now)
    world.ledger.checkpoint(world.now)


def written(world: Any, count: int) -> None:
    for number in range(count):
        world.audit.record(
            entry(time=world.now, actor="user:a", source="local", action="test.do", about=str(number))
        )


def rewritten(world: Any) -> None:
    """The whole log anew with another object in line 2, by the owner of the database."""
    lines = world.audit.since(0)
    digest = GENESIS
    with writing(world.engine) as connection:
        for verb in ("update", "delete", "replace"):
            connection.execute(text(f"DROP TRIGGER audit_log_no_{verb}"))
        for line in lines:
            about = "forged" if line.sequence == 2 else line.entry.object
            said = entry(time=line.entry.time, actor="user:a", source="local", action="test.do", about=about)
            digest = chained(digest, line.sequence, said)
            connection.execute(
                text("UPDATE audit_log SET object = :about, digest = :digest WHERE sequence = :at"),
                {"about": about, "digest": digest, "at": line.sequence},
            )
        connection.execute(text("UPDATE audit_head SET digest = :digest"), {"digest": digest})


def test_a_log_that_grew_checks_out(world: Any) -> None:
    written(world, 3)
    fed(world)
    written(world, 1)
    checked = check_audit(world.audit, world.ledger)
    assert (checked.ok, checked.lines, checked.leaves) == (True, 4, 3)
    assert checked.head == world.audit.since(3)[0].digest


def test_a_log_rewritten_from_end_to_end_shows(world: Any) -> None:
    written(world, 3)
    fed(world)
    rewritten(world)
    assert world.audit.broken_at() is None  # the chain alone does not tell
    checked = check_audit(world.audit, world.ledger)
    assert not checked.ok
    assert "line 2" in checked.findings[0].en
    fed(world)  # nor does putting the new lines into the ledger as well help
    assert any("two versions" in one.en for one in check_audit(world.audit, world.ledger).findings)


def test_lines_cut_off_show(world: Any) -> None:
    written(world, 3)
    fed(world)
    with writing(world.engine) as connection:
        connection.execute(text("DROP TRIGGER audit_log_no_delete"))
        connection.execute(text("DELETE FROM audit_log WHERE sequence = 3"))
        connection.execute(text("UPDATE audit_head SET sequence = 2"))
    assert [one.en for one in check_audit(world.audit, world.ledger).findings] == [
        "line 3, which the ledger holds, is no longer in the audit log"
    ]
