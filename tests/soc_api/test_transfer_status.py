"""How transfers stand, in rows: states, gaps, silence, what is unconfirmed and what is wrong."""

from datetime import timedelta
from pathlib import Path

from transfer_world import NOW, World

from soc_api.transfer_status import status


def test_both_ends_are_seen(tmp_path: Path) -> None:
    world = World(tmp_path, one_way=True, receipts=False)
    first, second = world.exported(), world.exported({"b.txt": b"b"})
    world.request({"c.txt": b"c"})
    (tmp_path / "road" / f"{first}.liuhe").unlink()
    world.there.import_all("city-province", NOW)
    here = status(world.city, NOW)
    assert sorted(row.state for row in here.transfers) == ["requested", "unconfirmed", "unconfirmed"]
    assert [(row.sequence, row.unconfirmed, row.heartbeat_due) for row in here.channels] == [(2, 2, False)]
    there = status(world.province_parts, NOW + timedelta(hours=3))
    (row,) = there.transfers
    assert (row.direction, row.state, row.sequence, row.author, row.approver) == (
        "in",
        "imported",
        2,
        "zhang",
        "li",
    )
    (channel,) = there.channels
    assert [(gap.first, gap.last) for gap in channel.gaps] == [(1, 1)]
    assert (channel.silent, channel.trouble) == (True, None)
    assert second


def test_a_state_from_a_backup_is_told(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.city.ferry.witness("out", "city-province", 7)
    (channel,) = status(world.city, NOW).channels
    assert channel.trouble is not None
    assert channel.trouble.code == "transfer-state-old"


def test_what_is_past_its_time_is_ended(tmp_path: Path) -> None:
    world = World(tmp_path)
    transfer = world.request().request.id
    assert world.service.expire(NOW) == []
    assert world.service.expire(NOW + timedelta(days=8)) == [transfer]
    assert world.state(transfer) == "expired"
    assert not list((tmp_path / "city/transfer/staged").iterdir())


def test_every_act_stands_in_the_audit_log(tmp_path: Path) -> None:
    from soc_api.audit_store import AuditStore

    world = World(tmp_path)
    world.exported()
    world.there.import_all("city-province", NOW)
    world.out.take_receipts("city-province", NOW)
    lines = AuditStore(world.city.store._engine).page().rows
    assert [(line.entry.action, line.entry.actor) for line in reversed(lines)] == [
        ("transfer.request", "user:zhang"),
        ("transfer.approve", "user:li"),
        ("transfer.seal", "user:zhang"),
        ("transfer.export", "user:zhang"),
        ("transfer.receipt", "system:transfer"),
    ]
    there = AuditStore(world.province_parts.store._engine)
    assert [line.entry.action for line in there.page().rows] == ["transfer.import", "transfer.verify"]
    assert there.broken_at() is None
