"""The rules as the console shows and switches them: ``soc_api.rule_port.RulePort``."""

import time
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from crypto.words import BadInput, Refused, Words
from detection.correlation.rule import Correlation
from detection.evaluate import compiled, explain
from detection.facts import Facts
from detection.offline import pasted
from detection.selections import selections
from detection.sigma.correlations import silent_rules
from detection.sigma.detector import SigmaDetector
from detection.sigma.document import FILE_BYTES_MAX
from detection.sigma.errors import RuleError
from detection.sigma.rule import Rule, routes
from detection.store.hit_store import Hits, HitStore
from rules import ROOT
from sensors.event import Event, LogSource
from soc_api.rule_port import (
    CountersValue,
    LogSourceValue,
    MatchedValue,
    PipelineValue,
    RuleDetailValue,
    RuleErrorValue,
    RuleHitValue,
    RuleNameValue,
    RulePageValue,
    RulePastValue,
    RuleRowValue,
    SelectionValue,
    State,
    TrialValue,
    Units,
    UnroutedValue,
    VerdictValue,
)
from soc_api.rule_report import Cost, Reported
from soc_api.rule_set import RuleSet
from soc_api.rule_store import RuleStore

DAYS: Final = 7
HITS_MAX: Final = 20
REASON_CHARS: Final = (2, 500)
SLOW_SECONDS: Final = 0.25  # counting hits that took longer is not done again at once
HELD: Final = timedelta(seconds=30)
_SCOPES_MAX: Final = 64  # parts of the tree whose counts are remembered

_Either = Rule | Correlation


class ConsoleRules:
    """Safe to share between threads."""

    def __init__(self, rules: RuleSet, store: RuleStore, hits: HitStore) -> None:
        self._store = store
        self._hits = hits
        every: list[_Either] = [*rules.rules, *rules.correlations]
        self._all = {one.id: one for one in every}
        self._silent = silent_rules(rules.correlations)
        self._errors = tuple(_error(one) for one in rules.errors if isinstance(one, RuleError))
        self._counted: dict[Units, tuple[datetime, float, dict[str, Hits]]] = {}
        self._users: dict[str, list[Correlation]] = {}
        for one in rules.correlations:
            for name in dict.fromkeys(one.rules):
                self._users.setdefault(name, []).append(one)

    def page(self, now: datetime, units: Units = None) -> RulePageValue:
        """Every rule and correlation, and how the pipeline does with them.

        What the pipeline counts is the whole center's: it is not told where ``units`` are given.
        """
        reported = self._store.report()
        return RulePageValue(
            rows=self._rows(tuple(self._all.values()), now, reported, units),
            errors=self._errors,
            days=DAYS,
            decided=self._store.newest(),
            pipeline=None if reported is None or units is not None else _pipeline(reported),
        )

    def detail(self, rule: str, now: datetime, units: Units = None) -> RuleDetailValue:
        """One of them. Raises Refused (rule-not-found)."""
        one = self._one(rule)
        watched = one.rules if isinstance(one, Correlation) else ()
        return RuleDetailValue(
            rule=self._rows((one,), now, self._store.report(), units)[0],
            description=one.description,
            author=one.author,
            references=one.references,
            falsepositives=one.falsepositives,
            place=f"{_place(one.path)}:{one.line}",
            digest=one.digest,
            text=_text(one),
            watches=tuple(_named(self._all[name]) for name in dict.fromkeys(watched) if name in self._all),
            watched_by=tuple(_named(user) for user in self._users.get(one.id, ())),
            history=tuple(
                msgspec.convert(past, RulePastValue, from_attributes=True)
                for past in self._store.history(one.id)
            ),
            hits=tuple(
                RuleHitValue(
                    group=group.id,
                    entity=group.entity,
                    severity=group.severity,
                    count=group.count,
                    last_seen=group.last_seen,
                    state=group.state,
                    classification=group.classification,
                )
                for group in self._hits.latest(one.id, HITS_MAX, units)
            ),
        )

    def decide(self, rule: str, enabled: bool, reason: str, actor: str, now: datetime) -> RuleRowValue:
        """Switch it on or off. Raises Refused (rule-not-found, rule-state), BadInput (rule-reason)."""
        one = self._one(rule)
        said = unicodedata.normalize("NFC", reason.strip())
        least, most = REASON_CHARS
        if not least <= len(said) <= most:
            raise BadInput(
                "rule-reason",
                Words("理由不合要求", "the reason is missing or too long"),
                Words(f"请写明理由,{least}-{most} 个字符", f"say why, in {least}-{most} characters"),
                field="reason",
            )
        self._store.decide(one.id, enabled, actor=actor, reason=said, now=now)
        return self._rows((one,), now, self._store.report())[0]

    def trial(self, rule: str, event: str) -> TrialValue:
        """What it says of a pasted event. Raises Refused (rule-not-found), BadInput (event-unreadable)."""
        one, read = self._one(rule), pasted(event)
        return TrialValue(
            time=read.time,
            logsource=_source(read.logsource),
            fields={**read.fields, **read.native},
            rules=tuple(_verdict(watched, read) for watched in self._plain(one)),
        )

    def revision(self) -> int:
        """Grows with every decision, new version and report of the pipeline."""
        return self._store.revision()

    def _one(self, rule: str) -> _Either:
        found = self._all.get(rule)
        if found is None:
            raise Refused(
                "rule-not-found",
                Words("没有这条规则", "there is no such rule"),
                Words("请核对编号,或刷新列表", "check its id, or reload the list"),
                field=rule,
            )
        return found

    def _count(self, now: datetime, units: Units) -> dict[str, Hits]:
        """The hits of all rules; where there are so many that counting is slow, those of a moment ago."""
        if (known := self._counted.get(units)) is not None:
            at, seconds, found = known
            if seconds > SLOW_SECONDS and timedelta() <= now - at < HELD:
                return found
        begun = time.perf_counter()
        found = self._hits.hits(now - timedelta(days=DAYS), units)
        if len(self._counted) >= _SCOPES_MAX:
            self._counted.clear()
        self._counted[units] = now, time.perf_counter() - begun, found
        return found

    def _plain(self, one: _Either) -> list[Rule]:
        """The rule itself, or those a correlation comes down to."""
        found: dict[str, Rule] = {}
        waiting = [one]
        while waiting:
            next_one = waiting.pop(0)
            if isinstance(next_one, Rule):
                found.setdefault(next_one.id, next_one)
            else:
                waiting += [self._all[name] for name in next_one.rules if name in self._all]
        return list(found.values())

    def _rows(
        self, those: Sequence[_Either], now: datetime, reported: Reported | None, units: Units = None
    ) -> tuple[RuleRowValue, ...]:
        hits, off = self._count(now, units), self._store.decided().disabled
        costs = reported.report.costs if reported else {}
        return tuple(
            _row(one, hits.get(one.id), costs.get(one.id), off=one.id in off, silent=one.id in self._silent)
            for one in those
        )


