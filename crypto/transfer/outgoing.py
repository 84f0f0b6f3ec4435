"""An outgoing transfer from draft to receipt: a machine that says what is to be done and does nothing.

draft -> requested -> approved -> sealed -> exported -> confirmed | rejected | unconfirmed | expired
             \\-> refused     \\-> refused (withdrawn)

The manifest is final once the approver signs it: approval takes the next place of the channel. Only one
transfer of a channel at a time may hold a place that was not exported yet, so a withdrawn one leaves no hole.
"""

from datetime import datetime
from typing import Final, Literal

import msgspec

from crypto.package_format import Signature
from crypto.transfer.request import Place, Reason, Request, check_request, same_person
from crypto.words import Refused, Words

State = Literal[
    "draft",
    "requested",
    "approved",
    "refused",
    "sealed",
    "exported",
    "confirmed",
    "rejected",
    "unconfirmed",
    "expired",
]
HOLDING: Final[tuple[State, ...]] = ("approved", "sealed")  # a place of the channel that may yet be freed
OPEN: Final[tuple[State, ...]] = ("draft", "requested", "approved", "sealed")
SENT: Final[tuple[State, ...]] = ("exported", "rejected", "unconfirmed", "expired")


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who acts, and the id of the key they sign with."""

    name: str
    key_id: str


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of one outgoing transfer."""

    request: Request
    one_way: bool
    state: State = "draft"
    author: Person | None = None
    approver: Person | None = None
    approval: Signature | None = None
    place: Place | None = None
    manifest_sm3: str = ""
    package_sm3: str = ""
    exported: datetime | None = None
    exports: int = 0
    receipt_sm3: str = ""
    reason: Reason | None = None


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """经办 asks for the transfer."""

    author: Person
    now: datetime


