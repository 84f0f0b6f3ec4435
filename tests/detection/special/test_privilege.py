"""First privileges: new accounts, old accounts on a known host, what is learned."""

from collections.abc import Callable
from typing import Any

from detection.special.detectors import SpecialParameters
from detection.special.durable import Durable
from detection.special.privilege import PrivilegeDetector
from sensors.event import Event

Make = Callable[..., Event]
DAY = 86_400.0


def sudo(make: Make, days: float, user: str, outcome: str = "success", **more: Any) -> Event:
    fields = {
        "event.category": "process",
        "event.action": "sudo",
        "event.outcome": outcome,
        "user.name": user,
        "user.effective.name": "root",
        "process.command_line": "/bin/bash",
        "host.name": "db-01",
        **more,
    }
    return make(days * DAY, "auth.log", fields, product="linux")


def account(make: Make, days: float, action: str, user: str, group: str = "") -> Event:
    fields = {
        "event.category": "iam",
        "event.action": action,
        "user.target.name": user,
        "host.name": "db-01",
        **({"group.name": group} if group else {}),
    }
    return make(days * DAY, "auth.log", fields, product="linux")


def test_a_new_account_that_gains_privileges(special: SpecialParameters, make: Make) -> None:
    detector = PrivilegeDetector(special.privilege)
    joined = [account(make, 0, "user-created", "li"), account(make, 0.1, "group-member-added", "li", "wheel")]
    (alert,) = detector.feed(joined)
    assert (alert.rule, alert.entity) == ("special.new-privileged-account", "user:li@db-01")
    assert detector.feed([account(make, 1, "user-created", "wu"), sudo(make, 2, "wu")])[0].rule == alert.rule
    harmless = [account(make, 3, "user-created", "qi"), account(make, 3, "group-member-added", "qi", "users")]
    assert detector.feed(harmless) == []
    assert detector.feed([account(make, 30, "group-member-added", "li", "sudo")]) == []


def test_a_first_use_on_a_known_host(special: SpecialParameters, make: Make) -> None:
    detector = PrivilegeDetector(special.privilege)
    assert detector.feed([sudo(make, day, "zhang") for day in range(10)]) == []
    (alert,) = detector.feed([sudo(make, 10, "wang"), sudo(make, 10.1, "wang")])
    assert alert.rule == "special.first-privilege"
    assert "/bin/bash" in alert.reason.zh
    by_su = {"event.category": "authentication", "event.action": "su", "gov.login.by": "zhao"}
    assert [one.rule for one in detector.feed([sudo(make, 11, "root", **by_su)])] == [alert.rule]
    assert detector.feed([sudo(make, 12, "sun", outcome="failure")]) == []
    assert detector.feed([sudo(make, 12, "sun", **{"user.effective.name": "postgres"})]) == []
    assert len(detector.feed([sudo(make, 400, "zhang")])) == 1


def test_what_is_known_outlives_the_process(special: SpecialParameters, make: Make) -> None:
    first = Durable(PrivilegeDetector(special.privilege), seconds=0)
    first.feed([sudo(make, day, "zhang") for day in range(10)])
    kept = first.snapshot()
    assert kept is not None
    second = Durable(PrivilegeDetector(special.privilege), seconds=0)
    second.recall(kept)
    assert second.feed([sudo(make, 10, "zhang")]) == []
    assert len(second.feed([sudo(make, 10, "wang")])) == 1
