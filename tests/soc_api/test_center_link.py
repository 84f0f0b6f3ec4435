"""The center's end follows its files: a renewed certificate, a revocation from elsewhere, an old list."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from link_world import LinkWorld, now

from crypto.authority_files import AuthorityFolder
from crypto.link_authority import LIST_EVERY, LinkAuthority
from crypto.words import LiuheError, Refused
from soc_api.center_link import CenterLink


@pytest.fixture
def world(tmp_path: Path) -> LinkWorld:
    return LinkWorld(tmp_path)


def test_the_context_is_made_anew_with_a_renewed_certificate(world: LinkWorld) -> None:
    link = CenterLink(world.authority)
    first = link.context()
    assert link.context() is first
    LinkAuthority(world.folder / "keys").renew_identity("city", now())
    assert link.context() is not first
    world.authority.identity_path.unlink()
    with pytest.raises(LiuheError, match="key-unreadable"):
        link.context()


def test_a_revocation_by_another_process_counts_after_upkeep(world: LinkWorld) -> None:
    """``liuhe cert revoke`` writes the register and makes no list."""
    link = CenterLink(world.authority)
    sensor, other = world.sensor("a"), world.sensor("b")
    chain = [one.der for one in sensor.chain]
    assert link.judge.sensor(chain).id == "a"
    before = link.lists()
    link.upkeep()
    assert link.lists() is before, "nothing has changed"
    folder = AuthorityFolder(world.folder / "keys" / "authority")
    folder.revoke(f"{sensor.certificate.serial:x}", "key-compromise", now())
    link.upkeep()
    with pytest.raises(Refused, match="chain-revoked"):
        link.judge.sensor(chain)
    assert link.judge.sensor([one.der for one in other.chain]).id == "b"
    assert link.lists() != before
    assert world.trust.take_lists(link.lists().encode()) == 2


def test_lists_never_grow_old(world: LinkWorld) -> None:
    at = [now()]

    def clock() -> datetime:
        return at[0]

    link = CenterLink(world.authority, clock=clock)
    before = link.lists()
    at[0] += LIST_EVERY + timedelta(minutes=1)
    link.upkeep()
    assert link.lists() != before
