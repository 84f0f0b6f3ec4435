"""Who the other end is: the right kind under the right root, not revoked, not expired, whatever was kept."""

from datetime import datetime, timedelta

import pytest
from link_world import LinkWorld, now

from crypto.chain import TrustStore
from crypto.link_peers import VERDICT_LASTS, PeerJudge
from crypto.words import Refused


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> LinkWorld:
    return LinkWorld(tmp_path_factory.mktemp("link"))


def der(chain: object) -> list[bytes]:
    return [one.der for one in chain]  # type: ignore[attr-defined]


def code_of(judge: PeerJudge, chain: list[bytes], kind: str = "sensor") -> str:
    with pytest.raises(Refused) as caught:
        (judge.sensor if kind == "sensor" else judge.center)(chain)
    return caught.value.code


def test_names_of_a_sensor_and_of_a_center(world: LinkWorld) -> None:
    sensor = world.sensor("web01", "大数据局")
    peer = world.center_judge.sensor(der(sensor.chain))
    assert (peer.id, peer.unit, peer.zone) == ("web01", "大数据局", "")
    assert peer.serial == f"{sensor.certificate.serial:x}"
    assert peer.key_id == sensor.key.public.key_id
    assert peer.fingerprint == sensor.certificate.fingerprint
    signature = sensor.key.sign(b"batch")
    peer.verified.key.verify(b"batch", signature)
    center = world.authority.identity()
    assert world.sensor_judge.center(der(center.chain)).id == "city"


def test_nobody_passes_for_another_kind(world: LinkWorld) -> None:
    sensor, center = der(world.sensor().chain), der(world.authority.identity().chain)
    assert code_of(world.sensor_judge, sensor, "center") == "chain-kind"
    assert code_of(world.center_judge, center) == "chain-kind"
    assert code_of(world.center_judge, sensor[1:]) == "chain-usage"
    assert code_of(world.center_judge, []) == "link-no-certificate"
    assert code_of(world.center_judge, [b"\x30\x00"]) == "chain-malformed"


def test_a_sensor_of_another_center_is_refused(
    world: LinkWorld, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = LinkWorld(tmp_path_factory.mktemp("other"))
    assert code_of(world.center_judge, der(other.sensor().chain)) == "chain-no-issuer"
    with_root = [*der(other.sensor().chain), other.authority.root().der]
    assert code_of(world.center_judge, with_root) == "chain-untrusted"


def test_a_kept_verdict_ends_with_revocation_and_with_time(world: LinkWorld) -> None:
    asked: list[int] = []
    at = [now()]

    def store() -> TrustStore:
        asked.append(1)
        return world.authority.store()

    def clock() -> datetime:
        return at[0]

    judge = PeerJudge(store, clock)
    sensor = world.sensor()
    chain = der(sensor.chain)
    first = judge.sensor(chain)
    assert judge.sensor(chain) is first, "kept"
    at[0] += VERDICT_LASTS + timedelta(seconds=1)
    assert judge.sensor(chain) is not first
    other = world.sensor("b")
    world.authority.revoke(f"{sensor.certificate.serial:x}", now())
    assert code_of(judge, chain) == "chain-revoked"
    assert judge.sensor(der(other.chain)).id == "b"
    at[0] += timedelta(days=400)
    assert code_of(judge, der(other.chain)) == "chain-expired"
