"""Collects a month's numbers from the stores into one Report; reads only, time is an argument."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from compliance.check_store import CheckStore
from compliance.checklist import Check
from compliance.ledger import Ledger
from compliance.registry import GradedSystem
from compliance.report.alerts import alert_figures, alert_line
from compliance.report.lines import (
    STAGES_ZH,
    Verdicts,
    check_lines,
    counts_of,
    layer_rows,
    sensor_lines,
    warnings_of,
)
from compliance.report.model import (
    SEVERITIES_ZH,
    TEMPLATE_VERSION,
    AreaRow,
    EvidenceLine,
    Report,
    RetentionLine,
    RiskLine,
    Scope,
    ScoreLine,
    SystemLine,
    TransferFigures,
    TrendPoint,
    decided_of,
    rate_of,
)
from compliance.report.times import due_date, minute, month_bounds, months_before
from compliance.report_figures_store import FiguresStore
from compliance.scoring import SystemScore
from compliance.unit_tree import UnitTree
from compliance.views import valid_at
from detection.store.alert_group import AlertGroup
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory import Gap, SensorState
from detection.store.inventory_store import InventoryStore

_PAGE: Final = 200
_GAPS_MAX: Final = 100_000
_GROUPS_MAX: Final = 20_000  # of one month; more would make an unreadable annex
_TREND_MONTHS: Final = 12
# Numbers of high-risk cases and triggers of major risks for a check on a system of some level.
Cases = Callable[[Check, GradedSystem], tuple[Sequence[str], Sequence[str]]]
Scores = Callable[[GradedSystem, datetime], tuple[SystemScore, str] | None]  # with its rule in words
Transfers = Callable[[datetime, datetime], TransferFigures | None]


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """Where the numbers come from. ``mine`` tells whether an alert belongs to what is reported."""

    systems: tuple[GradedSystem, ...]
    tree: UnitTree
    scope: Scope
    unit: str
    unit_name: str
    center: str
    checks: tuple[Check, ...]
    results: CheckStore
    figures: FiguresStore
    alerts: AlertStore
    inventory: InventoryStore
    events: EventStore
    ledger: Ledger
    retention_days: int
    rules: int
    due_day: int
    mine: Callable[[AlertGroup], bool]
    shown: Callable[[AlertGroup], AlertGroup]  # as a report may show it
    my_host: Callable[[str, str], bool]  # of a host and the unit of its sensor
    cases: Cases
    scores: Scores
    transfers: Transfers


def monthly(
    sources: Sources, *, identifier: str, month: str, edition: int, corrects: str, now: datetime
) -> Report:
    """The report of ``month`` as of ``now``. Raises BadInput (report-month)."""
    start, end = month_bounds(month)
    kept = {
        (system.id, check): (valid_at(one.evaluation, now), one.leaf)
        for system in sources.systems
        for check, one in sources.results.newest(system.id).items()
    }
    verdicts = {place: one for place, (one, _) in kept.items()}
    owners = {system.id: system.unit for system in sources.systems}
    groups = [sources.shown(group) for group in _groups(sources, start, end)]
    gaps = [gap for gap in sources.inventory.gaps(limit=_GAPS_MAX) if start <= gap.time < end]
    sensors = [one for one in sources.inventory.sensors(now) if sources.my_host(one.host, one.unit)]
    signed = sources.ledger.latest()
    size = signed.checkpoint.size if signed else 0  # what the checkpoint covers, whatever came after it
    orders = sources.figures.orders(owners, start, end, now)
    late = Counter(owners[row.system] for row in orders.rows if row.overdue)
    return Report(
        template=TEMPLATE_VERSION,
        id=identifier,
        month=month,
        edition=edition,
        corrects=corrects,
        due=due_date(month, sources.due_day),
        scope=sources.scope,
        unit=sources.unit,
        unit_name=sources.unit_name,
        center=sources.center,
        created=minute(now),
        rules=sources.rules,
        systems=tuple(_system_line(sources, system, verdicts, now) for system in sources.systems),
        layers=layer_rows(sources.checks, owners, verdicts, sources.figures.verdicts_at(owners, start)),
        trend=_trend(sources, owners, verdicts, month, now),
        areas=_areas(sources, verdicts, late),
        checks=check_lines(sources.checks, sources.systems, kept),
        risks=_risks(sources, verdicts, start, end),
        scores=tuple(_scores(sources, now)),
        alerts=tuple(map(alert_line, groups)),
        alert_figures=alert_figures(groups, sources.figures.handling_minutes(start, end)),
        sensors=sensor_lines(sensors, gaps),
        events_total=max(0, sources.events.count_since(start) - sources.events.count_since(end)),
        events_oldest=_oldest(sources.events),
        retention_days=sources.retention_days,
        retention=_retention(sources.events, sensors, gaps, now),
        orders=msgspec.structs.replace(
            orders, worst=tuple((_unit_name(sources, code), count) for code, count in orders.worst)
        ),
        attestations=sources.figures.attestations(owners, min(end, now)),
        gates=sources.figures.gates(owners, start, end),
        transfers=sources.transfers(start, end),
        imports=sources.figures.imports(owners, start, end),
        evidence=_evidence(sources.ledger, sorted({leaf for _, leaf in kept.values()}), size),
        ledger_size=size,
        ledger_root=sources.ledger.root(size).hex(),
        checkpoint=signed.raw.decode() if signed else "",
    )


def _system_line(sources: Sources, system: GradedSystem, verdicts: Verdicts, now: datetime) -> SystemLine:
    counts = counts_of(sources.checks, (system.id,), verdicts)
    return SystemLine(
        id=system.id,
        name=system.name,
        unit=system.unit,
        unit_name=_unit_name(sources, system.unit),
        level=system.level,
        grade=system.grade,
        stage=STAGES_ZH[system.stage],
        filing_number=system.filing_number,
        filing_expires=_date(system.filing_expires),
        assessed=_date(system.assessed),
        assessment_due=_date(system.assessment_due),
        crypto_assessed=_date(system.crypto_assessed),
        crypto_due=_date(system.crypto_due),
        warnings=warnings_of(system, now),
        rate=rate_of(counts),
        decided=decided_of(counts),
    )


def _trend(
    sources: Sources, systems: Mapping[str, str], verdicts: Verdicts, month: str, now: datetime
) -> tuple[TrendPoint, ...]:
    points = []
    for name in months_before(month, _TREND_MONTHS):
        _, end = month_bounds(name)
        then = verdicts if end > now else sources.figures.verdicts_at(systems, end)
        counts = counts_of(sources.checks, systems, then)
        points.append(TrendPoint(month=name, rate=rate_of(counts), decided=decided_of(counts)))
    return tuple(points)


def _areas(sources: Sources, verdicts: Verdicts, late: Mapping[str, int]) -> tuple[AreaRow, ...]:
    if sources.scope != "unit":
        return ()
    rows = []
    for code in sources.tree.children(sources.unit):
        below = sources.tree.subtree(code)
        inside = [system.id for system in sources.systems if system.unit in below]
        if inside:
            rows.append(
                AreaRow(
                    code=code,
                    name=_unit_name(sources, code),
                    systems=len(inside),
                    counts=counts_of(sources.checks, inside, verdicts),
                    overdue=sum(late.get(unit, 0) for unit in below),
                )
            )
    return tuple(rows)


def _risks(sources: Sources, verdicts: Verdicts, start: datetime, end: datetime) -> tuple[RiskLine, ...]:
    systems = {system.id: system for system in sources.systems}
    short = {place: one for place, one in verdicts.items() if one.verdict in ("不符合", "部分符合")}
    fell = sources.figures.fell_short(systems, start, end) | short
    checks = {check.id: check for check in sources.checks}
    found = []
    for (system, name), one in sorted(fell.items()):
        if name not in checks or system not in systems:
            continue
        check = checks[name]
        cases, triggers = sources.cases(check, systems[system])
        if cases or triggers:
            now_is = verdicts.get((system, name))
            found.append(
                RiskLine(
                    system=systems[system].name,
                    check=name,
                    title=check.title.zh,
                    severity=SEVERITIES_ZH[check.severity],
                    cases=" ".join(cases),
                    triggers=" ".join(triggers),
                    verdict=now_is.verdict if now_is else one.verdict,
                    mitigation="",
                    mended=now_is is not None and now_is.verdict in ("符合", "不适用"),
                )
            )
    return tuple(found)


def _scores(sources: Sources, now: datetime) -> Iterator[ScoreLine]:
    for system in sources.systems:
        found = sources.scores(system, now)
        if found is not None:
            score, rule = found
            yield ScoreLine(
                system=system.name,
                template=score.template,
                conclusion=score.conclusion,
                rate=score.rate,
                decided=score.decided,
                items=score.items,
                high_risks=score.high_risks,
                mitigated=score.mitigated,
                major_risks=len(score.major_risks),
                rectified=sum(one.rectified is not None for one in score.major_risks),
                rule=rule,
            )


def _groups(sources: Sources, start: datetime, end: datetime) -> Iterator[AlertGroup]:
    cursor, seen = "", 0
    while seen < _GROUPS_MAX:
        page = sources.alerts.page(state="all", cursor=cursor, limit=_PAGE)
        for group in page.rows:
            if group.last_seen < start:
                return  # rows come newest first
            if group.first_seen < end and sources.mine(group):
                seen += 1
                yield group
        cursor = page.next
        if not cursor:
            return


def _retention(
    events: EventStore, sensors: Sequence[SensorState], gaps: Sequence[Gap], now: datetime
) -> tuple[RetentionLine, ...]:
    oldest = events.oldest({sensor.sensor for sensor in sensors})
    return tuple(
        RetentionLine(
            source=line.id,
            oldest=minute(oldest[line.id]),
            days=max(0, (now - oldest[line.id]).days),
            gaps=line.gaps,
            lost=line.lost,
        )
        for line in sensor_lines(sensors, gaps)
        if line.id in oldest
    )


def _evidence(ledger: Ledger, leaves: Sequence[int], size: int) -> tuple[EvidenceLine, ...]:
    records = [ledger.record(leaf) for leaf in leaves if leaf < size]
    return tuple(
        EvidenceLine(
            leaf=record.sequence,
            kind=record.kind,
            subject=record.subject,
            time=minute(record.time),
            actor=record.actor,
            payload_sm3=record.payload_sm3,
        )
        for record in records
    )


def _oldest(events: EventStore) -> str:
    times = [segment.time_min for segment in events.segments() if segment.status == "sealed"]
    return minute(min(times)) if times else "尚无封存段"


def _unit_name(sources: Sources, code: str) -> str:
    unit = sources.tree.get(code)
    return unit.name if unit else code


def _date(value: date | None) -> str:
    return "" if value is None else value.isoformat()
