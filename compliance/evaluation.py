"""Facts against checks: pure, no clock; the same facts at the same moment give the same verdict.

A fact is what telemetry says of one object (a host, or the center itself) under one name. A verdict never
rests on silence: no fact, an unreadable one or a stale one is 未知, with the reason. Where a person has to
state something, an accepted attestation that is not over is asked as a fact is; without one it is 未知 too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from compliance.attestation import Attestation, Claimed
from compliance.checklist import Check, LiveTest
from compliance.fact_names import fact_name
from crypto.words import Words
from detection.condition import fields as condition_fields
from detection.evaluate import matches
from sensors.event import Event, LogSource, Observation, Value, stamp

Verdict = Literal["符合", "部分符合", "不符合", "不适用", "未知"]
FindingState = Literal["satisfied", "partial", "unsatisfied", "inapplicable", "unknown"]
VERDICTS: Final[tuple[Verdict, ...]] = ("符合", "部分符合", "不符合", "不适用", "未知")
_VALUE_CHARS_MAX: Final = 60  # of one value in a sentence; the whole stands in the evidence
_REASONS_MAX: Final = 4  # shortcomings named in the sentence; all stand in the findings
ATTESTED: Final = "attestation"  # the name of what a person states, beside the names of facts
_CLAIMED: Final[dict[Claimed, FindingState]] = {
    "符合": "satisfied",
    "部分符合": "partial",
    "不符合": "unsatisfied",
    "不适用": "inapplicable",
}


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
    """One test on one object: satisfied or not, in part, not applicable, or unknown and why.

    ``stale_at`` is when its evidence is over; ``object`` '' is the graded system as a whole.
    """

    object: str
    fact: str
    state: FindingState
    why: Words
    evidence: Fact | None = None
    stale_at: datetime | None = None


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one check for one graded system, with everything it rests on."""

    check: str
    system: str
    verdict: Verdict
    reason: Words
    evaluated: datetime
    stale_at: datetime | None
    findings: tuple[Finding, ...]


class ObjectVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict of one check on one object."""

    object: str
    verdict: Verdict
    reason: Words
    stale_at: datetime | None


def evaluate(
    check: Check,
    *,
    system: str,
    facts: Mapping[str, Sequence[Fact]],
    now: datetime,
    attested: Sequence[Attestation] = (),
    hosts: Sequence[str] = (),
) -> Evaluation:
    """The verdict of ``check``; ``facts`` maps a fact's name to what each object says.

    ``attested`` are the attestations of this check and system, in any state; ``hosts`` are those registered:
    one that a test asks and that is silent is not passed over.
    """
    findings = tuple(finding for test in check.tests for finding in _test(check, test, facts, now, hosts))
    if check.form is not None:
        findings += tuple(_stated(attested, now))
    verdict, reason = _verdict(check, findings)
    return Evaluation(
        check=check.id,
        system=system,
        verdict=verdict,
        reason=reason,
        evaluated=now,
        stale_at=_stale_at(findings),
        findings=findings,
    )


def not_asked(check: Check, system: str, grade: str, now: datetime) -> Evaluation:
    """不适用: nothing the standard asks of a system of this grade is about the check."""
    why = Words(
        f"{grade} 及所选扩展没有对应的测评项", f"no item of {grade} and its extensions is about this check"
    )
    return Evaluation(
        check=check.id,
        system=system,
        verdict="不适用",
        reason=why,
        evaluated=now,
        stale_at=None,
        findings=(),
    )


def by_object(check: Check, evaluation: Evaluation) -> list[ObjectVerdict]:
    """The verdict on each object of an evaluation, by object."""
    grouped: dict[str, list[Finding]] = {}
    for finding in evaluation.findings:
        grouped.setdefault(finding.object, []).append(finding)
    found = []
    for name, findings in sorted(grouped.items()):
        verdict, reason = _verdict(check, findings)
        stale_at = _stale_at(findings)
        found.append(ObjectVerdict(object=name, verdict=verdict, reason=reason, stale_at=stale_at))
    return found


def _stale_at(findings: Sequence[Finding]) -> datetime | None:
    return min((f.stale_at for f in findings if f.stale_at and f.state != "unknown"), default=None)


def _test(
    check: Check, test: LiveTest, facts: Mapping[str, Sequence[Fact]], now: datetime, hosts: Sequence[str]
) -> Iterable[Finding]:
    known = facts.get(test.fact, ())
    called = fact_name(test.fact)
    why = Words(f"尚未收到「{called.zh}」", f"nothing received yet: {called.en}")
    heard = {fact.object for fact in known}
    silent = [host for host in hosts if host not in heard] if test.each_host and known else []
    for name in silent if known else [""]:
        yield Finding(object=name, fact=test.fact, state="unknown", why=why)
    for fact in known:
        yield _judge(check, test, fact, now)


def _judge(check: Check, test: LiveTest, fact: Fact, now: datetime) -> Finding:
    over = fact.time + (test.freshness or check.freshness)

    def finding(state: FindingState, why: Words) -> Finding:
        return Finding(object=fact.object, fact=test.fact, state=state, why=why, evidence=fact, stale_at=over)

    if fact.error:
        return finding("unknown", Words(f"读取失败:{fact.error}", f"could not be read: {fact.error}"))
    if now > over:
        return finding("unknown", Words("证据已过期", "the evidence is stale"))
    asked = _asked(fact)
    if test.applies is not None and not matches(test.applies, asked):
        return finding("inapplicable", Words("该对象不适用", "does not apply to this object"))
    if matches(test.satisfied, asked):
        return finding("satisfied", Words("满足", "satisfied"))
    found = _asked_values(test, fact)
    called = fact_name(test.fact)
    zh, en = f"{called.zh}未达要求:{found}", f"{called.en}: falls short, {found}"
    return finding("unsatisfied", Words(zh, en))


def _stated(attested: Sequence[Attestation], now: datetime) -> Iterable[Finding]:
    """What people say of each object: the newest that was accepted, else why the newest one doesn't count."""
    newest: dict[str, Attestation] = {}
    for one in sorted(attested, key=lambda one: (one.state in ("accepted", "withdrawn"), one.id)):
        newest[one.statement.object] = one
    if "" not in newest and not any(one.counts(now) for one in newest.values()):
        yield Finding(
            object="",
            fact=ATTESTED,
            state="unknown",
            why=Words("需人工证明,尚无有效证明", "needs an attestation; none is on file"),
        )
    for name, one in sorted(newest.items()):
        said, fact = one.statement, _as_fact(one)
        if one.counts(now):
            why = Words(
                f"{said.author} 证明{said.verdict}" + (f":{said.reason}" if said.reason else ""),
                f"{said.author} states {said.verdict}" + (f": {said.reason}" if said.reason else ""),
            )
            state = _CLAIMED[said.verdict]
        else:
            why, state = _no_longer(one), "unknown"
        yield Finding(object=name, fact=ATTESTED, state=state, why=why, evidence=fact, stale_at=said.expires)


