"""Incidents at work: opened from alerts or by hand, merged and split, judged, reported and closed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from compliance.acts_store import one_line
from compliance.incident import CaseFile, Incident, IncidentStep, Stated, Step, TaskState
from compliance.incident_acts import (
    NOTE_CHARS_MAX,
    FilingOrder,
    IncidentChange,
    bad,
    changed,
    checked,
    filed,
    noted,
    reminders,
    stepped,
    task_added,
    task_changed,
    with_file,
)
from compliance.incident_rules import IncidentRules
from compliance.incident_store import IncidentStore
from compliance.registry import GradedSystem
from crypto.words import Refused, Words
from detection.store.alert_group import AlertGroup

GROUPS_MAX: Final = 200  # alert groups of one request
ALERTS_MAX: Final = 2_000  # alert groups of one incident
SYSTEM_ACTOR: Final = "system:incidents"
_CRITICAL: Final = "critical-infrastructure"
_OTHER: Final = "other"
_TITLE_CHARS: Final = 160


class NewIncident(msgspec.Struct, frozen=True, kw_only=True):
    """What an incident is opened with; '' and None are filled in from the alerts and the registry."""

    groups: tuple[str, ...] = ()
    title: str = ""
    unit: str = ""
    system: str = ""
    category: str = ""
    kind: str = ""
    grade: int = 4
    clock: str = ""
    owner: str = ""
    discovered: datetime | None = None
    place: str = ""
    persons: int = 0
    summary: str = ""
    note: str = ""


class IncidentParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk stands on."""

    store: IncidentStore
    rules: IncidentRules
    alert: Callable[[str], AlertGroup]
    system: Callable[[str], GradedSystem]
    unit_name: Callable[[str], str]


