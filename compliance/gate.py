"""The gates ``transfer`` (断传) and ``go-live`` (禁上线): whether the verdicts of now let something through.

Pure: rules, verdicts, overrides and the release switch come in, a decision with its grounds comes out. A
check closes a gate where a finding of it is 不符合 (for critical checks at once, else after a grace), or, for
those listed ``fail_closed``, whenever it isn't known to stand. Rules: rules/gates/gates.yaml.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from compliance.attestation_form import parse_duration
from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.evaluation import Evaluation, Verdict
from compliance.views import valid_at
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Words
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError

GateName = Literal["transfer", "go-live"]
GroundState = Literal["failed", "unknown", "grace", "overridden"]
Ruling = Literal["checks", "grace", "override", "release"]
ENFORCED_BY: Final[dict[GateName, str]] = {"transfer": "transfer", "go-live": "golive"}
_RULES_BYTES_MAX: Final = 256 * 1024
_NAMED_MAX: Final = 12  # checks named in the sentence; all stand in the decision

Hours = Annotated[int, msgspec.Meta(ge=1, le=72)]


class _GateForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    enforced: bool
    also: tuple[str, ...]
    at_once: tuple[str, ...]
    unknown: Literal["none", "critical"]
    fail_closed: tuple[str, ...]
    grace: str
    only: dict[str, tuple[str, ...]]


class _Form(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: Literal[2]
    override_hours_max: Hours
    release_hours_max: Hours
    gates: dict[GateName, _GateForm]


class GateRule(msgspec.Struct, frozen=True, kw_only=True):
    """One gate: the checks that count, those without grace, those that are closed while unknown."""

    checks: tuple[str, ...]
    at_once: frozenset[str]
    unknown: frozenset[str]
    fail_closed: frozenset[str]
    grace: timedelta
    only: Mapping[str, tuple[str, ...]]


class GateRules(msgspec.Struct, frozen=True, kw_only=True):
    """All gates; ``version`` is the SM3 of the rules and the checklist they speak of."""

    version: str
    override_max: timedelta
    release_max: timedelta
    gates: Mapping[GateName, GateRule]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """Two people of different roles let a gate pass over named checks until a time."""

    id: int
    gate: GateName
    system: str
    checks: tuple[str, ...]
    reason: str
    state: Literal["asked", "approved", "refused", "ended"]
    asked_by: str
    asked_role: str
    asked: datetime
    expires: datetime
    decided_by: str = ""
    decided_role: str = ""
    decided: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Whether it lets anything pass at ``now``."""
        return self.state == "approved" and now < self.expires


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """The switch that opens every gate of the center until a time, for disaster and great occasions."""

    id: int
    released: bool
    time: datetime
    until: datetime
    actor: str
    reason: str

    def holds(self, now: datetime) -> bool:
        """Whether every gate is open at ``now``."""
        return self.released and now < self.until


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """One check that stands against it, or would; ``leaf`` is the evidence it rests on."""

    check: str
    state: GroundState
    verdict: Verdict
    reason: Words
    leaf: int | None
    since: datetime | None = None
    until: datetime | None = None  # when a grace or override ends


class GateDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no with everything it rests on: the payload of its leaf."""

    gate: GateName
    system: str
    action: str
    about: str
    decider: str
    time: datetime
    allowed: bool
    ruling: Ruling
    grounds: tuple[Ground, ...]
    reason: Words
    rules: str
    evidence: tuple[int, ...]  # leaves of every evaluation that was asked
    override: int | None = None
    release: int | None = None

    @property
    def failed(self) -> tuple[str, ...]:
        """The checks that stand against it."""
        return tuple(one.check for one in self.grounds if one.state in ("failed", "unknown"))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate is asked: who wants what with which system."""

    gate: GateName
    system: str
    action: str
    about: str
    decider: str
    time: datetime


