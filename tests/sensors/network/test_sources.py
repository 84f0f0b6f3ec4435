"""Which sources the settings ask for."""

from sensors.network.settings import NetworkSettings
from sensors.network.sources import network_sources


def test_one_capture_per_interface_and_one_worker() -> None:
    names = [one.name for one in network_sources(NetworkSettings(interfaces=["lo", "eth7"]))]
    assert names == ["capture:lo", "capture:eth7", "dissect", "self-test"]


def test_without_dissect() -> None:
    sources = network_sources(NetworkSettings(interfaces=["lo"], dissect=False))
    assert [one.name for one in sources] == ["capture:lo"]


def test_a_missing_interface_is_listed_and_says_so() -> None:
    (capture,) = network_sources(NetworkSettings(interfaces=["no-such-0"], dissect=False))
    assert capture.missing() is not None
