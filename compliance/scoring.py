"""Results of items rolled up: item, control point, domain, layer, system, unit; with verdict and rule.

Pure. A major risk is counted before rectification: once seen it stays in the count until the next assessment
and is shown as rectified when it is gone, as the template of 2025 wants it: 10（5个已整改）.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from compliance.catalogue import DOMAINS, Item
from compliance.checklist import LAYERS
from compliance.evaluation import VERDICTS, Verdict
from compliance.grading import ItemResult, combined
from compliance.registry import GradedSystem
from compliance.verdict_rule import (
    Conclusion,
    Judged2021,
    VerdictRule,
    conclude,
    decided_share,
    rate,
    score_2021,
)

Counts = dict[Verdict, int]
_NOTHING: Final = "未定"


class ItemVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One item over all its objects."""

    item: str
    verdict: Verdict
    risk: str
    objects: int
    stale_at: datetime | None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A domain, layer or control point with the items that came to each verdict."""

    name: str
    counts: Counts
    rate: float | None


class MajorRisk(msgspec.Struct, frozen=True, kw_only=True):
    """A 重大风险隐患 of the running year: ``rectified`` is when it was first seen mended."""

    trigger: str
    item: str
    object: str
    first_seen: date
    rectified: date | None = None


class SystemScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a graded system comes to, and by which rule; a self-check, never an assessment result."""

    system: str
    unit: str
    grade: str
    level: int
    time: datetime
    rule: str
    template: str
    items: int
    results: int
    counts: Counts
    rate: float | None
    decided: float  # percent of items decided
    conclusion: Conclusion
    domains: tuple[Group, ...]
    layers: tuple[Group, ...]
    high_risks: int  # results at high or major risk that are not mitigated
    mitigated: int
    major_risks: tuple[MajorRisk, ...]

    @property
    def major_open(self) -> int:
        """Major risks not rectified yet."""
        return sum(risk.rectified is None for risk in self.major_risks)


class UnitScore(msgspec.Struct, frozen=True, kw_only=True):
    """What the systems of a unit and of those below it come to together."""

    unit: str
    systems: int
    by_level: dict[int, int]
    conclusions: dict[Conclusion, int]
    counts: Counts
    rate: float | None
    layers: tuple[Group, ...]
    high_risks: int
    major_risks: int
    major_rectified: int


def item_verdicts(items: Sequence[Item], results: Iterable[ItemResult]) -> tuple[ItemVerdict, ...]:
    """One verdict an item."""
    by_item: dict[str, list[ItemResult]] = {item.id: [] for item in items}
    for result in results:
        by_item[result.item].append(result)
    order = ("", "low", "medium", "high", "major")
    return tuple(
        ItemVerdict(
            item=name,
            verdict=combined(one.verdict for one in those),
            risk=max((one.risk for one in those), key=order.index, default=""),
            objects=sum(bool(one.object) for one in those),
            stale_at=min((one.stale_at for one in those if one.stale_at), default=None),
        )
        for name, those in by_item.items()
    )


def score(
    system: GradedSystem,
    items: Sequence[Item],
    results: Sequence[ItemResult],
    *,
    rule: VerdictRule,
    before: SystemScore | None,
    now: datetime,
) -> SystemScore:
    """The score of a system at ``now``; ``before`` is the last one, whose major risks go on being counted."""
    verdicts = item_verdicts(items, results)
    votes = results if rule.rate.basis == "result" else verdicts
    counted = _count(vote.verdict for vote in votes)
    major = _major_risks(items, results, system, before, now)
    by_id = {item.id: item for item in items}
    return SystemScore(
        system=system.id,
        unit=system.unit,
        grade=system.grade,
        level=system.level,
        time=now,
        rule=rule.version,
        template=rule.template,
        items=len(items),
        results=len(results),
        counts=_count(one.verdict for one in verdicts),
        rate=rate(counted, rule),
        decided=decided_share(counted),
        conclusion=conclude(counted, len(major), rule),
        domains=_groups(DOMAINS, [(by_id[one.item].domain, one.verdict) for one in verdicts], rule),
        layers=_groups(tuple(LAYERS), [(by_id[one.item].layer, one.verdict) for one in verdicts], rule),
        high_risks=sum(one.risk in ("high", "major") for one in results),
        mitigated=sum(bool(one.mitigation) and one.risk in ("low", "medium") for one in results),
        major_risks=major,
    )