class Approve(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """审批: another person signs the final manifest at its place."""

    approver: Person
    place: Place
    manifest_sm3: str
    signature: Signature
    now: datetime


class Refuse(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """审批 says no, or a transfer that was not exported yet is withdrawn."""

    person: str
    reason: Reason


class Seal(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The package was written and signed by 经办 too."""

    author: Person
    manifest_sm3: str
    package_sm3: str
    now: datetime


class Export(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """It leaves; again after a loss."""

    now: datetime


class Receive(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A verified receipt came back."""

    accepted: bool
    receipt_sm3: str
    package_sm3: str
    reason: Reason | None = None


class Expire(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Time went by."""

    now: datetime


Command = Submit | Approve | Refuse | Seal | Export | Receive | Expire


class Record(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Write this act to the audit log, before any other effect."""

    act: str
    result: str = "ok"


class WritePackage(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Both may sign now: the package is to be written."""


class Deliver(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Hand the package to the ferry or the line."""


class AwaitReceipt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A receipt is due by then."""

    until: datetime


class DropStaged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What was staged for it is no longer needed."""


Effect = Record | WritePackage | Deliver | AwaitReceipt | DropStaged
Step = tuple[Outgoing, tuple[Effect, ...]]

UNCONFIRMED: Final = Reason(
    code="transfer-unconfirmed",
    zh="单向链路无回执,送达与否未确认",
    en="the link is one-way: whether it arrived is not confirmed",
)
EXPIRED: Final = Reason(code="transfer-expired", zh="已过有效期", en="its time is over")


def step(transfer: Outgoing, command: Command) -> Step:
    """The transfer after a command, and what is to be done. Raises Refused where it is not time for it."""
    match command:
        case Submit():
            return _submit(transfer, command)
        case Approve():
            return _approve(transfer, command)
        case Refuse():
            return _refuse(transfer, command)
        case Seal():
            return _seal(transfer, command)
        case Export():
            return _export(transfer, command)
        case Receive():
            return _receive(transfer, command)
        case Expire():
            return _expire(transfer, command)


def _submit(transfer: Outgoing, command: Submit) -> Step:
    _in(transfer, "draft")
    check_request(transfer.request)
    _in_time(transfer, command.now)
    after = msgspec.structs.replace(transfer, state="requested", author=command.author)
    return after, (Record(act="transfer.request"),)


def _approve(transfer: Outgoing, command: Approve) -> Step:
    _in(transfer, "requested")
    _in_time(transfer, command.now)
    author = transfer.author
    if author is None or author.name == command.approver.name or author.key_id == command.approver.key_id:
        raise same_person()
    if command.signature.key_id != command.approver.key_id:
        raise same_person()
    after = msgspec.structs.replace(
        transfer,
        state="approved",
        approver=command.approver,
        approval=command.signature,
        place=command.place,
        manifest_sm3=command.manifest_sm3,
    )
    return after, (Record(act="transfer.approve"), WritePackage())


def _refuse(transfer: Outgoing, command: Refuse) -> Step:
    _in(transfer, *OPEN)
    after = msgspec.structs.replace(transfer, state="refused", reason=command.reason, place=None)
    return after, (Record(act="transfer.refuse", result=command.reason.code), DropStaged())


def _seal(transfer: Outgoing, command: Seal) -> Step:
    _in(transfer, "approved")
    _in_time(transfer, command.now)
    if transfer.author != command.author:
        raise Refused(
            "transfer-other-author",
            Words("封装者不是提出申请的经办人或换了密钥", "not the author who asked, or another key"),
            Words("请由原经办人用原密钥封装,或重新申请", "the author seals with the key named when asking"),
            field=command.author.name,
        )
    if transfer.manifest_sm3 != command.manifest_sm3:
        raise Refused(
            "transfer-other-manifest",
            Words("封装的清单不是审批时的清单", "the manifest sealed is not the one approved"),
            Words("请重新申请并审批", "ask again and have it approved"),
            field="manifest",
        )
    after = msgspec.structs.replace(transfer, state="sealed", package_sm3=command.package_sm3)
    return after, (Record(act="transfer.seal"),)


def _export(transfer: Outgoing, command: Export) -> Step:
    """Out it goes; what was sent and is not confirmed may be sent again, as the very same package."""
    _in(transfer, "sealed", "exported", "rejected", "unconfirmed")
    _in_time(transfer, command.now)
    after = msgspec.structs.replace(
        transfer,
        state="unconfirmed" if transfer.one_way else "exported",
        reason=UNCONFIRMED if transfer.one_way else None,
        exported=command.now,
        exports=transfer.exports + 1,
    )
    effects: tuple[Effect, ...] = (Record(act="transfer.export"), Deliver())
    return after, effects if transfer.one_way else (*effects, AwaitReceipt(until=transfer.request.expires))


def _receive(transfer: Outgoing, command: Receive) -> Step:
    if transfer.state == "confirmed":
        # A receipt may come twice, and a refusal may overtake nothing that was accepted.
        return transfer, ()
    _in(transfer, *SENT)
    if not transfer.package_sm3 or command.package_sm3 != transfer.package_sm3 or not transfer.exports:
        raise Refused(
            "receipt-other-package",
            Words("回执不是这个数据包的", "the receipt is of another package"),
            Words("请核对回执与传输编号", "check the receipt and the transfer"),
            field="package_sm3",
        )
    if command.receipt_sm3 == transfer.receipt_sm3:
        return transfer, ()
    if command.accepted:
        after = msgspec.structs.replace(
            transfer, state="confirmed", receipt_sm3=command.receipt_sm3, reason=None
        )
        return after, (Record(act="transfer.confirm"), DropStaged())
    after = msgspec.structs.replace(
        transfer, state="rejected", receipt_sm3=command.receipt_sm3, reason=command.reason
    )
    code = command.reason.code if command.reason else "refused"
    return after, (Record(act="transfer.reject", result=code),)


def _expire(transfer: Outgoing, command: Expire) -> Step:
    """What is not done when its time is over is over; what was exported one-way stays unconfirmed."""
    if command.now < transfer.request.expires or transfer.state not in (*OPEN, "exported", "rejected"):
        return transfer, ()
    if transfer.exports:
        after = msgspec.structs.replace(transfer, state="expired", reason=transfer.reason or EXPIRED)
        return after, (Record(act="transfer.expire"),)
    after = msgspec.structs.replace(transfer, state="expired", reason=EXPIRED, place=None)
    return after, (Record(act="transfer.expire"), DropStaged())


def _in(transfer: Outgoing, *states: State) -> None:
    if transfer.state not in states:
        raise Refused(
            "transfer-state",
            Words(f"传输处于 {transfer.state},不能这样操作", f"the transfer is {transfer.state}: not now"),
            Words("请查看 liuhe transfer status", "see liuhe transfer status"),
            field=transfer.request.id,
        )


def _in_time(transfer: Outgoing, now: datetime) -> None:
    if now >= transfer.request.expires:
        raise Refused(
            "transfer-expired",
            Words("传输申请已过有效期", "the transfer's time is over"),
            Words("请重新申请", "ask again"),
            field=transfer.request.id,
        )
