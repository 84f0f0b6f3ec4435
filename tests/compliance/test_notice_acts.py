"""Tests of compliance.notice, notice_acts, notice_store, notice_desk: whatever is tried, the table holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from compliance.acts_store import ActsStore
from compliance.incident_rules import load_incident_rules
from compliance.notice import PAPER_STEPS, Notice, PaperStep, ReceiptStep, paper_steps, scores
from compliance.notice_acts import Draft, drafted, paper_step, receipt_step
from compliance.notice_desk import NoticeDesk
from compliance.notice_store import NoticeStore
from compliance.registry import Unit
from compliance.unit_tree import UnitTree
from crypto.words import Refused
from detection.store.state import open_state
from rules import ROOT

RULES = load_incident_rules(ROOT / "incidents").notices
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PEOPLE = ("user:a", "user:b", "user:c", "user:d")
TREE = UnitTree(
    [
        Unit(code="320000", name="省"),
        Unit(code="320100", name="甲", parent="320000"),
        Unit(code="320200", name="乙", parent="320000"),
    ]
)


class Road:
    """What would go to another tier."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str, str]] = []

    def told(self, notice: Notice, step: str, unit: str) -> None:
        self.sent.append((notice.id, step, unit))


class Notices(RuleBasedStateMachine):
    """Anybody tries any step at any time; what is refused changes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.engine = open_state(f"sqlite:///{Path(self._folder.name) / 's.sqlite'}", create=True)
        self.store = NoticeStore(self.engine, RULES)
        self.road = Road()
        self.desk = NoticeDesk(self.store, RULES, lambda: TREE, self.road)
        self.now = NOW
        self.ids: list[int] = []
        self.steps = 0

    def teardown(self) -> None:
        self.engine.dispose()
        self._folder.cleanup()

    @initialize()
    def first(self) -> None:
        self.draft("user:a", "rectification")

    @rule(actor=st.sampled_from(PEOPLE), kind=st.sampled_from(["warning", "rectification"]))
    def draft(self, actor: str, kind: str) -> None:
        draft = Draft(
            kind=kind, title="一则通报", text="请按要求处置并反馈。", receivers=("320100", "320200")
        )
        self.ids.append(self.desk.draft(draft, "320000", actor, self.now).id)
        self.steps += 1

    @rule(data=st.data(), step=st.sampled_from(get_args(PaperStep)), actor=st.sampled_from(PEOPLE))
    def paper(self, data: Any, step: PaperStep, actor: str) -> None:
        number = data.draw(st.sampled_from(self.ids))
        before = self.store.get(number)
        self.now += timedelta(hours=1)
        if step in paper_steps(before, actor):
            self.desk.step(number, step, "理由充分", actor, self.now)
            self.steps += 1
            return
        with pytest.raises(Refused, match=r"notice-state|notice-same-person"):
            self.desk.step(number, step, "理由充分", actor, self.now)
        assert self.store.get(number) == before

    @rule(
        data=st.data(),
        step=st.sampled_from(get_args(ReceiptStep)),
        unit=st.sampled_from(["320100", "320200"]),
        actor=st.sampled_from(PEOPLE),
    )
    def receipt(self, data: Any, step: ReceiptStep, unit: str, actor: str) -> None:
        number = data.draw(st.sampled_from(self.ids))
        before = self.store.get(number)
        self.now += timedelta(days=1)
        try:
            self.desk.receipt(number, unit, step, "已处置", actor, self.now)
            self.steps += 1
        except Refused:
            assert self.store.get(number) == before

    @invariant()
    def three_people_made_what_is_out_and_numbers_have_no_hole(self) -> None:
        found = [self.store.get(number) for number in self.ids]
        out = [one for one in found if one.issued is not None]
        assert sorted(one.serial for one in out) == list(range(1, len(out) + 1))
        for one in out:
            assert one.issued_by not in one.writers
            assert one.approved_by not in one.writers
            assert one.issued_by != one.approved_by
            for receipt in one.receipts:
                if receipt.cleared_by:
                    assert receipt.cleared_by not in (receipt.signed_by, receipt.answered_by)
            assert (one.state == "closed") == all(
                receipt.state == "cleared" for receipt in one.receipts
            ) or one.state == "revoked"
        assert {number for number, step, _ in self.road.sent if step == "issue"} == {one.id for one in out}
        assert len(ActsStore(self.engine).waiting("notice")) == min(self.steps, 500)
        assert all(0 <= one.score <= 100 for one in scores(found, RULES.score, NOW, self.now, self.now))


TestNotices = Notices.TestCase
TestNotices.settings = settings(max_examples=6, stateful_step_count=20, deadline=None)


def test_each_step_of_the_paper_leads_where_the_table_says() -> None:
    draft = Draft(kind="warning", title="一则预警", text="请注意防范。请自查。", receivers=("320100",))
    notice = drafted(draft, "320000", RULES, "user:a", NOW).notice
    kind = RULES.kinds[0]
    for step, actor in (("submit", "user:a"), ("approve", "user:b"), ("issue", "user:c")):
        notice = paper_step(notice, step, "", kind, actor, NOW).notice  # type: ignore[arg-type]
        assert notice.state == PAPER_STEPS[step][1]  # type: ignore[index]
    assert notice.receipts[0].due is None  # 预警 asks for no answer
    signed = receipt_step(notice, "320100", "sign", "", kind, "user:x", NOW).notice
    cleared = receipt_step(signed, "320100", "clear", "", kind, "user:b", NOW).notice
    assert cleared.state == "closed"