def points(items: Sequence[Item], verdicts: Iterable[ItemVerdict], rule: VerdictRule) -> tuple[Group, ...]:
    """Control points in the order of the standard, named by clause and point."""
    names = {item.id: f"{item.clause} {item.point}" for item in items}
    order = tuple(dict.fromkeys(names.values()))
    return _groups(order, [(names[one.item], one.verdict) for one in verdicts], rule)


def roll_up(unit: str, scores: Iterable[SystemScore], rule: VerdictRule) -> UnitScore:
    """Systems of a unit as one: items are added up, so a large system weighs more than a small one."""
    those = list(scores)
    counts = _sum(one.counts for one in those)
    conclusions: dict[Conclusion, int] = {"符合": 0, "基本符合": 0, "不符合": 0, "未定": 0}
    for one in those:
        conclusions[one.conclusion] += 1
    layers = tuple(
        Group(name=layer, counts=summed, rate=rate(summed, rule))
        for layer in LAYERS
        for summed in [_sum(g.counts for one in those for g in one.layers if g.name == layer)]
    )
    return UnitScore(
        unit=unit,
        systems=len(those),
        by_level={level: sum(one.level == level for one in those) for level in range(1, 5)},
        conclusions=conclusions,
        counts=counts,
        rate=rate(counts, rule),
        layers=layers,
        high_risks=sum(one.high_risks for one in those),
        major_risks=sum(len(one.major_risks) for one in those),
        major_rectified=sum(len(one.major_risks) - one.major_open for one in those),
    )


def read_2021(items: Sequence[Item], verdicts: Iterable[ItemVerdict], rule: VerdictRule) -> tuple[float, str]:
    """The same verdicts by the formula of 2021, to set a new result beside an old report."""
    by_id = {item.id: item for item in items}
    those = list(verdicts)
    judged = [
        Judged2021(verdict=one.verdict, domain=by_id[one.item].domain, importance=by_id[one.item].importance)
        for one in those
    ]
    risks = {one.risk for one in those}
    return score_2021(
        judged,
        high_risk=bool(risks & {"high", "major"}),
        medium_risk="medium" in risks,
        rule=rule.formula_2021,
    )


def _major_risks(
    items: Sequence[Item],
    results: Sequence[ItemResult],
    system: GradedSystem,
    before: SystemScore | None,
    now: datetime,
) -> tuple[MajorRisk, ...]:
    """Those of now, and those seen since the last assessment that are mended by now."""
    triggers = {item.id: item.major_risk_triggers for item in items}
    here = {
        (trigger, one.item, one.object)
        for one in results
        if one.risk == "major"
        for trigger in triggers[one.item]
    }
    known = {
        (risk.trigger, risk.item, risk.object): risk
        for risk in (before.major_risks if before else ())
        if risk.rectified is None or system.assessed is None or risk.rectified >= system.assessed
    }
    today = now.date()
    found = []
    for key in sorted(here | set(known)):
        trigger, item, name = key
        old = known.get(key)
        fresh = MajorRisk(trigger=trigger, item=item, object=name, first_seen=today)
        if key in here:
            found.append(msgspec.structs.replace(old, rectified=None) if old else fresh)
        elif old is not None:
            found.append(msgspec.structs.replace(old, rectified=old.rectified or today))
    return tuple(found)


def _groups(
    names: Sequence[str], pairs: Sequence[tuple[str, Verdict]], rule: VerdictRule
) -> tuple[Group, ...]:
    groups = []
    for name in names:
        counts = _count(verdict for place, verdict in pairs if place == name)
        if sum(counts.values()):
            groups.append(Group(name=name, counts=counts, rate=rate(counts, rule)))
    return tuple(groups)


def _count(verdicts: Iterable[Verdict]) -> Counts:
    counts: Counts = dict.fromkeys(VERDICTS, 0)
    for verdict in verdicts:
        counts[verdict] += 1
    return counts


def _sum(many: Iterable[Mapping[Verdict, int]]) -> Counts:
    counts: Counts = dict.fromkeys(VERDICTS, 0)
    for one in many:
        for verdict, number in one.items():
            counts[verdict] += number
    return counts
