"""Facts against checks: pure, no clock; the same facts at the same moment give the same verdict.

A fact is what telemetry says of one object (a host, or the center itself) under one name. A verdict never
rests on silence: no fact, an unreadable one or a stale one is 未知, with the reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from compliance.checklist import Check, LiveTest
from crypto.words import Words
from detection.condition import fields as condition_fields
from detection.evaluate import matches
from sensors.event import Event, LogSource, Observation, Value, stamp

Verdict = Literal["符合", "部分符合", "不符合", "不适用", "未知"]
VERDICTS: Final[tuple[Verdict, ...]] = ("符合", "部分符合", "不符合", "不适用", "未知")
_VALUE_CHARS_MAX: Final = 60  # of one value in a sentence; the whole stands in the evidence
_REASONS_MAX: Final = 4  # shortcomings named in the sentence; all stand in the findings


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of ``object`` under ``name``; ``event`` is the id of the event that says so."""

    object: str
    name: str
    time: datetime
    fields: dict[str, Value]
    event: str = ""
    method: str = ""
    raw: str = ""
    error: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One test on one object: satisfied, not satisfied, not applicable, or unknown and why."""

    object: str
    fact: str
    state: Literal["satisfied", "unsatisfied", "inapplicable", "unknown"]
    why: Words
    evidence: Fact | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one check for one graded system, with everything it rests on."""

    check: str
    system: str
    verdict: Verdict
    reason: Words
    evaluated: datetime
    stale_at: datetime | None
    findings: tuple[Finding, ...]


def evaluate(check: Check, *, system: str, facts: Mapping[str, Sequence[Fact]], now: datetime) -> Evaluation:
    """The verdict of ``check``; ``facts`` maps a fact's name to what each object says."""
    findings = tuple(finding for test in check.tests for finding in _test(check, test, facts, now))
    verdict, reason = _verdict(check, findings)
    used = [f.evidence.time for f in findings if f.evidence and f.state != "unknown"]
    return Evaluation(
        check=check.id,
        system=system,
        verdict=verdict,
        reason=reason,
        evaluated=now,
        stale_at=min(used) + check.freshness if used else None,
        findings=findings,
    )


def _test(
    check: Check, test: LiveTest, facts: Mapping[str, Sequence[Fact]], now: datetime
) -> Iterable[Finding]:
    known = facts.get(test.fact, ())
    if not known:
        why = Words(f"尚未收到 {test.fact}", f"nothing received from {test.fact} yet")
        yield Finding(object="", fact=test.fact, state="unknown", why=why)
    for fact in known:
        yield _judge(check, test, fact, now)


def _judge(check: Check, test: LiveTest, fact: Fact, now: datetime) -> Finding:
    def finding(state: Literal["satisfied", "unsatisfied", "inapplicable", "unknown"], why: Words) -> Finding:
        return Finding(object=fact.object, fact=test.fact, state=state, why=why, evidence=fact)

    if fact.error:
        return finding("unknown", Words(f"读取失败:{fact.error}", f"could not be read: {fact.error}"))
    if now - fact.time > check.freshness:
        return finding("unknown", Words("证据已过期", "the evidence is stale"))
    asked = _asked(fact)
    if test.applies is not None and not matches(test.applies, asked):
        return finding("inapplicable", Words("该对象不适用", "does not apply to this object"))
    if matches(test.satisfied, asked):
        return finding("satisfied", Words("满足", "satisfied"))
    found = _asked_values(test, fact)
    zh, en = f"{test.fact} 未达要求:{found}", f"{test.fact} falls short: {found}"
    return finding("unsatisfied", Words(zh, en))


def _asked_values(test: LiveTest, fact: Fact) -> str:
    """What the condition asked about, with the values found: the shortest way to see what to mend."""
    shown = []
    for name in sorted(condition_fields(test.satisfied)):
        value = fact.fields.get(name)
        text = "、".join(map(str, value)) if isinstance(value, list) else str(value)
        shown.append(f"{name.rpartition('.')[2]}={text[:_VALUE_CHARS_MAX] or '∅'}")
    return ", ".join(shown)


def _verdict(check: Check, findings: Sequence[Finding]) -> tuple[Verdict, Words]:
    if not check.tests:
        return "未知", _nothing_live(check)
    by_state = {
        state: [f for f in findings if f.state == state]
        for state in ("satisfied", "unsatisfied", "inapplicable", "unknown")
    }
    short, unknown = by_state["unsatisfied"], by_state["unknown"]
    if short:
        verdict: Verdict = "部分符合" if by_state["satisfied"] else "不符合"
        return verdict, _naming(short)
    if unknown:
        return "未知", _naming(unknown)
    if not by_state["satisfied"]:
        return "不适用", _naming(by_state["inapplicable"])
    count = len(by_state["satisfied"])
    suffix = Words("", "")
    if check.method != "probe":
        # A probe sees a part of a mixed check; the statement of a person would complete it.
        suffix = Words(";人工证明部分未受理,仅就探针所见", "; the attested part is open, by probe only")
        return "部分符合", Words(
            f"{count} 项探针满足{suffix.zh}", f"{count} probe tests satisfied{suffix.en}"
        )
    return "符合", Words(f"{count} 项测试全部满足", f"all {count} tests satisfied")


def _naming(findings: Sequence[Finding]) -> Words:
    named = findings[:_REASONS_MAX]
    more = len(findings) - len(named)
    zh = ";".join(f"{f.object} {f.why.zh}".strip() for f in named) + (f";另 {more} 项" if more else "")
    en = "; ".join(f"{f.object} {f.why.en}".strip() for f in named) + (f"; {more} more" if more else "")
    return Words(zh, en)


def _nothing_live(check: Check) -> Words:
    if check.method == "attestation":
        return Words(
            f"需人工证明({check.evidence_form}),尚无有效证明",
            f"needs an attestation ({check.evidence_form}); none is on file",
        )
    return Words(
        f"尚未接入可判定的遥测:{check.looks_at}",
        f"no telemetry that could decide it is connected: {check.looks_at}",
    )


def _asked(fact: Fact) -> Event:
    # Conditions are asked of events, so a fact takes the form of one; it is never stored as such.
    seen = Observation(time=fact.time, logsource=LogSource(), fields=fact.fields)
    return stamp(seen, unit="", sensor="center", epoch=0, sequence=0)
