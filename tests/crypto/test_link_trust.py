"""What one end trusts: a pinned root and what is below it, lists that only grow newer."""

from pathlib import Path

import pytest
from link_world import LinkWorld, now

from crypto.link_trust import LinkTrust
from crypto.words import BadInput, LiuheError, Refused


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    return LinkWorld(tmp_path / "world")


def test_nothing_is_trusted_at_first(world: LinkWorld, tmp_path: Path) -> None:
    with pytest.raises(LiuheError, match="link-trust-absent"):
        LinkTrust(tmp_path / "none").store()


def test_only_the_root_of_the_token_is_pinned(world: LinkWorld, tmp_path: Path) -> None:
    other = LinkWorld(tmp_path / "other")
    trust = LinkTrust(tmp_path / "trust")
    bundle = other.authority.bundle() + world.authority.bundle()
    with pytest.raises(Refused, match="root-fingerprint"):
        trust.pin(bundle, "0" * 64, now())
    with pytest.raises(Refused, match="chain-root"):  # an issuer is no root
        trust.pin(bundle, world.authority.folder.certificate().fingerprint, now())
    trust.pin(bundle, world.authority.root().fingerprint, now())
    store = trust.store()
    assert [one.fingerprint for one in store.roots] == [world.authority.root().fingerprint]
    assert [one.subject.get("CN") for one in store.intermediates] == ["Liuhe Authority city"]
    with pytest.raises(BadInput):
        trust.pin(b"no certificates", "0" * 64, now())


def test_the_store_is_kept_until_a_file_changes(world: LinkWorld) -> None:
    before = world.trust.store()
    assert world.trust.store() is before
    assert world.trust.take_lists(world.authority.lists()) == 2
    assert world.trust.store() is not before
    assert world.trust.take_lists(world.authority.lists()) == 0


def test_an_older_list_never_replaces_a_newer(world: LinkWorld, tmp_path: Path) -> None:
    sensor = world.sensor().certificate
    old = world.authority.lists()
    world.authority.revoke(f"{sensor.serial:x}", now())
    assert world.trust.take_lists(world.authority.lists()) == 2
    assert world.trust.take_lists(old) == 0
    assert any(sensor.serial in crl.revoked for crl in world.trust.folder.contents().crls)
    assert world.trust.take_lists(LinkWorld(tmp_path / "other").authority.lists()) == 0, "a stranger's"
    with pytest.raises(BadInput):
        world.trust.take_lists(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
