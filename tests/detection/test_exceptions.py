"""What an exception covers, what it never does, and when it is taken up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from crypto.words import BadInput, Words
from detection.alert import Alert, Claim, Match, claim
from detection.exceptions import (
    Exemption,
    InForce,
    Sieve,
    condition_of,
    covering,
    drafted,
    names_of,
    protected_names,
    term,
)
from sensors.event import Event, LogSource, Observation, Value, stamp

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
EXEMPTION = Exemption(
    id=1,
    kind="exception",
    title="备份脚本",
    rules=("r1",),
    unit="u",
    units=("u",),
    condition='process.name:"rsync"',
    reason="夜间备份",
    owner="zhang",
    asked=NOW - timedelta(hours=1),
    asked_by="user:zhang",
    begins=NOW - timedelta(hours=1),
    expires=NOW + timedelta(days=30),
    state="active",
)


def event(number: int = 1, *, product: str = "linux", native: Any = None, **fields: Value) -> Event:
    named: dict[str, Value] = {"host.name": "web-01", "process.name": "rsync"}
    named |= {name.replace("__", "."): value for name, value in fields.items()}
    seen = Observation(
        time=NOW + timedelta(seconds=number),
        logsource=LogSource(product=product),
        fields=named,
        native=native or {},
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def alert(*events: Event, rule: str = "r1", severity: Any = "high", detector: Any = "sigma") -> Alert:
    given = events or (event(),)
    said = Claim(rule=rule, detector=detector, title=Words("题", "title"), severity=severity)
    matched = (Match(event=given[-1].id, field="process.name", value="rsync", selection="sel"),)
    return claim(said, entity="host:web-01", reason=said.title, events=given, matched=matched)


def held(one: Alert, now: datetime = NOW, *, protected: tuple[str, ...] = (), **changed: Any) -> bool:
    exemption = msgspec.structs.replace(EXEMPTION, **changed)
    force = InForce(revision=1, exemptions=(exemption,), protected=protected_names(protected))
    return covering(force, one, now) is not None


def test_rule_unit_condition_and_time_must_all_fit() -> None:
    assert held(alert())
    assert not held(alert(rule="r2"))
    assert not held(alert(), units=("elsewhere",))
    assert not held(alert(event(process__name="nc")))
    assert not held(alert(), NOW - timedelta(hours=2))
    assert not held(alert(), NOW + timedelta(days=30))
    assert held(alert(rule="r2"), rules=())


def test_one_harmless_step_does_not_hide_a_chain() -> None:
    assert held(alert(event(1), event(2)))
    assert not held(alert(event(1, process__name="nc"), event(2)))


def test_health_is_never_silenced() -> None:
    everything: Any = {"rules": (), "condition": "", "decided_by": "user:b"}
    assert not held(alert(detector="health"), **everything)
    assert not held(alert(event(product="liuhe")), **everything)
    assert held(alert(), **everything)


def test_what_is_grave_needs_a_second_person() -> None:
    assert not held(alert(severity="critical"))
    assert held(alert(severity="critical"), decided_by="user:b")
    assert not held(alert(), protected=("WEB-01",))
    assert held(alert(), protected=("WEB-01",), decided_by="user:b")
    assert not held(alert(event(destination__ip="10.0.0.9")), protected=("10.0.0.9",))


def test_a_maintenance_window_counts_by_the_time_of_events_even_where_logs_come_late() -> None:
    span: Any = {"kind": "maintenance", "begins": NOW, "expires": NOW + timedelta(minutes=5)}
    late = NOW + timedelta(hours=2)
    assert held(alert(), late, **span)
    assert not held(alert(event(number=600)), late, **span)
    assert not held(alert(), NOW + timedelta(days=2), **span)


def test_the_alerts_own_words_can_be_asked_and_no_sensor_can_say_them() -> None:
    assert held(alert(), condition='对象:"host:web-01" and 严重程度:high')
    lying = event(native={"alert.severity": "low"}, alert__severity="low")
    assert not held(alert(lying), condition="alert.severity:low")


@pytest.mark.parametrize("value", ['C:\\a "b" \\*', "x*?", "“全角”", "a) or (b", "源地址：1"])
def test_a_drafted_term_means_its_value_literally(value: str) -> None:
    assert held(alert(event(process__command_line=value)), condition=term("process.command_line", value))
    assert not held(
        alert(event(process__command_line="other")), condition=term("process.command_line", value)
    )


def test_a_draft_holds_for_the_alert_it_was_made_from() -> None:
    terms = drafted(alert())
    assert terms == ('alert.entity:"host:web-01"', 'process.name:"rsync"')
    assert held(alert(), condition=" and ".join(terms))


def test_a_wrong_condition_is_told() -> None:
    with pytest.raises(BadInput, match="query-syntax"):
        condition_of("(a:b")


def test_names_are_those_of_entity_and_events() -> None:
    found = names_of(alert(event(source__ip="10.0.0.8", host__name="Web-01")))
    assert found == {"web-01", "10.0.0.8"}


def test_phases_follow_the_clock() -> None:
    assert EXEMPTION.phase(NOW) == "active"
    assert EXEMPTION.phase(NOW - timedelta(days=1)) == "scheduled"
    assert EXEMPTION.phase(NOW + timedelta(days=31)) == "expired"
    waiting = msgspec.structs.replace(EXEMPTION, state="waiting")
    assert (waiting.phase(NOW), waiting.phase(NOW + timedelta(days=31))) == ("waiting", "expired")


class Book:
    """A book that may be changed."""

    def __init__(self) -> None:
        self.number = 0
        self.exemptions: tuple[Exemption, ...] = ()

    def revision(self) -> int:
        return self.number

    def in_force(self, now: datetime) -> InForce:
        del now
        return InForce(revision=self.number, exemptions=self.exemptions)


def test_the_sieve_takes_up_decisions_within_a_second_and_counts_an_alert_once() -> None:
    book = Book()
    sieve = Sieve(book, NOW)
    assert sieve.sift([alert()], NOW) == ([alert()], [])
    book.number, book.exemptions = 1, (EXEMPTION,)
    kept, withheld = sieve.sift([alert()], NOW + timedelta(seconds=1))
    assert (kept, [one.exception for one in withheld]) == ([], [1])
    assert sieve.sift([alert()], NOW + timedelta(seconds=1)) == ([], [])
    book.number, book.exemptions = 2, ()
    assert sieve.sift([alert()], NOW + timedelta(seconds=3))[0] == [alert()]


def test_an_exception_may_ask_how_rare_an_anomaly_is() -> None:
    found = Match(event="", field="x", value=1, one_in=3_000.0)
    rare = msgspec.structs.replace(alert(detector="anomaly"), matched=(found,))
    assert held(rare, condition="alert.one_in<4000")
    assert not held(rare, condition="alert.one_in<3000")
    lying = event(native={"alert.one_in": 5}, alert__one_in=5)
    assert not held(alert(lying), condition="alert.one_in<4000")
