"""Tests of compliance.incident, incident_acts, incident_store, incident_desk: clocks, reminders, leaves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from compliance.acts_store import ActsStore
from compliance.casework import Casework, open_casework
from compliance.incident import Incident, Stated, clocks_of, next_due
from compliance.incident_acts import FilingOrder, IncidentChange, changed, filed, stepped, task_added
from compliance.incident_desk import NewIncident
from compliance.incident_rules import load_incident_rules
from compliance.incident_store import IncidentQuery
from compliance.report.incident_paper import filing_paper
from crypto.words import BadInput, Refused
from detection.store.state import Engine, open_state
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RULES = load_incident_rules(ROOT / "incidents")
ONE = Incident(
    number="2026-000001",
    title="门户被篡改",
    unit="320000",
    category="attack",
    grade=3,
    clock="other",
    discovered=NOW,
    judged=NOW,
    created=NOW,
    created_by="user:a",
    updated=NOW,
)

STATED = Stated(
    title="门户被篡改",
    unit="320000",
    unit_name="省",
    system="",
    system_name="",
    category="网络攻击事件",
    kind="",
    grade=3,
    discovered=NOW,
)


@pytest.fixture(name="engine")
def _engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 's.sqlite'}", create=True)
    yield engine
    engine.dispose()


@pytest.fixture(name="cases")
def _cases(engine: Engine) -> Casework:
    return open_casework(engine, ROOT)


@pytest.mark.parametrize(
    ("clock", "grade", "minutes"),
    [("critical-infrastructure", 3, 60), ("central", 2, 120), ("other", 1, 240), ("other", 4, None)],
)
def test_the_first_clock_is_that_of_the_kind_of_unit(clock: str, grade: int, minutes: int | None) -> None:
    one = msgspec.structs.replace(ONE, clock=clock, grade=grade)
    due = next_due(one, RULES.clocks)
    assert due == (None if minutes is None else NOW + timedelta(minutes=minutes))


def test_what_turns_out_grave_is_reported_from_then_on() -> None:
    light = msgspec.structs.replace(ONE, grade=4)
    later = NOW + timedelta(hours=9)
    grave = changed(light, IncidentChange(grade=2), "升级", RULES, later).incident
    assert next_due(grave, RULES.clocks) == later + timedelta(hours=4)
    again = changed(grave, IncidentChange(grade=1), "再升级", RULES, later + timedelta(hours=1)).incident
    assert next_due(again, RULES.clocks) == later + timedelta(hours=4)


def test_the_closing_report_is_owed_thirty_days_after_the_end() -> None:
    order = FilingOrder(
        kind="first",
        to="省网信办",
        channel="电话",
        sent=NOW,
        fields={"facts": "a", "harm": "b", "measures": "c"},
    )
    reported = filed(ONE, order, STATED, RULES, "user:a", NOW + timedelta(hours=5)).incident
    first = clocks_of(reported, RULES.clocks)[0]
    assert (first.done, first.overdue(NOW + timedelta(days=9))) == (NOW, False)
    ended = stepped(reported, "settle", "已恢复", RULES, NOW + timedelta(days=1)).incident
    assert next_due(ended, RULES.clocks) == NOW + timedelta(days=31)
    with pytest.raises(Refused, match="incident-unfinished"):
        stepped(ended, "close", "完成", RULES, NOW)
    resumed = stepped(ended, "resume", "复发", RULES, NOW).incident
    assert next_due(resumed, RULES.clocks) is None
    paper = filing_paper(reported, reported.filings[0], RULES, center="中心", watermark="m")
    assert dict(paper.rows)["报送对象"] == "省网信办"


def test_many_people_make_it_grave() -> None:
    with pytest.raises(BadInput, match="incident-malformed") as refused:
        changed(ONE, IncidentChange(persons=10_000_000), "核实", RULES, NOW)
    assert refused.value.field == "grade"
    change = IncidentChange(persons=10_000_000, grade=2)
    assert changed(ONE, change, "核实", RULES, NOW).incident.grade == 2


def test_reminders_come_once_each_and_every_step_is_an_act(engine: Engine, cases: Casework) -> None:
    order = NewIncident(title="门户被篡改", unit="320000", grade=3)
    made = cases.incidents.open(order, "user:a", NOW)
    assert cases.work(NOW + timedelta(minutes=100)) == 0
    assert cases.work(NOW + timedelta(minutes=121)) == 1
    assert cases.work(NOW + timedelta(minutes=130)) == 0
    assert cases.work(NOW + timedelta(hours=5)) == 1
    events = cases.incident_rows.events(made)
    assert [(one.action, one.note) for one in events] == [
        ("opened", ""),
        ("reminded", "first 50 %"),
        ("reminded", "first 100 %"),
    ]
    late = cases.incident_rows.page(IncidentQuery(overdue=NOW + timedelta(hours=5)))
    assert [one.number for one in late] == [made.number]
    waiting = ActsStore(engine).waiting("incident")
    assert [evidence.subject for _, evidence in waiting] == [f"incident:2026-000001/{n}" for n in (1, 2, 3)]
    assert cases.incident_rows.revision() == 3
    before = cases.revision()
    ActsStore(engine).placed([(act, 7) for act, _ in waiting])
    assert {event.leaf for event in cases.incident_rows.events(made)} == {7}
    assert cases.revision() > before  # the page says where in the ledger it stands: that is news too


def test_a_closed_incident_takes_no_more() -> None:
    closed = msgspec.structs.replace(ONE, state="closed")
    with pytest.raises(Refused, match="incident-state"):
        task_added(closed, "取证", "", None)
    with pytest.raises(Refused, match="incident-state"):
        stepped(closed, "accept", "", RULES, NOW)
