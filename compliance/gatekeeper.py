"""The gates at work: asked by whoever wants to act, they answer and leave a record, whatever the answer.

Any process of the center may ask; the decision is kept in the state at once and gets its leaf from the job
of the process that holds the ledger. An override takes two people of different roles; the release switch
takes one and a reason, and both end by themselves.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from compliance.check_store import CheckStore, Kept
from compliance.gate import (
    Asked,
    GateDecision,
    GateName,
    GateRule,
    GateRules,
    Override,
    Release,
    decide,
    failing,
)
from compliance.gate_store import GateStore
from crypto.words import BadInput, Refused, Words

REASON_CHARS_MAX: Final = 1_000
REASON_CHARS_MIN: Final = 4


class Gatekeeper:
    """The gates over one state database."""

    def __init__(self, store: GateStore, checks: CheckStore, rules: GateRules) -> None:
        self._store = store
        self._checks = checks
        self._rules = rules

    @property
    def rules(self) -> GateRules:
        """The rules in force."""
        return self._rules

    def ask(
        self, gate: GateName, system: str, *, action: str, about: str, decider: str, now: datetime
    ) -> GateDecision:
        """The decision, recorded. The caller does what it says; nobody else is touched."""
        decision = self.look(gate, system, action=action, about=about, decider=decider, now=now)
        self._store.record(decision)
        return decision

    def look(
        self, gate: GateName, system: str, *, action: str, about: str, decider: str, now: datetime
    ) -> GateDecision:
        """What the gate would say now; nothing is recorded."""
        asked = Asked(gate=gate, system=system, action=action, about=about, decider=decider, time=now)
        newest = self._checks.newest(system)
        return decide(
            asked,
            self._rules,
            newest,
            self._failing_since(self._rules.gates[gate], system, newest),
            overrides=self._store.approved(gate, system, now),
            release=self._store.release(),
        )

    def ask_override(
        self,
        gate: GateName,
        system: str,
        checks: Sequence[str],
        *,
        reason: str,
        hours: int,
        person: str,
        role: str,
        now: datetime,
    ) -> Override:
        """Ask for an override; it holds nothing until another person approves. Raises BadInput, Refused."""
        rule = self._rules.gates[gate]
        _check_reason(reason)
        _check_hours(hours, self._rules.override_max)
        if not checks or (strange := set(checks) - set(rule.checks)):
            named = "" if not checks else min(strange)
            raise _bad(
                "checks", Words(f"该闸口不看检查项 {named}", f"this gate does not ask {named or 'that'}")
            )
        if closed := set(checks) & rule.fail_closed:
            raise Refused(
                "override-fail-closed",
                Words(f"{min(closed)} 不可放行", f"nothing passes over {min(closed)}"),
                Words("请先整改,使该检查项恢复", "mend it; it cannot be overridden"),
                field=min(closed),
            )
        override = Override(
            id=0,
            gate=gate,
            system=system,
            checks=tuple(sorted(set(checks))),
            reason=reason,
            state="asked",
            asked_by=person,
            asked_role=role,
            asked=now,
            expires=now + timedelta(hours=hours),
        )
        return self._store.ask_override(override)

    def decide_override(
        self, number: int, *, approve: bool, person: str, role: str, now: datetime
    ) -> Override:
        """The second person's word. Raises Refused (override-second-person, override-state)."""
        asked = self._store.override(number)
        if person == asked.asked_by or role == asked.asked_role:
            raise Refused(
                "override-second-person",
                Words("须由不同角色的另一人批准", "another person of another role approves it"),
                Words("请换一名有权限的人员", "ask somebody else who has the permission"),
                field="person",
            )
        if approve and now >= asked.expires:
            raise Refused(
                "override-state",
                Words("申请已过期", "the request is past its time"),
                Words("请重新申请", "ask for it again"),
                field=str(number),
            )
        decided = msgspec.structs.replace(
            asked,
            state="approved" if approve else "refused",
            decided_by=person,
            decided_role=role,
            decided=now,
        )
        return self._store.decide_override(decided, "asked", person, now)

    def end_override(self, number: int, *, person: str, now: datetime) -> Override:
        """End an approved override before its time. Raises Refused (override-state)."""
        ended = msgspec.structs.replace(self._store.override(number), state="ended")
        return self._store.decide_override(ended, "approved", person, now)

    def release(self, *, reason: str, hours: int, person: str, now: datetime) -> Release:
        """Open every gate of this center for some hours. Raises BadInput."""
        _check_reason(reason)
        _check_hours(hours, self._rules.release_max)
        until = now + timedelta(hours=hours)
        return self._store.switch(
            Release(id=0, released=True, time=now, until=until, actor=person, reason=reason)
        )

    def close_again(self, *, reason: str, person: str, now: datetime) -> Release:
        """End the release."""
        _check_reason(reason)
        return self._store.switch(
            Release(id=0, released=False, time=now, until=now, actor=person, reason=reason)
        )

    def _failing_since(self, rule: GateRule, system: str, newest: Mapping[str, Kept]) -> dict[str, datetime]:
        """When each check that fails began to, as far back as its history goes."""
        since: dict[str, datetime] = {}
        for check in rule.checks:
            kept = newest.get(check)
            if kept is None or check in rule.at_once or not failing(rule, check, kept.evaluation):
                continue
            since[check] = kept.evaluation.evaluated
            for earlier in self._checks.history(system, check):
                if not failing(rule, check, earlier.evaluation):
                    break
                since[check] = min(since[check], earlier.evaluation.evaluated)
        return since


def _check_reason(reason: str) -> None:
    if not REASON_CHARS_MIN <= len(reason.strip()) <= REASON_CHARS_MAX:
        raise _bad(
            "reason",
            Words(
                f"请写明理由({REASON_CHARS_MIN} 至 {REASON_CHARS_MAX} 字)",
                f"give a reason of {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters",
            ),
        )


def _check_hours(hours: int, longest: timedelta) -> None:
    most = int(longest.total_seconds() // 3600)
    if not 1 <= hours <= most:
        raise _bad("hours", Words(f"时长为 1 至 {most} 小时", f"for 1 to {most} hours"))


def _bad(field: str, what: Words) -> BadInput:
    return BadInput(
        "gate-asked-wrongly", what, Words("请改正后重新提交", "correct it and ask again"), field=field
    )