def _row(one: _Either, hits: Hits | None, cost: Cost | None, *, off: bool, silent: bool) -> RuleRowValue:
    needs = one.needs if isinstance(one, Rule) else ()
    state: State = "disabled" if off else "waiting" if needs else "enabled"
    return RuleRowValue(
        id=one.id,
        kind="rule" if isinstance(one, Rule) else "correlation",
        title=one.title,
        level=one.level,
        status=one.status,
        attack=one.attack,
        clauses=one.clauses,
        logsource=_source(one.logsource) if isinstance(one, Rule) else LogSourceValue(),
        correlation="" if isinstance(one, Rule) else one.kind,
        state=state,
        needs=needs,
        silent=silent,
        last_hit=hits.last if hits else None,
        hits=hits.recent if hits else 0,
        judged=hits.judged if hits else {},
        precision=hits.precision if hits else None,
        cost_nanoseconds=cost.nanoseconds if cost else None,
        cost_events=cost.events if cost else 0,
    )


def _verdict(rule: Rule, event: Event) -> VerdictValue:
    """What the engine says, and why: ``explain`` and the verdict of the stream are the same."""
    facts = Facts(event)
    return VerdictValue(
        id=rule.id,
        title=rule.title,
        logsource=_source(rule.logsource),
        routed=routes(rule.logsource, event.logsource),
        holds=compiled(rule.condition)(facts),
        verdict=bool(SigmaDetector([rule]).matching(event)),
        selections=tuple(
            SelectionValue(name=name, holds=compiled(one)(facts))
            for name, one in selections(rule.condition).items()
        ),
        matched=tuple(
            MatchedValue(field=one.field, value=one.value, selection=one.selection)
            for one in explain(rule.condition, event)
        ),
    )


def _pipeline(reported: Reported) -> PipelineValue:
    report = reported.report
    return PipelineValue(
        time=reported.time,
        started=report.started,
        applied=report.applied,
        rules=report.rules,
        correlations=report.correlations,
        events=report.events,
        unknown_to_all=report.unknown_to_all,
        unrouted_events=report.unrouted_events,
        unrouted=tuple(UnroutedValue(**_fields(one)) for one in report.unrouted),
        counters=CountersValue(**_fields(report.counters)),
    )


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(value)


def _source(source: LogSource) -> LogSourceValue:
    return LogSourceValue(product=source.product, category=source.category, service=source.service)


def _named(one: _Either) -> RuleNameValue:
    return RuleNameValue(id=one.id, title=one.title)


def _error(error: RuleError) -> RuleErrorValue:
    return RuleErrorValue(place=_place(error.field), code=error.code, message=error.what, fix=error.fix)


def _place(path: str) -> str:
    """A file's name as people know it: below the shipped rules, where it lies there."""
    return path.removeprefix(f"{ROOT}/")


def _text(one: _Either) -> str:
    """The file the rule was loaded from; '' where it is another one by now."""
    try:
        with Path(one.path).open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError:
        return ""
    if sha256(data).hexdigest() != one.digest:
        return ""
    return data.decode("utf-8-sig", "replace")
