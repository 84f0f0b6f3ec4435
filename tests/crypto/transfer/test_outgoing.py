"""An outgoing transfer: two persons, one order of states, receipts that only ever tell the truth."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from crypto.package_format import FileEntry, Signature
from crypto.transfer.outgoing import (
    HOLDING,
    Approve,
    AwaitReceipt,
    Command,
    Deliver,
    DropStaged,
    Expire,
    Export,
    Outgoing,
    Person,
    Receive,
    Record,
    Refuse,
    Seal,
    Submit,
    WritePackage,
    step,
)
from crypto.transfer.request import Place, Reason, Request, check_request, refuse_state_secrets
from crypto.words import BadInput, Refused

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
A, B = Person(name="zhang", key_id="a" * 64), Person(name="li", key_id="b" * 64)
PLACE = Place(epoch=1, sequence=1, previous="")
NO = Reason(code="no", zh="不同意", en="no")


def request(**changes: Any) -> Request:
    members: dict[str, Any] = {
        "id": "0" * 32,
        "channel": "city-province",
        "application": "申请-1",
        "purpose": "月报",
        "sender": "市中心",
        "receiver": "省中心",
        "label": "一般",
        "from_zone": "supervision",
        "to_zone": "extranet",
        "issued": NOW,
        "expires": NOW + timedelta(days=7),
        "recipients": ("c" * 64,),
        "files": (FileEntry(name="a.txt", size=1, sm3="d" * 64),),
    }
    return Request(**{**members, **changes})


def approve(who: Person = B, **changes: Any) -> Approve:
    members: dict[str, Any] = {
        "approver": who,
        "place": PLACE,
        "manifest_sm3": "e" * 64,
        "signature": Signature(role="approver", key_id=who.key_id, value=bytes(64)),
        "now": NOW,
    }
    return Approve(**{**members, **changes})


def seal(who: Person = A, manifest: str = "e" * 64, now: datetime = NOW) -> Seal:
    return Seal(author=who, manifest_sm3=manifest, package_sm3="f" * 64, now=now)


def receipt(accepted: bool = True, package: str = "f" * 64, name: str = "1" * 64) -> Receive:
    return Receive(accepted=accepted, receipt_sm3=name, package_sm3=package, reason=None if accepted else NO)


def run(*commands: Command, one_way: bool = False) -> Outgoing:
    transfer = Outgoing(request=request(), one_way=one_way)
    for command in commands:
        transfer, effects = step(transfer, command)
        assert not effects or isinstance(effects[0], Record), "the audit line comes first"
    return transfer


SUBMIT = Submit(author=A, now=NOW)
TO_EXPORT = (SUBMIT, approve(), seal(), Export(now=NOW))


def test_the_straight_way() -> None:
    transfer = Outgoing(request=request(), one_way=False)
    seen: list[str] = []
    wanted: list[type] = []
    for command in (*TO_EXPORT, receipt()):
        transfer, effects = step(transfer, command)
        seen.append(transfer.state)
        wanted += [type(effect) for effect in effects if not isinstance(effect, Record)]
    assert seen == ["requested", "approved", "sealed", "exported", "confirmed"]
    assert wanted == [WritePackage, Deliver, AwaitReceipt, DropStaged]


def code_of(*commands: Command) -> str:
    with pytest.raises(Refused) as caught:
        run(*commands)
    return caught.value.code


def test_promise_dual_control_needs_two_persons_and_two_keys() -> None:
    assert code_of(SUBMIT, approve(A)) == "transfer-dual-control"
    assert code_of(SUBMIT, approve(Person(name="zhang", key_id=B.key_id))) == "transfer-dual-control"
    assert code_of(SUBMIT, approve(Person(name="li", key_id=A.key_id))) == "transfer-dual-control"
    other = Signature(role="approver", key_id=A.key_id, value=bytes(64))
    assert code_of(SUBMIT, approve(signature=other)) == "transfer-dual-control"
    assert code_of(SUBMIT, seal()) == "transfer-state"
    assert code_of(approve()) == "transfer-state"


def test_only_the_author_seals_and_only_what_was_approved() -> None:
    assert code_of(SUBMIT, approve(), seal(B)) == "transfer-other-author"
    assert code_of(SUBMIT, approve(), seal(Person(name="zhang", key_id="9" * 64))) == "transfer-other-author"
    assert code_of(SUBMIT, approve(), seal(manifest="0" * 64)) == "transfer-other-manifest"


def test_a_refused_or_withdrawn_transfer_ends() -> None:
    for before in ((), (SUBMIT,), (SUBMIT, approve()), (SUBMIT, approve(), seal())):
        transfer = run(*before, Refuse(person="li", reason=NO))
        assert (transfer.state, transfer.reason, transfer.place) == ("refused", NO, None)
    assert code_of(*TO_EXPORT, Refuse(person="li", reason=NO)) == "transfer-state"


def test_one_way_stays_unconfirmed_until_a_receipt_comes_by_any_way() -> None:
    transfer = run(*TO_EXPORT, one_way=True)
    assert transfer.state == "unconfirmed"
    assert transfer.reason is not None
    late, _ = step(transfer, Expire(now=NOW + timedelta(days=30)))
    assert late.state == "unconfirmed"
    done, _ = step(late, receipt())
    assert (done.state, done.reason) == ("confirmed", None)


def test_receipts_lost_twice_late_contradicting() -> None:
    lost = run(*TO_EXPORT, Expire(now=NOW + timedelta(days=7)))
    assert lost.state == "expired"
    assert run(*TO_EXPORT, Expire(now=NOW + timedelta(days=7)), receipt()).state == "confirmed"
    twice = run(*TO_EXPORT, receipt(), receipt())
    assert twice == run(*TO_EXPORT, receipt())
    assert run(*TO_EXPORT, receipt(), receipt(accepted=False, name="2" * 64)).state == "confirmed"
    again = run(*TO_EXPORT, receipt(accepted=False), Export(now=NOW))
    assert (again.state, again.exports) == ("exported", 2)
    assert code_of(*TO_EXPORT, receipt(package="0" * 64)) == "receipt-other-package"
    assert code_of(SUBMIT, receipt()) == "transfer-state"


def test_nothing_is_done_after_its_time() -> None:
    late = NOW + timedelta(days=7)
    assert code_of(Submit(author=A, now=late)) == "transfer-expired"
    assert code_of(SUBMIT, approve(now=late)) == "transfer-expired"
    assert code_of(SUBMIT, approve(), seal(now=late)) == "transfer-expired"
    assert code_of(SUBMIT, approve(), seal(), Export(now=late)) == "transfer-expired"
    unsent = run(SUBMIT, approve(), seal(), Expire(now=late))
    assert (unsent.state, unsent.place) == ("expired", None)


@pytest.mark.parametrize(
    "mark",
    ["涉密", "绝密", "机密★20年", "秘 密", "机\u3000密", "SECRET", "Top-Secret", "国家秘密", "\uff33ecret"],
)
def test_state_secrets_are_refused_wherever_they_are_named(mark: str) -> None:
    for changes in ({"label": mark}, {"marks": ("内部", mark)}):
        with pytest.raises(Refused) as caught:
            check_request(request(**changes))
        assert caught.value.code == "state-secret"
    with pytest.raises(Refused):
        check_request(request(purpose="转交 机密★10年 材料"))


def test_what_is_no_state_secret_passes() -> None:
    refuse_state_secrets(("内部", "商业秘密", "工作秘密", "非涉密"), ("本数据不涉密", "机密性检查月报"))


@pytest.mark.parametrize(
    "changes",
    [
        {"label": "秘级"},
        {"label": ""},
        {"files": ()},
        {"purpose": ""},
        {"application": " "},
        {"expires": NOW},
        {"receiver": ""},
        {"id": "x"},
        {"recipients": ()},
        {"files": (FileEntry(name="../a", size=1, sm3="d" * 64),)},
    ],
)
def test_an_incomplete_request_is_not_taken(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        check_request(request(**changes))


class OutgoingMachine(RuleBasedStateMachine):
    """Any order of commands: refused or taken, what holds always holds."""

    def __init__(self) -> None:
        super().__init__()
        self.transfer = Outgoing(request=request(), one_way=False)
        self.confirmed = False

    @rule(
        command=st.one_of(
            st.builds(Submit, author=st.sampled_from([A, B]), now=st.just(NOW)),
            st.sampled_from([approve(A), approve(B), seal(A), seal(B), seal(A, "0" * 64)]),
            st.just(Refuse(person="li", reason=NO)),
            st.builds(Export, now=st.sampled_from([NOW, NOW + timedelta(days=8)])),
            st.builds(Expire, now=st.sampled_from([NOW, NOW + timedelta(days=8)])),
            st.sampled_from([receipt(), receipt(False), receipt(True, "0" * 64)]),
        )
    )
    def command(self, command: Command) -> None:
        before = self.transfer
        try:
            self.transfer, effects = step(before, command)
        except Refused:
            assert self.transfer == before
            return
        assert msgspec.json.decode(msgspec.json.encode(self.transfer), type=Outgoing) == self.transfer
        if self.transfer != before:
            assert isinstance(effects[0], Record)
        self.confirmed |= self.transfer.state == "confirmed"

    @invariant()
    def two_persons(self) -> None:
        transfer = self.transfer
        if transfer.state in {*HOLDING, "exported", "confirmed", "rejected", "unconfirmed"}:
            assert transfer.author is not None
            assert transfer.approver is not None
            assert transfer.author.name != transfer.approver.name
            assert transfer.author.key_id != transfer.approver.key_id
            assert transfer.place is not None

    @invariant()
    def confirmed_for_good(self) -> None:
        assert not self.confirmed or self.transfer.state == "confirmed"


OutgoingMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=15, deadline=None)
TestOutgoing = OutgoingMachine.TestCase