class IncidentDesk:
    """Incidents over one state database."""

    def __init__(self, parts: IncidentParts) -> None:
        self._parts = parts
        self._store = parts.store
        self._rules = parts.rules

    def open(self, order: NewIncident, actor: str, now: datetime) -> Incident:
        """A new incident, with the alerts it begins with. Raises BadInput, Refused."""
        if len(order.groups) > GROUPS_MAX:
            raise bad("groups", f"一次最多 {GROUPS_MAX} 组", f"takes {GROUPS_MAX} at a time")
        groups = tuple(dict.fromkeys(order.groups))
        incident = checked(self._filled(order, groups, actor, now), self._rules, now)
        if len(order.note) > NOTE_CHARS_MAX:
            raise bad("note", f"最多 {NOTE_CHARS_MAX} 字", f"takes {NOTE_CHARS_MAX} characters")
        with self._store.work(actor, now) as work:
            detail = {"groups": groups}
            made = work.put(Step(incident=incident, action="opened", note=order.note, detail=detail))
            work.link(made, groups)
        return made

    def change(self, number: str, change: IncidentChange, note: str, actor: str, now: datetime) -> Incident:
        """Other values, for a reason."""
        if change.system:
            self._parts.system(change.system)
        return self._store.change(
            number, lambda one: changed(one, change, note, self._rules, now), actor, now
        )

    def step(self, number: str, step: IncidentStep, note: str, actor: str, now: datetime) -> Incident:
        """The next state; who accepts an incident nobody owns becomes its owner."""

        def act(incident: Incident) -> Step:
            done = stepped(incident, step, note, self._rules, now)
            if step == "accept" and not incident.owner:
                return msgspec.structs.replace(
                    done, incident=msgspec.structs.replace(done.incident, owner=actor)
                )
            return done

        return self._store.change(number, act, actor, now)

    def add_alerts(
        self, number: str, groups: Sequence[str], note: str, actor: str, now: datetime, *, move: bool
    ) -> Incident:
        """Alerts join, from other incidents only where they may be moved. Raises Refused."""
        with self._store.work(actor, now) as work:
            incident = work.get(number)
            if not incident.active or len(work.groups(incident)) + len(groups) > ALERTS_MAX:
                raise _no_more(number)
            left = work.link(incident, groups, move=move)
            for other in left:
                gone = {"groups": list(groups), "to": number}
                work.put(
                    Step(incident=work.get(other), action="alerts-moved", note=f"→ {number}", detail=gone)
                )
            detail = {"groups": list(groups), "from": left}
            return work.put(Step(incident=work.get(number), action="alerts-added", note=note, detail=detail))

    def drop_alerts(
        self, number: str, groups: Sequence[str], note: str, actor: str, now: datetime
    ) -> Incident:
        """Alerts that do not belong leave it."""
        with self._store.work(actor, now) as work:
            incident = work.get(number)
            work.unlink(incident, groups)
            detail = {"groups": list(groups)}
            return work.put(Step(incident=incident, action="alerts-dropped", note=note, detail=detail))

    def merge(self, number: str, into: str, note: str, actor: str, now: datetime) -> Incident:
        """All alerts of one go to another, and it ends; its own reports and files stay with it."""
        with self._store.work(actor, now) as work:
            gone, kept = work.get(number), work.get(into)
            if number == into or not gone.active or not kept.active:
                raise Refused(
                    "incident-merge",
                    Words(
                        "两起未办结的不同事件才能合并",
                        "two different incidents that are active can be merged",
                    ),
                    Words("请另选一起", "choose another one"),
                    field=into,
                )
            groups = work.groups(gone)
            work.link(kept, groups, move=True)
            ended = msgspec.structs.replace(gone, state="merged", merged_into=into, closed=now)
            work.put(Step(incident=ended, action="merged", note=note, detail={"into": into}))
            detail = {"groups": groups, "from": number}
            return work.put(
                Step(incident=kept, action="merge-taken", note=f"{number}: {note}", detail=detail)
            )

    def split(
        self, number: str, groups: Sequence[str], title: str, note: str, actor: str, now: datetime
    ) -> Incident:
        """Some alerts become an incident of their own, of the same category and grade; the new one."""
        with self._store.work(actor, now) as work:
            whole = work.get(number)
            held = work.groups(whole)
            if not whole.active or not groups or not set(groups) < set(held):
                raise bad("groups", "须为该事件的部分告警", "is not a part of its alerts")
            part = Incident(
                title=title,
                unit=whole.unit,
                system=whole.system,
                category=whole.category,
                kind=whole.kind,
                grade=whole.grade,
                clock=whole.clock,
                owner=whole.owner,
                discovered=whole.discovered,
                judged=whole.judged,
                created=now,
                created_by=actor,
                updated=now,
            )
            detail = {"groups": list(groups), "from": number}
            new = work.put(
                Step(incident=checked(part, self._rules, now), action="opened", note=note, detail=detail)
            )
            work.link(new, groups, move=True)
            gone = {"groups": list(groups), "to": new.number}
            work.put(Step(incident=whole, action="split", note=f"→ {new.number}: {note}", detail=gone))
            return new

    def note(self, number: str, note: str, at: datetime | None, actor: str, now: datetime) -> Incident:
        """An entry of the timeline."""
        return self._store.change(number, lambda one: noted(one, note, at, now), actor, now)

    def add_task(
        self, number: str, title: str, owner: str, due: datetime | None, actor: str, now: datetime
    ) -> Incident:
        """One more thing to do."""
        return self._store.change(number, lambda one: task_added(one, title, owner, due), actor, now)

    def change_task(
        self,
        number: str,
        task: int,
        state: TaskState,
        owner: str | None,
        note: str,
        actor: str,
        now: datetime,
    ) -> Incident:
        """A task done, dropped, taken up again or given to somebody."""
        return self._store.change(
            number, lambda one: task_changed(one, task, state, owner, note, actor, now), actor, now
        )

    def file(self, number: str, order: FilingOrder, actor: str, now: datetime) -> Incident:
        """A report of the chain 首报 - 续报 - 总结报告 that was given."""
        return self._store.change(
            number, lambda one: filed(one, order, self.stated(one), self._rules, actor, now), actor, now
        )

    def add_file(self, number: str, file: CaseFile, actor: str, now: datetime) -> Incident:
        """A sealed file joins the locker."""
        return self._store.change(number, lambda one: with_file(one, file), actor, now)

    def stated(self, incident: Incident) -> Stated:
        """The head of a report as it stands now."""
        category = self._rules.category(incident.category)
        return Stated(
            title=incident.title,
            unit=incident.unit,
            unit_name=self._parts.unit_name(incident.unit),
            system=incident.system,
            system_name=self._parts.system(incident.system).name if incident.system else "",
            category=category.zh if category else incident.category,
            kind=incident.kind,
            grade=incident.grade,
            discovered=incident.discovered,
            place=incident.place,
            persons=incident.persons,
            owner=incident.owner,
            ended=incident.ended,
            alerts=len(self._store.groups(incident)),
        )

    def work(self, now: datetime) -> int:
        """Remind of reports that are owed; how many reminders."""
        count = 0
        for incident in self._store.owing():
            steps = reminders(incident, self._rules, now)
            if steps:
                count += len(steps)
                self._remind(incident.number, now)
        return count

    def _remind(self, number: str, now: datetime) -> None:
        with self._store.work(SYSTEM_ACTOR, now) as work:
            incident = work.get(number)
            for step in reminders(incident, self._rules, now):
                incident = work.put(
                    msgspec.structs.replace(
                        step, incident=msgspec.structs.replace(incident, reminded=step.incident.reminded)
                    )
                )

    def _filled(self, order: NewIncident, groups: Sequence[str], actor: str, now: datetime) -> Incident:
        """The order with what the alerts and the registry say where it is silent."""
        alerts = [self._parts.alert(group) for group in groups]
        system = self._parts.system(order.system) if order.system else None
        units = {alert.unit for alert in alerts} | ({system.unit} if system else set())
        if not order.unit and len(units) != 1:
            raise bad("unit", "请指明所属单位", "has to be named")
        discovered = order.discovered or now
        clock = order.clock or (_CRITICAL if system is not None and system.critical else _OTHER)
        values: Mapping[str, object] = {
            name: getattr(order, name)
            for name in ("system", "kind", "grade", "owner", "place", "persons", "summary")
        }
        return Incident(
            title=order.title or _title(alerts),
            unit=order.unit or next(iter(units)),
            category=order.category or self._rules.classification.categories[1].id,
            clock=clock,
            discovered=discovered,
            judged=discovered,
            created=now,
            created_by=actor,
            updated=now,
            **values,  # type: ignore[arg-type]
        )


def _title(alerts: Sequence[AlertGroup]) -> str:
    """Named after the gravest thing that was seen, as the queue names it."""
    if not alerts:
        return ""
    first = alerts[0]
    more = f" 等 {len(alerts)} 组告警" if len(alerts) > 1 else ""
    return one_line(f"{first.title.zh}:{first.entity}")[:_TITLE_CHARS] + more


def _no_more(number: str) -> Refused:
    return Refused(
        "incident-state",
        Words("事件已办结,或告警已达上限", "the incident is closed, or full of alerts"),
        Words("请另立一起", "open another one"),
        field=number,
    )
