"""Notices at work: drafted, reviewed, issued, signed for, answered, checked and cleared.

Receivers are units of this center's registry. What goes to a center of its own leaves through ``Outbound``:
the road between tiers is another part's, here is where it is told.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Protocol

import msgspec

from compliance.incident_rules import NoticeKind, NoticeRules
from compliance.notice import Notice, NoticeStep, PaperStep, ReceiptStep, UnitScore, scores
from compliance.notice_acts import (
    Draft,
    bad,
    drafted,
    paper_step,
    receipt_step,
    reminders,
    rewritten,
)
from compliance.notice_store import NoticeStore
from compliance.unit_tree import UnitTree

SYSTEM_ACTOR: Final = "system:notices"


class Outbound(Protocol):
    """The road to other tiers; called after a step is durable, must not raise and not block."""

    def told(self, notice: Notice, step: str, unit: str) -> None:
        """A notice was issued or revoked, or a receiver's part went on; '' is the notice itself."""


class _Nowhere:
    """This center is the only one."""

    def told(self, notice: Notice, step: str, unit: str) -> None:
        """Nobody else is to know."""


class NoticeDesk:
    """Notices over one state database."""

    def __init__(
        self,
        store: NoticeStore,
        rules: NoticeRules,
        tree: Callable[[], UnitTree],
        outbound: Outbound | None = None,
    ) -> None:
        self._store = store
        self._rules = rules
        self._tree = tree
        self._outbound = outbound or _Nowhere()

    def draft(self, draft: Draft, issuer: str, actor: str, now: datetime) -> Notice:
        """A new paper of a unit. Raises BadInput (notice-malformed), Refused."""
        self._check_receivers(draft, issuer)
        return self._store.add(drafted(draft, issuer, self._rules, actor, now), actor, now)

    def rewrite(self, notice: int, draft: Draft, actor: str, now: datetime) -> Notice:
        """Another text, while it is a draft."""

        def act(before: Notice) -> NoticeStep:
            self._check_receivers(draft, before.issuer)
            return rewritten(before, draft, self._rules, actor)

        return self._store.change(notice, act, actor, now)

    def step(self, notice: int, step: PaperStep, note: str, actor: str, now: datetime) -> Notice:
        """送审, 退回, 审核, 签发, 撤稿, 撤销."""
        done = self._store.change(
            notice, lambda one: paper_step(one, step, note, self.kind(one), actor, now), actor, now
        )
        if step in ("issue", "revoke"):
            self._outbound.told(done, step, "")
        return done

    def receipt(
        self,
        notice: int,
        unit: str,
        step: ReceiptStep,
        note: str,
        actor: str,
        now: datetime,
        *,
        files: Sequence[str] = (),
    ) -> Notice:
        """签收, 处置, 反馈, 复核, 销号 of one receiver's part."""
        done = self._store.change(
            notice,
            lambda one: receipt_step(one, unit, step, note, self.kind(one), actor, now, files=files),
            actor,
            now,
        )
        self._outbound.told(done, step, unit)
        return done

    def work(self, now: datetime) -> int:
        """Remind of what is owed; how many reminders."""
        count = 0
        for notice in self._store.running():
            count += self._remind(notice, now)
        return count

    def scores(self, start: datetime, end: datetime, now: datetime) -> list[UnitScore]:
        """Each unit that received something in [start, end), the worst first."""
        return scores(self._store.issued_between(start, end), self._rules.score, start, end, now)

    def kind(self, notice: Notice) -> NoticeKind:
        """The rule of a notice; the first kind for one whose rule is gone."""
        return self._rules.kind(notice.kind) or self._rules.kinds[0]

    def _remind(self, notice: Notice, now: datetime) -> int:
        due = reminders(notice, self._rules.reminders, now)
        for step in due:
            receipt = step.notice.receipt(step.unit)
            assert receipt is not None
            reminded = receipt.reminded

            def act(before: Notice, step: NoticeStep = step, reminded: object = reminded) -> NoticeStep:
                receipts = tuple(
                    msgspec.structs.replace(one, reminded=reminded) if one.unit == step.unit else one
                    for one in before.receipts
                )
                return msgspec.structs.replace(
                    step, notice=msgspec.structs.replace(before, receipts=receipts)
                )

            self._store.change(notice.id, act, SYSTEM_ACTOR, now)
        return len(due)

    def _check_receivers(self, draft: Draft, issuer: str) -> None:
        """Down to units below the issuer; a feedback sheet goes up. Raises BadInput (notice-malformed)."""
        tree = self._tree()
        kind = self._rules.kind(draft.kind)
        if kind is not None and kind.upward:
            fit = {unit.code for unit in tree.path(issuer)} - {issuer}
        else:
            fit = set(tree.subtree(issuer)) - {issuer}
        strange = [unit for unit in draft.receivers if unit not in fit or unit not in tree]
        if strange:
            raise bad(
                "receivers",
                f"{strange[0]} 不是可发往的单位",
                f"{strange[0]} is no unit this notice can go to",
            )