def _no_longer(one: Attestation) -> Words:
    day = one.statement.expires.date().isoformat()
    if one.state == "accepted":
        return Words(f"人工证明已于 {day} 到期", f"the attestation expired on {day}")
    if one.state == "submitted":
        return Words("人工证明待复核", "the attestation waits for its review")
    if one.state == "rejected":
        return Words(f"人工证明被退回:{one.note}", f"the attestation was rejected: {one.note}")
    return Words("人工证明已撤回", "the attestation was withdrawn")


def _as_fact(one: Attestation) -> Fact:
    said = one.statement
    fields: dict[str, Value] = {f"answer.{name}": answer for name, answer in sorted(said.answers.items())}
    fields |= {
        "attestation.verdict": said.verdict,
        "attestation.author": said.author,
        "attestation.reviewer": one.reviewer,
        "attestation.signed_by": one.signed.signature.method,
        "attestation.attachments": list(said.attachments),
    }
    return Fact(
        object=said.object,
        name=ATTESTED,
        time=said.made,
        fields=fields,
        event=f"attestation:{one.id}",
        method=ATTESTED,
        raw=said.reason,
    )


def _asked_values(test: LiveTest, fact: Fact) -> str:
    """What the condition asked about, with the values found: the shortest way to see what to mend."""
    shown = []
    for name in sorted(condition_fields(test.satisfied)):
        value = fact.fields.get(name)
        text = "、".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
        shown.append(f"{name.rpartition('.')[2]}={text[:_VALUE_CHARS_MAX] or '∅'}")
    return ", ".join(shown)


def _verdict(check: Check, findings: Sequence[Finding]) -> tuple[Verdict, Words]:
    if not findings:
        return "未知", _nothing_live(check)
    states: tuple[FindingState, ...] = ("satisfied", "partial", "unsatisfied", "inapplicable", "unknown")
    by_state = {state: [f for f in findings if f.state == state] for state in states}
    short, unknown = by_state["unsatisfied"], by_state["unknown"]
    if short or by_state["partial"]:
        better = by_state["satisfied"] or by_state["partial"]
        verdict: Verdict = "部分符合" if better else "不符合"
        return verdict, _naming([*short, *by_state["partial"]])
    if unknown:
        return "未知", _naming(unknown)
    if not by_state["satisfied"]:
        return "不适用", _naming(by_state["inapplicable"])
    count = len(by_state["satisfied"])
    return "符合", Words(f"{count} 项全部满足", f"all {count} satisfied")


def _naming(findings: Sequence[Finding]) -> Words:
    named = findings[:_REASONS_MAX]
    more = len(findings) - len(named)
    zh = ";".join(f"{f.object} {f.why.zh}".strip() for f in named) + (f";另 {more} 项" if more else "")
    en = "; ".join(f"{f.object} {f.why.en}".strip() for f in named) + (f"; {more} more" if more else "")
    return Words(zh, en)


def _nothing_live(check: Check) -> Words:
    return Words(
        f"尚未接入可判定的遥测:{check.looks_at}",
        f"no telemetry that could decide it is connected: {check.looks_at}",
    )


def _asked(fact: Fact) -> Event:
    # Conditions are asked of events, so a fact takes the form of one; it is never stored as such.
    seen = Observation(time=fact.time, logsource=LogSource(), fields=fact.fields)
    return stamp(seen, unit="", sensor="center", epoch=0, sequence=0)
