"""What somebody asks to have carried to another network, and what may not even be asked.

A request is bound to an application number, a purpose, a receiver, a label (数据分级 一般/重要/核心, with
marks such as 内部), the zones it leaves and enters, a time of issue and of expiry, and the exact files.
Whatever is marked as a state secret is refused here, at both ends: such data has no lawful way through a
system like this one.
"""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

import msgspec

from crypto.package_format import APPROVER, AUTHOR, FileEntry, Manifest, flaw_of_manifest
from crypto.words import BadInput, Refused, Words

KIND: Final = "transfer"
HEARTBEAT: Final = "heartbeat"
STATION: Final = "station"  # the role of a center's own key: heartbeats and receipts
LABELS: Final = ("一般", "重要", "核心")
_SECRETS: Final = (
    "涉密",
    "绝密",
    "机密",
    "秘密",
    "国家秘密",
    "topsecret",
    "statesecret",
    "confidential",
    "secret",
)
_NO_STATE_SECRETS: Final = ("商业秘密", "工作秘密", "个人隐私", "非涉密", "不涉密")
_STAMP: Final = re.compile(r"(绝密|机密|秘密)[★☆*]|[\[【(](绝密|机密|秘密|涉密)[\]】)]")


class Reason(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a transfer was refused, rejected or is unsure: a stable code and one sentence in two languages."""

    code: str
    zh: str
    en: str

    @property
    def words(self) -> Words:
        """The sentence."""
        return Words(self.zh, self.en)


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything both persons answer for; ``id`` becomes the package's id."""

    id: str
    channel: str
    application: str
    purpose: str
    sender: str
    receiver: str
    label: str
    marks: tuple[str, ...] = ()
    from_zone: str
    to_zone: str
    issued: datetime
    expires: datetime
    recipients: tuple[str, ...]
    files: tuple[FileEntry, ...]


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place on a channel: where a manifest stands, and the SM3 of the one before it."""

    epoch: int
    sequence: int
    previous: str


def reason_of(error: Refused | BadInput) -> Reason:
    """A refusal as something to keep and to send back."""
    return Reason(code=error.code, zh=error.what.zh, en=error.what.en)


def check_request(request: Request) -> None:
    """Return silently where this may be asked. Raises Refused (state-secret), BadInput."""
    refuse_state_secrets(
        (request.label, *request.marks),
        (request.purpose, request.application, *(entry.name for entry in request.files)),
    )
    if request.label not in LABELS:
        raise _unfit(f"分级标签 {request.label} 不明", f"the label {request.label} is unknown", "label")
    if not request.files:
        raise _unfit("没有文件", "there are no files", "files")
    place = Place(epoch=1, sequence=1, previous="")
    flaw = flaw_of_manifest(manifest_of(request, place, author="a", approver="b"))
    if flaw:
        raise _unfit(f"申请不完整({flaw})", f"the request is not complete: {flaw}", "request")


def manifest_of(request: Request, place: Place, *, author: str, approver: str) -> Manifest:
    """What both persons sign: the request at its place on the channel, with their names."""
    return Manifest(
        package=request.id,
        kind=KIND,
        channel=request.channel,
        epoch=place.epoch,
        sequence=place.sequence,
        previous=place.previous,
        application=request.application,
        purpose=request.purpose,
        sender=request.sender,
        receiver=request.receiver,
        label=request.label,
        marks=request.marks,
        from_zone=request.from_zone,
        to_zone=request.to_zone,
        issued=request.issued.astimezone(UTC),
        expires=request.expires.astimezone(UTC),
        roles=(AUTHOR, APPROVER),
        recipients=request.recipients,
        attributes={"approver": approver, "author": author},
        files=request.files,
    )


def check_dual_control(manifest: Manifest) -> None:
    """Return silently where two different persons answer for a transfer. Raises Refused.

    That two different keys signed it is verified with the signatures themselves.
    """
    author, approver = manifest.attributes.get("author", ""), manifest.attributes.get("approver", "")
    if manifest.roles != (AUTHOR, APPROVER) or not author or not approver or author == approver:
        raise same_person()


def same_person() -> Refused:
    """The refusal where one person, or nobody, stands for both roles."""
    return Refused(
        "transfer-dual-control",
        Words("经办与审批须为两人、两把密钥", "author and approver must be two persons with two keys"),
        Words("请由另一人用其本人的密钥审批", "have another person approve with a key of their own"),
        field="approver",
    )


def refuse_state_secrets(marks: tuple[str, ...], texts: tuple[str, ...] = ()) -> None:
    """Raise Refused (state-secret) where a label or mark names a state secret, or a text bears its stamp."""
    for mark in marks:
        plain = _plain(mark)
        for other in _NO_STATE_SECRETS:
            plain = plain.replace(other, "")
        if any(word in plain for word in _SECRETS):
            raise _state_secret(mark)
    for text in texts:
        if _STAMP.search(_plain(text)):
            raise _state_secret(text)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in folded if not sign.isspace() and sign not in "-_")


def _state_secret(found: str) -> Refused:
    return Refused(
        "state-secret",
        Words(
            "带有国家秘密标志,本系统不得传输涉密信息",
            "it is marked as a state secret, which this system must not carry",
        ),
        Words(
            "涉密信息按分级保护要求由保密部门的专用渠道办理",
            "such information goes by the secrecy authority's own channels",
        ),
        field=found[:80],
    )


def _unfit(zh: str, en: str, field: str) -> BadInput:
    return BadInput(
        "transfer-request",
        Words(zh, en),
        Words("请补全或改正后重新申请", "complete or correct it and ask again"),
        field=field,
    )
