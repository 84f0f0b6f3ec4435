"""Exceptions: alerts that people decided to let pass, for a while, where they were meant, and never unseen.

An exception names rules, units and a condition in the query language over the events of an alert, with the
alert's own words beside them (``alert.rule``, ``alert.entity``, …). It covers an alert only if the condition
holds of **every** event the alert carries: one harmless step must not hide a chain. A maintenance window is
the same thing bound to event time. What tells of the health of sensors is never covered; what is critical,
or concerns a protected asset, only where a second person approved.
"""

import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, Protocol

import msgspec
from msgspec import UNSET

from crypto.words import Words
from detection.alert import Alert
from detection.condition import Always, Condition
from detection.evaluate import matches
from detection.facts import texts_of
from detection.query.characters import plain
from detection.query.fields import Fields, read_fields, shipped_fields
from detection.query.parse import parse_query
from rules import ROOT
from sensors.event import Event, Value

Kind = Literal["exception", "maintenance"]
State = Literal["waiting", "active", "refused", "ended"]
Phase = Literal["waiting", "scheduled", "active", "expired", "refused", "ended"]

LOOK: Final = timedelta(seconds=1)  # between looks at what was decided
READ: Final = timedelta(minutes=1)  # what is protected may change without a decision
REMEMBERED_MAX: Final = 20_000  # ids of alerts held back: a window told again is not counted again
TERM_CHARS_MAX: Final = 500  # a longer value is no term that a person can judge
_NAME: Final = re.compile(r"[A-Za-z0-9._@-]{1,128}")  # what a query can say without an alias
_NAMING: Final = ("host.name", "observer.name", "source.ip", "destination.ip", "server.ip")
_ABOUT: Final = "alert."
_OWN_PRODUCT: Final = "liuhe"  # what sensors and the center tell of themselves


class Exemption(msgspec.Struct, frozen=True, kw_only=True):
    """One exception as it stands. Empty ``rules`` mean any rule, an empty ``condition`` any event."""

    id: int = 0
    kind: Kind
    title: str
    rules: tuple[str, ...]
    unit: str
    units: tuple[str, ...]
    condition: str
    reason: str
    owner: str
    asked: datetime
    asked_by: str
    begins: datetime
    expires: datetime
    state: State = "waiting"
    grave: tuple[Words, ...] = ()  # why a second person must agree; empty where nobody need
    decided: datetime | None = None
    decided_by: str = ""
    note: str = ""
    origin: str = ""
    expected: dict[str, int] = {}

    @property
    def approved(self) -> bool:
        """Whether a second person agreed."""
        return self.state == "active" and bool(self.decided_by)

    def phase(self, now: datetime) -> Phase:
        """Its state with the time taken along."""
        if self.state != "active":
            return "expired" if self.state == "waiting" and now >= self.expires else self.state
        if now >= self.expires:
            return "expired"
        return "scheduled" if now < self.begins else "active"


class Withheld(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that an exception held back."""

    exception: int
    alert: Alert


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What holds now: exceptions in the order they were made, and the names of protected assets."""

    revision: int
    exemptions: tuple[Exemption, ...]
    protected: frozenset[str] = frozenset()


class Book(Protocol):
    """Where decisions stand (detection.store.exception_store)."""

    def revision(self) -> int:
        """Grows with every decision."""
        ...

    def in_force(self, now: datetime) -> InForce:
        """What is active and not expired."""
        ...


class Sieve:
    """Parts the alerts of a batch; one thread uses it, the pipeline's."""

    def __init__(self, book: Book, now: datetime) -> None:
        self._book = book
        self._looked = self._read = now
        self._force = book.in_force(now)
        self._known: OrderedDict[str, None] = OrderedDict()

    def sift(self, alerts: Sequence[Alert], now: datetime) -> tuple[list[Alert], list[Withheld]]:
        """Those to be raised, and those held back that are not counted yet."""
        if now - self._looked >= LOOK or now < self._looked:
            self._looked = now
            stale = abs(now - self._read) >= READ and bool(self._force.exemptions)
            if stale or self._book.revision() != self._force.revision:
                self._force, self._read = self._book.in_force(now), now
        kept: list[Alert] = []
        withheld: list[Withheld] = []
        for alert in alerts:
            found = covering(self._force, alert, now)
            if found is None:
                kept.append(alert)
            elif self._is_new(alert.id):
                withheld.append(Withheld(exception=found.id, alert=alert))
        return kept, withheld

    def _is_new(self, identifier: str) -> bool:
        if identifier in self._known:
            self._known.move_to_end(identifier)
            return False
        self._known[identifier] = None
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)
        return True


