"""What stands beside an alert group while somebody judges it: precedents, relations, its playbook."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from crypto.words import Refused, Words
from detection.playbooks import Playbook, Playbooks
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.playbook_store import Mark, PlaybookStore
from detection.store.precedents import Precedents, PrecedentStore
from detection.store.surroundings import Surroundings, surroundings


class Related(msgspec.Struct, frozen=True, kw_only=True):
    """Other groups, and what happened around the newest event."""

    groups: tuple[AlertGroup, ...]
    around: Surroundings
    session_value: str = ""


class TriageDesk:
    """Safe to share between threads."""

    def __init__(
        self,
        alerts: AlertStore,
        events: EventStore,
        precedents: PrecedentStore,
        marks: PlaybookStore,
        playbooks: Playbooks,
    ) -> None:
        self._alerts = alerts
        self._events = events
        self._precedents = precedents
        self._marks = marks
        self.playbooks = playbooks

    def revision(self) -> int:
        """Grows with every mark."""
        return self._marks.revision()

    def precedents(self, group: str, units: Collection[str] | None) -> Precedents:
        """How the like of a group was closed. Raises Refused (alert-not-found)."""
        return self._precedents.of(group, units)

    def related(self, group: str, units: Collection[str] | None) -> Related:
        """What else happened to the entity, its processes and its session. Raises Refused."""
        found = self._alerts.detail(group)
        events = found.alerts[0].alert.events if found.alerts else ()
        around = surroundings(self._events, events[-1]) if events else Surroundings()
        value = events[-1].fields.get(around.session_field) if around.session_field else ""
        groups = tuple(self._precedents.around(group, units))
        return Related(groups=groups, around=around, session_value=str(value or ""))

    def playbook(self, group: str) -> tuple[Playbook | None, dict[str, Mark]]:
        """The playbook of the group's rule and the marks by step. Raises Refused (alert-not-found)."""
        book = self.playbooks.of(self._alerts.detail(group).group.rule)
        if book is None:
            return None, {}
        return book, {mark.step: mark for mark in self._marks.marks(group) if mark.playbook == book.id}

    def mark(self, group: str, step: str, done: bool, actor: str, now: datetime) -> None:
        """Keep that a step is done or not. Raises Refused (alert-not-found, playbook-step-not-found)."""
        book, _ = self.playbook(group)
        steps = [one.id for one in book.steps] if book else []
        if book is None or step not in steps:
            raise Refused(
                "playbook-step-not-found",
                Words("预案中没有这一步", "the playbook has no such step"),
                Words("请刷新后重试", "reload and try again"),
                field="step",
            )
        self._marks.mark(group, book.id, step, steps.index(step), done=done, actor=actor, now=now)