def decide(
    asked: Asked,
    rules: GateRules,
    newest: Mapping[str, Kept],
    failing_since: Mapping[str, datetime],
    *,
    overrides: Sequence[Override] = (),
    release: Release | None = None,
) -> GateDecision:
    """The decision; ``failing_since`` says when each check that fails began to."""
    rule, now = rules.gates[asked.gate], asked.time
    grounds = [
        ground
        for check in rule.checks
        if (ground := _ground(rule, check, newest.get(check), failing_since, now)) is not None
    ]
    used = _used(asked, grounds, rule, overrides)
    if used is not None:
        grounds = [_overridden(ground, used, rule) for ground in grounds]
    against = [one for one in grounds if one.state in ("failed", "unknown")]
    open_for_all = release is not None and release.holds(now)
    ruling: Ruling = "checks"
    if against and open_for_all:
        ruling = "release"
    elif not against and any(one.state == "overridden" for one in grounds):
        ruling = "override"
    elif not against and grounds:
        ruling = "grace"
    return GateDecision(
        gate=asked.gate,
        system=asked.system,
        action=asked.action,
        about=asked.about,
        decider=asked.decider,
        time=now,
        allowed=open_for_all or not against,
        ruling=ruling,
        grounds=tuple(grounds),
        reason=_reason(grounds, ruling, against, len(_unasked(rule, newest, grounds, now))),
        rules=rules.version,
        evidence=tuple(sorted({newest[check].leaf for check in rule.checks if check in newest})),
        override=used.id if used is not None and ruling == "override" else None,
        release=release.id if release is not None and ruling == "release" else None,
    )


def failing(rule: GateRule, check: str, evaluation: Evaluation) -> bool:
    """Whether a check falls short for this gate: one finding that does is enough."""
    only = rule.only.get(check)
    if only is None and not evaluation.findings:
        return evaluation.verdict == "不符合"
    return any(
        finding.state == "unsatisfied" and (only is None or finding.fact in only)
        for finding in evaluation.findings
    )


def _ground(
    rule: GateRule, check: str, kept: Kept | None, since: Mapping[str, datetime], now: datetime
) -> Ground | None:
    if kept is None:
        evaluation, leaf = None, None
        verdict: Verdict = "未知"
        reason = Words("尚未评估", "not evaluated yet")
    else:
        evaluation, leaf = valid_at(kept.evaluation, now), kept.leaf
        verdict, reason = evaluation.verdict, evaluation.reason
    if evaluation is not None and verdict != "未知" and failing(rule, check, evaluation):
        begun = since.get(check, evaluation.evaluated)
        over = begun + rule.grace
        lenient = check not in rule.at_once and check not in rule.fail_closed and now < over
        state: GroundState = "grace" if lenient else "failed"
        return Ground(
            check=check,
            state=state,
            verdict=verdict,
            reason=reason,
            leaf=leaf,
            since=begun,
            until=over if lenient else None,
        )
    if verdict == "未知" and (check in rule.unknown or check in rule.fail_closed):
        return Ground(check=check, state="unknown", verdict="未知", reason=reason, leaf=leaf)
    return None


def _used(
    asked: Asked, grounds: Sequence[Ground], rule: GateRule, overrides: Sequence[Override]
) -> Override | None:
    """The override that covers most of what stands against it; only if it covers something."""
    against = {one.check for one in grounds if one.state in ("failed", "unknown")} - rule.fail_closed
    fit = [
        one
        for one in overrides
        if one.holds(asked.time) and (one.gate, one.system) == (asked.gate, asked.system)
    ]
    best = max(fit, key=lambda one: (len(against & set(one.checks)), one.id), default=None)
    return best if best is not None and against & set(best.checks) else None


def _overridden(ground: Ground, used: Override, rule: GateRule) -> Ground:
    if ground.state == "grace" or ground.check in rule.fail_closed or ground.check not in used.checks:
        return ground
    return msgspec.structs.replace(ground, state="overridden", until=used.expires)


def _unasked(
    rule: GateRule, newest: Mapping[str, Kept], grounds: Sequence[Ground], now: datetime
) -> list[str]:
    """Checks that know nothing and by the rule close nothing: said, so that nobody takes it for a pass."""
    named = {one.check for one in grounds}
    known = {check for check, kept in newest.items() if valid_at(kept.evaluation, now).verdict != "未知"}
    return [check for check in rule.checks if check not in named and check not in known]