def covering(force: InForce, alert: Alert, now: datetime) -> Exemption | None:
    """The first exception that holds an alert back; None where it must be raised."""
    if not force.exemptions or of_health(alert):
        return None
    guarded = alert.severity == "critical" or not names_of(alert).isdisjoint(force.protected)
    for one in force.exemptions:
        if guarded and not one.approved:
            continue
        # Planned work counts by when it was done, whatever a log needed to get here.
        at = alert.time if one.kind == "maintenance" else now
        if one.begins <= at < one.expires and now < one.expires + timedelta(days=1) and covers(one, alert):
            return one
    return None


def covers(one: Exemption, alert: Alert) -> bool:
    """Whether rules, units and condition fit the alert; time and approval are the caller's."""
    if alert.unit not in one.units or (one.rules and alert.rule not in one.rules):
        return False
    condition = condition_of(one.condition)
    if condition == Always(True):
        return True
    return bool(alert.events) and all(matches(condition, _asked(alert, event)) for event in alert.events)


def of_health(alert: Alert) -> bool:
    """Whether an alert tells of the health of sensors, detectors or the center itself."""
    own = any(event.logsource.product == _OWN_PRODUCT for event in alert.events[-1:])
    return alert.detector == "health" or own


def names_of(alert: Alert) -> frozenset[str]:
    """Names and addresses an alert concerns, folded."""
    kind, _, name = alert.entity.partition(":")
    names = {name, name.rpartition("@")[2]} if kind == "user" else {name}
    for event in alert.events:
        for field in _NAMING:
            names.update(texts_of(event.fields.get(field)))
    return frozenset(one.casefold() for one in names if one)


def protected_names(names: Iterable[str]) -> frozenset[str]:
    """Names of assets as ``names_of`` gives them."""
    return frozenset(name.casefold() for name in names if name)


@lru_cache(maxsize=1_024)
def condition_of(text: str) -> Condition:
    """The condition of an exception; '' is any event. Raises BadInput (query-syntax)."""
    return parse_query(text, exception_fields()) if text.strip() else Always(True)


@lru_cache(maxsize=1)
def exception_fields() -> Fields:
    """Fields of events, and those of the alert itself."""
    own = read_fields(ROOT / "query" / "exception_fields.toml")
    return Fields([*own.known, *shipped_fields().known])


def about_alert(names: Collection[str]) -> bool:
    """Whether any of these fields is one of the alert, which stored events do not have."""
    return any(name.startswith(_ABOUT) for name in names)


def drafted(alert: Alert) -> tuple[str, ...]:
    """Terms of a condition that fits an alert: its entity, then what matched, each in the query language."""
    event = alert.events[-1] if alert.events else None
    terms = [term(f"{_ABOUT}entity", alert.entity)]
    for match in alert.matched:
        absent = match.selection.startswith("not ")
        if event is None or match.event != event.id or absent or not _NAME.fullmatch(match.field):
            continue
        texts = texts_of(match.value)
        if texts and len(texts[0]) <= TERM_CHARS_MAX:
            terms.append(term(match.field, texts[0]))
    return tuple(dict.fromkeys(terms))


def term(field: str, value: str) -> str:
    """``field:"value"`` with the value meant literally."""
    quoted = "".join(f"\\{sign}" if sign == "\\" or plain(sign) == '"' else sign for sign in value)
    return f'{field}:"{quoted}"'


def _asked(alert: Alert, event: Event) -> Event:
    """The event as the condition sees it: with the alert's own words."""
    said: dict[str, Value] = {
        "alert.rule": alert.rule,
        "alert.entity": alert.entity,
        "alert.severity": alert.severity,
        "alert.detector": alert.detector,
        "alert.title": [alert.title.zh, alert.title.en],
        "alert.unit": alert.unit,
        "alert.sensor": alert.sensor,
    }
    rare = [one.one_in for one in alert.matched if one.one_in is not UNSET]
    said["alert.one_in"] = max(rare) if rare else ""
    # Where the source's own names stand, which come first: no sensor can say these for the alert.
    return msgspec.structs.replace(event, native={**event.native, **said})
