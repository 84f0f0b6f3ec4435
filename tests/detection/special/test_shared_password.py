"""Shared passwords by their marks: several users, several services, one person at one service."""

from collections.abc import Callable

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.shared_password import SharedPasswordDetector
from sensors.event import Event

Make = Callable[..., Event]


def login(make: Make, seconds: float, user: str, target: str = "10.0.0.80", mark: str = "m1") -> Event:
    fields = {
        "source.ip": "10.0.0.7",
        "destination.ip": target,
        "destination.port": 21,
        "user.name": user,
        "gov.credential.mark": mark,
        "gov.credential.kind": "password",
    }
    return make(seconds, "net.login", fields)


def test_users_and_services_that_share(special: SpecialParameters, make: Make) -> None:
    detector = SharedPasswordDetector(special.shared_password)
    (alert,) = detector.feed([login(make, n, f"user{n}") for n in range(8)])
    assert alert.rule == "special.shared-password"
    assert "user0" in alert.reason.zh
    (other,) = detector.feed([login(make, n, "li", f"10.0.0.{n}", "m2") for n in range(8)])
    assert other.entity == "source:10.0.0.7"


def test_one_person_at_one_service_and_different_secrets_are_none(
    special: SpecialParameters, make: Make
) -> None:
    detector = SharedPasswordDetector(special.shared_password)
    assert detector.feed([login(make, n * 60, "li") for n in range(200)]) == []
    assert detector.feed([login(make, n, f"user{n}", mark=f"k{n}") for n in range(50)]) == []
    assert detector.feed([login(make, n * 4 * 86_400, f"user{n}", mark="slow") for n in range(9)]) == []
    assert detector.feed([login(make, n, f"user{n}", mark="") for n in range(9)]) == []


def test_marks_outlive_the_process(special: SpecialParameters, make: Make) -> None:
    first = Durable(SharedPasswordDetector(special.shared_password), seconds=0)
    first.feed([login(make, n, f"user{n}") for n in range(3)])
    kept = first.snapshot()
    assert kept is not None
    second = Durable(SharedPasswordDetector(special.shared_password), seconds=0)
    second.recall(kept)
    assert len(second.feed([login(make, 9, "user9")])) == 1
