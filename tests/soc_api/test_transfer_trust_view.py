"""What a channel trusts is told with its ends, and what is wrong with it."""

from datetime import timedelta
from pathlib import Path

from transfer_world import NOW, CertifiedWorld, World

from crypto.key_files import KeyFolder
from soc_api.transfer_status import status
from soc_api.transfer_trust_view import TrustView, trust_view


def view(world: World, after: timedelta = timedelta()) -> TrustView:
    (channel,) = status(world.city, NOW + after).channels
    assert channel.trust is not None
    return channel.trust


def test_pinned_keys_are_counted(tmp_path: Path) -> None:
    found = view(World(tmp_path))
    assert (found.mode, found.keys, found.items, found.trouble) == ("keys", 4, (), None)


def test_every_certificate_and_list_is_told_with_its_end(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    keys = KeyFolder(tmp_path / "city/transfer/keys")
    record = keys.new("center-sign", "sign", None, NOW)
    leaf = world.certificate("center-sign", keys.signing_key("center-sign", None), "city-1")
    keys.keep_chain((leaf, world.tops["city"]))
    found = view(world)
    assert found.mode == "certificates"
    assert "person:li@city" in found.names
    assert sorted({one.kind for one in found.items}) == ["crl", "issuer", "own", "recipient", "root"]
    assert {one.state for one in found.items} == {"good"}
    assert [one.name for one in found.items if one.kind == "own"] == ["center-sign center:city-1@city"]
    assert found.trouble is None
    later = view(world, timedelta(days=6))
    assert {one.state for one in later.items if one.kind == "crl"} == {"soon"}
    keys.rotate(record.name, None, NOW)
    ended = view(world, timedelta(days=290))
    assert not [one for one in ended.items if one.kind == "own"]
    assert {one.state for one in ended.items if one.kind == "crl"} == {"ended"}
    assert {one.state for one in ended.items if one.kind == "recipient"} == {"soon"}
    assert ended.trouble is not None
    assert ended.trouble.code == "chain-crl-stale"


def test_a_missing_list_and_a_damaged_folder_are_told(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path, authors=(str(tmp_path / "keys/author.pem"),))
    for path in (tmp_path / "city/trust/crls").iterdir():
        path.unlink()
    found = view(world)
    assert (found.mode, found.keys) == ("both", 1)
    assert {one.state for one in found.items if one.kind == "crl"} == {"missing"}
    next((tmp_path / "city/trust/roots").iterdir()).write_bytes(b"noise")
    (channel,) = world.city.channels.all
    broken = trust_view(world.city, channel, NOW)
    assert broken.trouble is not None
    assert broken.items == ()
