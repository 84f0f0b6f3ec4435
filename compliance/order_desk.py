"""Orders at work: what the verdicts make due is done by a job, what people do to an order comes here."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import msgspec

from compliance.attestation_store import AttestationStore
from compliance.check_store import CheckStore
from compliance.checklist import Check
from compliance.evaluation import by_object
from compliance.order import Action, Order, Step, plan, wants
from compliance.order_owner import order_owner
from compliance.order_rules import OrderRules
from compliance.order_store import OrderStore
from compliance.registry import Contact, GradedSystem
from compliance.settling import Settling
from compliance.views import valid_at
from crypto.words import BadInput, Refused, Words

NOTE_CHARS_MAX: Final = 2_000
ATTACHMENTS_MAX: Final = 20
EXTENSION_MAX: Final = timedelta(days=90)
_SYSTEM: Final = "system:orders"


class OrderDesk:
    """Orders over one state database; ``systems`` lists those in use, ``contacts`` the people of a unit."""

    def __init__(
        self,
        store: OrderStore,
        checks: CheckStore,
        files: AttestationStore,
        checklist: Sequence[Check],
        rules: OrderRules,
        systems: Callable[[], Sequence[GradedSystem]],
        contacts: Callable[[str], Sequence[Contact]] = lambda unit: (),  # noqa: ARG005
    ) -> None:
        self._store = store
        self._results = checks
        self._files = files
        self._checklist = {check.id: check for check in checklist}
        self._rules = rules
        self._systems = systems
        self._contacts = contacts
        self._settling = Settling(rules)

    def work(self, now: datetime) -> int:
        """Open, remind, escalate, test again and close what is due in every system; how many steps."""
        count = 0
        for system in self._systems():
            newest = self._results.newest(system.id)
            self._settling.look(system.id, newest, now)
            steps = plan(
                self._checklist.values(),
                newest,
                self._store.open_of(system.id),
                self._rules,
                self._owner(system),
                now,
                self._store.cancelled_of(system.id),
                self._settling.waits(system.id, partial(self._results.first, system.id), now),
            )
            if steps:
                self._store.take(steps, _SYSTEM, now)
                count += len(steps)
        return count

    def answer(self, number: str, note: str, attachments: Sequence[str], actor: str, now: datetime) -> Order:
        """The owner says what was done; the next look at it decides. Raises Refused, BadInput."""
        order = self._open(number)
        known = {one.sm3 for one in self._files.attachments(attachments)}
        if len(attachments) > ATTACHMENTS_MAX or set(attachments) - known:
            raise _bad("attachments", Words("附件未上传或过多", "files not handed in, or too many"))
        after = msgspec.structs.replace(order, state="answered", answered=now, answered_by=actor)
        return self._one(after, "answered", note, actor, now, attachments)

    def retest(self, number: str, *, passed: bool, note: str, actor: str, now: datetime) -> Order:
        """A person who is not its owner looks again. Raises Refused (order-retest, order-still-failing)."""
        order = self._open(number)
        if order.state != "answered" or actor in (order.answered_by, order.owner):
            raise Refused(
                "order-retest",
                Words("须由他人对已反馈的整改单复测", "another person tests an answered order again"),
                Words("请先反馈,再由另一人复测", "answer it first, then have somebody else look"),
                field=number,
            )
        if not passed:
            failed = msgspec.structs.replace(
                order, state="issued", retests_failed=order.retests_failed + 1, answered=None
            )
            return self._one(failed, "retest-failed", note, actor, now)
        if self._falls_short(order, now):
            raise Refused(
                "order-still-failing",
                Words("检查结论仍未达要求,不能办结", "the check still falls short; it can't be closed"),
                Words(f"整改方法:{order.remedy.zh}", f"to mend it: {order.remedy.en}"),
                field=order.check,
            )
        closed = msgspec.structs.replace(order, state="closed", closed=now)
        return self._one(closed, "retest-passed", note, actor, now)

    def assign(self, number: str, owner: str, note: str, actor: str, now: datetime) -> Order:
        """Give it to somebody else. Raises BadInput, Refused."""
        if not 1 <= len(owner) <= 128 or not owner.isprintable():
            raise _bad("owner", Words("责任人不合格式", "malformed owner"))
        after = msgspec.structs.replace(self._open(number), owner=owner)
        return self._one(after, "assigned", f"{owner}: {note}", actor, now)

    def extend(self, number: str, deadline: datetime, note: str, actor: str, now: datetime) -> Order:
        """Give it more time, for a reason. Raises BadInput, Refused."""
        order = self._open(number)
        if not order.deadline < deadline <= order.deadline + EXTENSION_MAX:
            most = EXTENSION_MAX.days
            raise _bad("deadline", Words(f"每次最多延长 {most} 天", f"by {most} days at most at a time"))
        after = msgspec.structs.replace(order, deadline=deadline, reminded=0)
        return self._one(after, "extended", f"{deadline.date()}: {note}", actor, now)

    def cancel(self, number: str, note: str, actor: str, now: datetime) -> Order:
        """Withdraw an order that should not be, for a reason. Raises BadInput, Refused.

        Another one opens when the check's evaluation has other grounds and still falls short.
        """
        order = self._open(number)
        kept = self._results.newest(order.system).get(order.check)
        leaf = order.leaf if kept is None else kept.leaf
        after = msgspec.structs.replace(order, state="cancelled", closed=now, leaf=leaf)
        return self._one(after, "cancelled", note, actor, now)

    def _owner(self, system: GradedSystem) -> Callable[[Check], str]:
        contacts = self._contacts(system.unit)
        return lambda check: order_owner(system, check.layer, contacts, self._rules.duties)

    def _one(
        self,
        order: Order,
        action: Action,
        note: str,
        actor: str,
        now: datetime,
        attachments: Sequence[str] = (),
    ) -> Order:
        if not 2 <= len(note.strip()) <= NOTE_CHARS_MAX:
            raise _bad("note", Words("请写明情况", "say what, in 2 to 2000 characters"))
        step = Step(order=order, action=action, note=note)
        return self._store.take([step], actor, now, attachments=attachments)[0]

    def _open(self, number: str) -> Order:
        order = self._store.get(number)
        if not order.open:
            raise Refused(
                "order-state",
                Words(f"整改单 {number} 已办结", f"order {number} is closed by now"),
                Words("请刷新后重试", "reload and try again"),
                field=number,
            )
        return order

    def _falls_short(self, order: Order, now: datetime) -> bool:
        check, kept = self._checklist.get(order.check), self._results.newest(order.system).get(order.check)
        if check is None or kept is None:
            return False
        evaluation = valid_at(kept.evaluation, now)
        findings = [finding for finding in evaluation.findings if finding.object == order.object]
        return any(
            one.object == order.object
            and wants(check, findings, one.verdict, self._rules, evaluation.evaluated)
            for one in by_object(check, evaluation)
        )


def _bad(field: str, what: Words) -> BadInput:
    return BadInput(
        "order-malformed", what, Words("请改正后重新提交", "correct it and send it again"), field=field
    )
