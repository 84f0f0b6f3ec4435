"""Revocation lists beside packages: what is known is not told, links and other names are left alone."""

from pathlib import Path

from transfer_world import NOW, CertifiedWorld, World

from soc_api.audit_store import AuditStore
from soc_api.transfer_lists import hand_over_lists, take_lists


def test_lists_go_by_name_of_their_content_and_are_taken_once(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.lists(NOW, "city")
    (here,) = world.city.channels.all
    (there,) = world.province_parts.channels.all
    road = tmp_path / "road"
    hand_over_lists(world.city.channels, here, road)
    hand_over_lists(world.city.channels, here, road)
    names = sorted(path.name for path in road.iterdir())
    assert len(names) == 3
    (road / f"{'f' * 32}.crl").symlink_to(road / names[0])
    found = take_lists(world.province_parts, there, road, NOW)
    assert sorted(found) == [(name, "taken") for name in names]
    assert take_lists(world.province_parts, there, road, NOW) == []
    assert [path.name for path in road.iterdir()] == [f"{'f' * 32}.crl"]
    lines = AuditStore(world.province_parts.store._engine).page().rows
    assert [(line.entry.action, line.entry.result) for line in lines] == [("transfer.crl", "ok")] * 3


def test_a_channel_of_keys_alone_has_no_lists(tmp_path: Path) -> None:
    world = World(tmp_path)
    (channel,) = world.city.channels.all
    hand_over_lists(world.city.channels, channel, tmp_path / "road")
    assert not (tmp_path / "road").exists()
    assert take_lists(world.city, channel, tmp_path, NOW) == []