def _reason(grounds: Sequence[Ground], ruling: Ruling, against: Sequence[Ground], unasked: int) -> Words:
    def named(states: tuple[str, ...]) -> Words:
        names = [one.check for one in grounds if one.state in states]
        more = f" +{len(names) - _NAMED_MAX}" if len(names) > _NAMED_MAX else ""
        return Words("、".join(names[:_NAMED_MAX]) + more, ", ".join(names[:_NAMED_MAX]) + more)

    listed = named(("failed", "unknown"))
    if ruling == "release":
        zh, en = f"闸口已统一放行(未通过:{listed.zh})", f"the gates are released (against it: {listed.en})"
    elif against:
        zh, en = f"合规检查未通过:{listed.zh}", f"checks of compliance stand against it: {listed.en}"
    elif ruling == "override":
        over = named(("overridden",))
        zh, en = f"双人授权放行:{over.zh}", f"two people let it pass over {over.en}"
    elif ruling == "grace":
        late = named(("grace",))
        zh, en = f"宽限期内放行,待整改:{late.zh}", f"in grace; to be mended: {late.en}"
    else:
        zh, en = "没有检查项不符合", "no check falls short"
    if unasked and not against:
        zh += f";另有 {unasked} 项未知,按本闸口规则不关闭"
        en += f"; {unasked} more know nothing, which by its rule does not close this gate"
    return Words(zh, en)


def load_gates(path: Path, checks: Sequence[Check]) -> GateRules:
    """The rules of the gates. Raises BadInput (gates-malformed)."""
    try:
        with path.open("rb") as file:
            data = file.read(_RULES_BYTES_MAX + 1)
        if len(data) > _RULES_BYTES_MAX:
            raise _invalid("too long")
        documents = parse_documents(data, path.name)
        form = msgspec.convert(documents[0].value if len(documents) == 1 else None, _Form)
        gates = {name: _rule(name, gate, checks) for name, gate in form.gates.items()}
    except RuleError as error:
        raise _invalid(f"{path.name}:{error.line}: {error.what.en}") from None
    except (msgspec.ValidationError, ValueError, OSError) as error:
        raise _invalid(str(error).replace("\n", " ")) from None
    if set(gates) != set(ENFORCED_BY):
        raise _invalid(f"there must be {', '.join(sorted(ENFORCED_BY))}")
    listed: list[Any] = [[one.id, one.enforce, [test.text for test in one.tests]] for one in checks]
    return GateRules(
        version=sm3_hex(data + msgspec.json.encode(listed)),
        override_max=timedelta(hours=form.override_hours_max),
        release_max=timedelta(hours=form.release_hours_max),
        gates=gates,
    )


def _rule(name: GateName, form: _GateForm, checks: Sequence[Check]) -> GateRule:
    known = {check.id: check for check in checks}
    if strange := {*form.also, *form.at_once, *form.fail_closed, *form.only} - set(known):
        raise _invalid(f"unknown check {min(strange)}")
    word = ENFORCED_BY[name]
    marked = {check.id for check in checks if any(one.partition("(")[0] == word for one in check.enforce)}
    counted = sorted({*form.also, *form.fail_closed, *(marked if form.enforced else ())})
    critical = {one for one in counted if known[one].severity == "critical"}
    return GateRule(
        checks=tuple(counted),
        at_once=frozenset({*form.at_once, *critical}),
        unknown=frozenset(critical if form.unknown == "critical" else ()),
        fail_closed=frozenset(form.fail_closed),
        grace=parse_duration(form.grace),
        only=form.only,
    )


def _invalid(reason: str) -> BadInput:
    return BadInput(
        "gates-malformed",
        Words(f"闸口规则有误:{reason}", f"the rules of the gates are wrong: {reason}"),
        Words("请改正 rules/gates/gates.yaml", "correct rules/gates/gates.yaml"),
        field="rules/gates",
    )
