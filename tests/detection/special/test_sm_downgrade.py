"""A fall back from the SM algorithms, and services that serve both kinds or never spoke SM."""

from collections.abc import Callable

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.sm_downgrade import SmDowngradeDetector
from sensors.event import Event

Make = Callable[..., Event]


def hello(make: Make, seconds: float, sm: bool, name: str = "oa.example.gov.cn") -> Event:
    fields = {
        "event.action": "server-hello",
        "source.ip": "10.0.0.7",
        "destination.ip": "10.0.0.80",
        "destination.port": 443,
        "tls.client.server_name": name,
        "tls.cipher": "ECC_SM4_CBC_SM3" if sm else "TLS_RSA_WITH_AES_128_CBC_SHA",
        "gov.tls.sm": sm,
    }
    return make(seconds, "net.tls", fields)


def test_a_service_that_falls_back_is_told_once(special: SpecialParameters, make: Make) -> None:
    detector = SmDowngradeDetector(special.sm_downgrade)
    assert detector.feed([hello(make, n, sm=True) for n in range(30)]) == []
    (alert,) = detector.feed([hello(make, 60 + n, sm=False) for n in range(5)])
    assert (alert.rule, alert.entity) == ("special.sm-downgrade", "source:10.0.0.7")
    assert "oa.example.gov.cn" in alert.reason.zh
    assert "AES_128" in alert.reason.en


def test_mixed_new_and_foreign_services_are_none(special: SpecialParameters, make: Make) -> None:
    detector = SmDowngradeDetector(special.sm_downgrade)
    assert detector.feed([hello(make, n, sm=bool(n % 2)) for n in range(4, 60)]) == []
    assert detector.feed([hello(make, n, sm=False, name="www.example.com") for n in range(60)]) == []
    assert detector.feed([hello(make, 0, sm=True, name="n"), hello(make, 1, sm=False, name="n")]) == []


def test_what_is_known_outlives_the_process(special: SpecialParameters, make: Make) -> None:
    first = Durable(SmDowngradeDetector(special.sm_downgrade), seconds=0)
    first.feed([hello(make, n, sm=True) for n in range(30)])
    kept = first.snapshot()
    assert kept is not None
    second = Durable(SmDowngradeDetector(special.sm_downgrade), seconds=0)
    second.recall(kept)
    assert len(second.feed([hello(make, 60, sm=False)])) == 1
