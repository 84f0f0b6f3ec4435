"""The authority of a center: made once, repeatable, its lists fresh, its issuer movable below a province."""

from datetime import timedelta
from pathlib import Path

import pytest
from link_world import LinkWorld, now, request_pem

from crypto import pem
from crypto.authority_files import KEY_NAME, AuthorityFolder
from crypto.crl import read_crls
from crypto.keys import SigningKey
from crypto.link_authority import LIST_EVERY, LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.link_peers import PeerJudge
from crypto.link_trust import LinkTrust
from crypto.words import BadInput, LiuheError, Refused
from crypto.x509 import REQUEST, read_request
from crypto.x509_issue import Subject, request_der


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    return LinkWorld(tmp_path / "world")


def test_making_it_again_changes_nothing(world: LinkWorld) -> None:
    authority = world.authority
    before = (authority.identity().chain, authority.root(), authority.bundle(), authority.lists())
    LinkAuthority(world.folder / "keys").create("city", now())
    assert (authority.identity().chain, authority.root(), authority.bundle(), authority.lists()) == before
    keys = world.folder / "keys"
    private = [path for path in keys.rglob("*") if path.name.endswith(".key.pem") or path.name == "link.pem"]
    assert len(private) == 3
    assert {path.stat().st_mode & 0o777 for path in private} == {0o600}


@pytest.mark.parametrize("lost", ["authority/root/authority.pem", "authority/authority.pem", "link.pem"])
def test_an_attempt_that_died_is_finished(tmp_path: Path, lost: str) -> None:
    world = LinkWorld(tmp_path)
    (tmp_path / "keys" / lost).unlink()
    if lost.startswith("authority/root"):  # it died before anything was certified
        (tmp_path / "keys" / "authority" / "authority.pem").unlink()
    world.authority.create("city", now())
    trust = LinkTrust(tmp_path / "trust2")
    trust.pin(world.authority.bundle(), world.authority.root().fingerprint, now())
    chain = [one.der for one in world.authority.identity().chain]
    assert PeerJudge(trust.store, now).center(chain).id == "city"


def test_requests_must_be_signed_by_their_key_and_small(world: LinkWorld) -> None:
    good = request_pem(SigningKey.generate())
    der = bytearray(pem.decode(good, REQUEST))
    der[-1] ^= 1
    for bad in (pem.encode(bytes(der), REQUEST), b"nothing", good * 100):
        with pytest.raises((BadInput, Refused)):
            world.authority.issue_sensor(bad, sensor="a", unit="u", now=now())
    for sensor, unit in (("a b", "u"), ("a", "u" * 65)):
        with pytest.raises(BadInput):
            world.authority.issue_sensor(good, sensor=sensor, unit=unit, now=now())


def test_lists_are_made_anew_when_old_and_after_a_revocation(world: LinkWorld) -> None:
    authority = world.authority
    numbers = lambda: sorted(crl.number for crl in read_crls(authority.lists()))  # noqa: E731
    first = numbers()
    authority.refresh_lists(now())
    assert numbers() == first, "still fresh"
    authority.refresh_lists(now() + LIST_EVERY + timedelta(seconds=1))
    assert numbers() == [number + 1 for number in first]
    serial = f"{world.sensor().certificate.serial:x}"
    authority.revoke(serial, now())
    assert serial in {f"{one:x}" for crl in read_crls(authority.lists()) for one in crl.revoked}
    with pytest.raises(Refused, match="serial-unknown"):
        authority.revoke(serial, now())


def test_a_root_whose_key_was_taken_away_stops_nothing(world: LinkWorld) -> None:
    (private,) = world.authority.root_folder.keys.path.glob("*.key.pem")
    private.unlink()
    world.authority.create("city", now())
    world.authority.refresh_lists(now(), force=True)
    assert world.center_judge.sensor([one.der for one in world.sensor().chain]).id == "web01"


def test_a_renewed_identity_has_a_new_key_and_the_old_one_still_holds(world: LinkWorld) -> None:
    old = world.authority.identity()
    new = world.authority.renew_identity("city", now())
    assert new.certificate.key_id != old.certificate.key_id
    assert LinkIdentity.load(world.authority.identity_path).chain == new.chain
    for one in (old, new):
        assert world.sensor_judge.center([each.der for each in one.chain]).id == "city"


def test_the_issuer_moves_below_a_province(world: LinkWorld, tmp_path: Path) -> None:
    """Sensors that pinned the own root and sensors that pin the province's believe the same center."""
    authority, old = world.authority, world.sensor("old")
    own_root = authority.root()
    province = AuthorityFolder(tmp_path / "province")
    root = province.create_root(Subject(common_name="省根"), None, now(), 7_000)
    key = authority.folder.keys.signing_key(KEY_NAME, None)
    subject = Subject(common_name="Liuhe Authority city")
    request = read_request(request_der(key, "issuer", subject))
    authority.trust.folder.add_root(root, root.fingerprint, now())
    authority.trust.folder.add_crl(province.make_crl(None, now=now()))
    authority.folder.install(province.issue("issuer", request, subject, None, now=now(), days=3_000))
    authority.create("city", now())
    assert authority.root().fingerprint == root.fingerprint != own_root.fingerprint
    identity = authority.renew_identity("city", now())
    trust = LinkTrust(tmp_path / "new")
    trust.pin(authority.bundle(), root.fingerprint, now())
    chain = [one.der for one in identity.chain]
    assert PeerJudge(trust.store, now).center(chain).id == "city"
    assert world.sensor_judge.center(chain).id == "city"
    for sensor in (old, world.sensor("new")):
        assert world.center_judge.sensor([one.der for one in sensor.chain]).id in ("old", "new")


def test_an_unreadable_identity_is_told(world: LinkWorld) -> None:
    world.authority.identity_path.unlink()
    with pytest.raises(LiuheError, match="key-unreadable"):
        world.authority.identity()
