"""A sensor's end: it connects to the center it trusts, with the certificate that lies there now."""

import threading
from pathlib import Path

import pytest
from link_world import LOOPBACK, SECONDS, LinkWorld, now, served

from crypto.sm_async import SmAsyncStream
from crypto.sm_tls import server_context
from crypto.words import LiuheError, Refused
from sensors.address import Address
from sensors.link import IDENTITY_NAME, TRUST_NAME, SensorLink


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    return LinkWorld(tmp_path / "world")


def link_of(world: LinkWorld, keys: Path, name: str = "web01") -> SensorLink:
    world.sensor(name).save(keys / IDENTITY_NAME)
    link = SensorLink(keys)
    link.trust.pin(world.authority.bundle(), world.authority.root().fingerprint, now())
    return link


def test_a_line_to_the_center_and_a_renewed_certificate_on_the_next(world: LinkWorld, tmp_path: Path) -> None:
    seen: list[str] = []
    told = threading.Semaphore(0)

    async def note(stream: SmAsyncStream) -> None:
        seen.append(world.center_judge.sensor(stream.peer_chain).key_id)
        told.release()
        stream.close()

    link = link_of(world, tmp_path / "keys")
    link.check()
    with served(server_context(world.authority.identity()), note) as (port, failures):
        for _ in range(2):
            line = link.connect(Address(LOOPBACK, port), SECONDS)
            assert (line.center, line.stream.suite) == ("city", "TLS_SM4_GCM_SM3")
            assert told.acquire(timeout=SECONDS)
            assert seen[-1] == line.key.public.key_id == link.identity().certificate.key_id
            line.stream.close()
            world.sensor().save(tmp_path / "keys" / IDENTITY_NAME)
    assert failures == []
    assert len(set(seen)) == 2


def test_a_center_of_another_root_is_refused(world: LinkWorld, tmp_path: Path) -> None:
    other = LinkWorld(tmp_path / "other")
    link = link_of(world, tmp_path / "keys")
    with served(server_context(other.authority.identity())) as (port, _), pytest.raises(Refused) as caught:
        link.connect(Address(LOOPBACK, port), SECONDS)
    assert caught.value.code == "chain-no-issuer"


def test_a_revoked_center_is_refused(world: LinkWorld, tmp_path: Path) -> None:
    link = link_of(world, tmp_path / "keys")
    revoked = world.authority.identity()
    world.authority.renew_identity("city", now())
    world.authority.revoke(f"{revoked.certificate.serial:x}", now())
    assert link.trust.take_lists(world.authority.lists()) == 2
    with served(server_context(revoked)) as (port, _), pytest.raises(Refused) as caught:
        link.connect(Address(LOOPBACK, port), SECONDS)
    assert caught.value.code == "chain-revoked"


def test_what_is_missing_is_told_at_once(world: LinkWorld, tmp_path: Path) -> None:
    with pytest.raises(LiuheError, match="link-trust-absent"):
        SensorLink(tmp_path / "none").check()
    link = link_of(world, tmp_path / "keys")
    (tmp_path / "keys" / IDENTITY_NAME).unlink()
    assert (tmp_path / "keys" / TRUST_NAME).is_dir()
    with pytest.raises(LiuheError, match="key-unreadable"):
        link.check()
