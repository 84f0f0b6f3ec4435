"""Rules asked of what is stored: the alerts that the live engine would have raised.

Rules on single events read only what may satisfy them, through SQL. Correlations get every event in the order
it was received, as live, because time and lateness go by all events; they begin early enough before the range
for their windows to be what they were, those that judge whole windows at the beginning of the store.
"""

import tomllib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import BadInput, Words
from detection.alert import Alert
from detection.condition import Always, Condition, any_of
from detection.correlation.detector import RuleDetector
from detection.correlation.parameters import CorrelationParameters, correlation_parameters
from detection.correlation.rule import Correlation
from detection.detector import FeedFailed
from detection.sigma.imported import current_folder
from detection.sigma.lists import read_lists
from detection.sigma.load import SHIPPED, Loaded, load_all
from detection.sigma.rule import Rule
from detection.store.event_store import EventStore
from rules import ROOT
from sensors.event import Event

BATCH_EVENTS: Final = 2_048


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The rules somebody asks for (``wanted``, their ids) and all that those stand on."""

    wanted: frozenset[str]
    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...]


class Retrospect(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts, newest first; whether older ones were left out; files that could not be read."""

    alerts: tuple[Alert, ...]
    more: bool
    findings: tuple[Words, ...]


def asked_rules(named: str, data: Path) -> Asked:
    """The rules of a file or folder, or the shipped or imported one with that id. Raises BadInput.

    Correlations in a file may stand on shipped rules. Lists of the center's data folder count.
    """
    lists, _ = read_lists([SHIPPED, data / "lists"])
    shipped = [folder for name in ("sigma", "correlation") if (folder := ROOT / name).is_dir()]
    if release := current_folder(data / "rules" / "imported"):
        shipped.append(release / "rules")
    path = Path(named)
    if not path.exists():
        loaded = load_all(shipped, lists)
        wanted = frozenset(one.id for one in (*loaded.rules, *loaded.correlations) if one.id == named)
        if not wanted:
            raise _unknown(named)
        return _with_inner(wanted, loaded)
    loaded = load_all([path], lists)
    wanted = frozenset(one.id for one in (*loaded.rules, *loaded.correlations))
    if loaded.errors:
        together = load_all([path, *shipped], lists)
        own = [error for error in together.errors if _stands_in(error.field, path)]
        # a shipped file is read twice here: its rules are doubled, and that is no fault
        errors = [error for error in own if error.code != "rule-doubled"]
        if errors:
            raise errors[0]
        loaded = together
        found = (*loaded.rules, *loaded.correlations)
        wanted = frozenset(one.id for one in found if _stands_in(one.path, path))
    return _with_inner(wanted, loaded)


def retrospect(
    store: EventStore,
    asked: Asked,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 1_000,
    unknown_to_all: bool = False,
) -> Retrospect:
    """The newest alerts of the range that the rules would have raised live."""
    parameters = correlation_parameters()
    detector = RuleDetector(
        asked.rules, asked.correlations, parameters=parameters, unknown_to_all=unknown_to_all
    )
    findings: list[Words] = []
    condition: Condition = any_of(rule.condition for rule in asked.rules)
    first, last = since, until
    if asked.correlations:
        condition = Always(True)
        first, last = _reach(asked.correlations, parameters, since, until)
    events = store.arrived(condition, since=first, until=last, unreadable=findings.append)
    kept: dict[str, Alert] = {}
    more = False
    for batch in _batches(events):
        for alert in _fed(detector, batch):
            inside = (not since or alert.time >= since) and (not until or alert.time <= until)
            if alert.rule in asked.wanted and inside:
                kept[alert.id] = alert  # one told again, because an event came late, is one
            elif alert.id in kept:
                del kept[alert.id]  # what came late moved it out of the range
        if len(kept) > 4 * limit:
            kept, more = _newest(kept, 2 * limit), True
    newest = _newest(kept, limit)
    return Retrospect(
        alerts=tuple(newest.values()), more=more or len(newest) < len(kept), findings=tuple(findings)
    )


def unknown_goes_to_all(data: Path) -> bool:
    """Whether the center tries events that say nothing of their log source on every rule."""
    try:
        settings = tomllib.loads((data / "center.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False  # the center itself words what is wrong with its settings
    section = settings.get("detection")
    return isinstance(section, dict) and section.get("unknown_to_all") is True


def _with_inner(wanted: frozenset[str], loaded: Loaded) -> Asked:
    needed = set(wanted)
    for one in reversed(loaded.correlations):  # outer ones first
        if one.id in needed:
            needed.update(one.rules)
    return Asked(
        wanted=wanted,
        rules=tuple(rule for rule in loaded.rules if rule.id in needed),
        correlations=tuple(one for one in loaded.correlations if one.id in needed),
    )


def _reach(
    correlations: Sequence[Correlation],
    parameters: CorrelationParameters,
    since: datetime | None,
    until: datetime | None,
) -> tuple[datetime | None, datetime | None]:
    """From when to when events must be seen for the alerts of the range to be what they were."""
    lateness = timedelta(seconds=parameters.lateness_seconds)
    # a slot and the window before its first event, for each link of a chain
    margin = sum((2 * (timedelta(seconds=one.span_seconds) + lateness) for one in correlations), lateness)
    whole = any(not one.lower_bounded for one in correlations)
    first = None if since is None or whole else _moved(since, -margin)
    return first, None if until is None else _moved(until, margin)


def _moved(time: datetime, by: timedelta) -> datetime | None:
    try:
        return time + by
    except OverflowError:
        return None


def _fed(detector: RuleDetector, events: Sequence[Event]) -> list[Alert]:
    """The alerts of a batch; as live, an event the engine cannot take costs that event only."""
    alerts: list[Alert] = []
    while events:
        try:
            return alerts + detector.feed(events)
        except FeedFailed as failure:
            alerts += failure.alerts
            events = events[failure.index + 1 :]
    return alerts


def _batches(events: Iterator[Event]) -> Iterator[list[Event]]:
    while batch := list(islice(events, BATCH_EVENTS)):
        yield batch


def _newest(alerts: dict[str, Alert], limit: int) -> dict[str, Alert]:
    ordered = sorted(alerts.values(), key=lambda alert: (alert.time, alert.id), reverse=True)
    return {alert.id: alert for alert in ordered[:limit]}


def _stands_in(place: str, path: Path) -> bool:
    """Whether "file" or "file:line" lies at or under the path."""
    file = place.rpartition(":")[0] if place.rpartition(":")[2].isdigit() else place
    return Path(file).is_relative_to(path)


def _unknown(named: str) -> BadInput:
    return BadInput(
        "hunt-rule",
        Words(f"没有这个规则文件,也没有这个编号的规则:{named[:120]}", f"no such rule: {named[:120]}"),
        Words(
            "请给出规则文件的路径,或 liuhe rules check --json 列出的 id",
            "give the path of a rule file, or an id as liuhe rules check --json lists them",
        ),
        field="--rule",
    )
