"""Key and certificates in one file, replaced together or not at all."""

from pathlib import Path

import pytest
from link_world import LinkWorld

from crypto.link_identity import LinkIdentity
from crypto.words import BadInput, LiuheError, Refused


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> LinkWorld:
    return LinkWorld(tmp_path_factory.mktemp("link"))


def test_what_is_saved_is_loaded(world: LinkWorld, tmp_path: Path) -> None:
    made = world.sensor()
    path = tmp_path / "keys" / "sensor.pem"
    made.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    found = LinkIdentity.load(path)
    assert found.chain == made.chain
    assert found.key.public.key_id == found.certificate.key_id
    renewed = world.sensor()
    renewed.save(path)
    assert LinkIdentity.load(path).certificate == renewed.certificate
    assert [one.name for one in path.parent.iterdir()] == ["sensor.pem"]


def test_no_pair_no_identity(world: LinkWorld, tmp_path: Path) -> None:
    one, other = world.sensor("a"), world.sensor("b")
    with pytest.raises(Refused, match="link-identity"):
        LinkIdentity(key=one.key, chain=other.chain)
    with pytest.raises(Refused, match="link-identity"):
        LinkIdentity(key=one.key, chain=())
    path = tmp_path / "x.pem"
    path.write_bytes(one.key.private_pem(None) + other.certificate.pem())
    path.chmod(0o600)
    with pytest.raises(Refused, match="link-identity"):
        LinkIdentity.load(path)
    with pytest.raises(BadInput, match="link-identity"):
        LinkIdentity(key=one.key, chain=one.chain * 20).save(path)


def test_a_file_that_others_may_read_is_refused(world: LinkWorld, tmp_path: Path) -> None:
    path = tmp_path / "sensor.pem"
    world.sensor().save(path)
    path.chmod(0o640)
    with pytest.raises(LiuheError, match="key-exposed"):
        LinkIdentity.load(path)
