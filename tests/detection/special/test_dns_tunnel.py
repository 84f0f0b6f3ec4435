"""DNS tunnels: full rate and throttled, what is none, memory and bounds."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from detection.special.detectors import SpecialParameters
from detection.special.dns_tunnel import DnsTunnelDetector
from detection.special.durable import Durable
from detection.special.name_model import NameModel, open_names
from sensors.event import Event, stamp
from sensors.read import read_file

Make = Callable[..., Event]
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "anomaly" / "dns-tunnel"


@pytest.fixture(scope="module")
def names() -> NameModel:
    return open_names()


def query(make: Make, seconds: float, name: str, source: str = "10.0.0.7") -> Event:
    return make(seconds, "net.dns", {"dns.type": "query", "source.ip": source, "dns.question.name": name})


def data(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()[:24]


@pytest.mark.parametrize(("gap", "limit"), [(0.2, 120), (1.0, 120), (10.0, 1_800), (180.0, 86_400)])
def test_tunnels_are_found_in_time(
    special: SpecialParameters, names: NameModel, make: Make, gap: float, limit: float
) -> None:
    detector = DnsTunnelDetector(special.dns_tunnel, names)
    events = [query(make, n * gap, f"{data(n)}.t.evil.example") for n in range(int(limit / gap))]
    alerts = detector.feed(events)
    assert alerts
    assert (alerts[0].rule, alerts[0].entity) == ("special.dns-tunnel", "source:10.0.0.7")
    assert "evil.example" in alerts[0].reason.zh
    assert len(alerts) <= 1 + limit // special.dns_tunnel.repeat_seconds


def test_what_many_sources_do_or_everybody_repeats_is_none(
    special: SpecialParameters, names: NameModel, make: Make
) -> None:
    detector = DnsTunnelDetector(special.dns_tunnel, names)
    cloud = [query(make, n, f"{data(n)}.reputation.example", f"10.0.1.{n % 30}") for n in range(6_000)]
    told = detector.feed(cloud)
    assert len(told) <= special.dns_tunnel.common_sources
    plain = [query(make, n, f"www{n % 20}.shop.example") for n in range(3_000)]
    words = [query(make, n, f"department{n}-of-history.city.example") for n in range(300)]
    reverse = [query(make, n, f"{n % 250}.1.0.10.in-addr.arpa") for n in range(600)]
    assert DnsTunnelDetector(special.dns_tunnel, names).feed([*plain, *words, *reverse]) == []


def test_a_captured_tunnel_and_captured_look_ups(special: SpecialParameters, names: NameModel) -> None:
    if not DATA.exists():
        pytest.skip("the public captures are not beside the project")
    for folder, wanted in (
        ("tunnel/dns2tcp-key_00002_20230905100101.pcap", True),
        ("normal/normal_00067_20230806152800.pcap", False),
    ):
        seen = [one for one in read_file(DATA / folder) if one.fields.get("event.dataset") == "net.dns"]
        events = [stamp(one, unit="u", sensor="s", epoch=1, sequence=n) for n, one in enumerate(seen[:3_000])]
        assert bool(DnsTunnelDetector(special.dns_tunnel, names).feed(events)) is wanted


def test_memory_goes_on_after_a_restart(special: SpecialParameters, names: NameModel, make: Make) -> None:
    events = [query(make, n * 10, f"{data(n)}.t.evil.example") for n in range(120)]
    first = Durable(DnsTunnelDetector(special.dns_tunnel, names), seconds=0)
    assert first.feed(events[:60]) == []
    kept = first.snapshot()
    assert kept is not None
    second = Durable(DnsTunnelDetector(special.dns_tunnel, names), seconds=0)
    second.recall(kept)
    assert second.feed(events[40:])


def test_memory_is_bounded(special: SpecialParameters, names: NameModel, make: Make) -> None:
    tight = msgspec.structs.replace(special.dns_tunnel, keys_max=5, names_max=16, weight_max=200)
    detector = DnsTunnelDetector(tight, names)
    detector.feed([query(make, n, f"{data(n)}.t{n // 300}.example") for n in range(2_000)])
    memory = detector.memory()
    assert len(memory.below) <= 5
    assert max(len(below.fresh) for below in memory.below.values()) <= 32
