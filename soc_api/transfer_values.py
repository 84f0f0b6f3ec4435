"""What is kept of a transfer, as the values of ``transfer_port``."""

from collections.abc import Sequence
from typing import Literal

from crypto.package import FileEntry
from crypto.transfer.receipt import decode_receipt, receipt_sm3
from crypto.transfer.request import Reason
from soc_api.audit import Line
from soc_api.transfer_desk import Parts
from soc_api.transfer_port import (
    ReasonValue,
    TransferActValue,
    TransferDetailValue,
    TransferFileValue,
    TransferReceiptValue,
    TransferRowValue,
    TransferSignatureValue,
    TrustItemValue,
    TrustValue,
)
from soc_api.transfer_status import row_of
from soc_api.transfer_store import Kept
from soc_api.transfer_trust_view import TrustView

_SIGNED_BY_AUTHOR = frozenset({"sealed", "exported", "confirmed", "rejected", "unconfirmed"})


def row_value(parts: Parts, kept: Kept) -> TransferRowValue:
    """One transfer as a row of the list."""
    row = row_of(kept)
    out, into = kept.outgoing, kept.incoming
    said = out.request if out is not None else into.manifest if into is not None else None
    receipt: Literal["", "accepted", "refused"] = ""
    if out is not None and out.receipt_sm3:
        receipt = "accepted" if out.state == "confirmed" else "refused"
    elif into is not None and into.state in {"imported", "refused"}:
        receipt = "accepted" if into.state == "imported" else "refused"
    ready = out is not None and bool(out.exports) and parts.ferry.sealed(out.request.id).is_file()
    return TransferRowValue(
        id=f"{row.direction}-{row.id}",
        direction=row.direction,
        state=row.state,
        label=row.label,
        marks=said.marks if said else (),
        from_zone=said.from_zone if said else "",
        to_zone=said.to_zone if said else "",
        application=row.application,
        purpose=row.purpose,
        channel=row.channel,
        sender=said.sender if said else "",
        receiver=said.receiver if said else "",
        files=row.files,
        bytes=row.content_bytes,
        issued=said.issued if said else row.created,
        expires=row.expires,
        author=row.author,
        approver=row.approver,
        sequence=row.sequence or None,
        receipt=receipt,
        reason=reason_value(row.reason),
        package_ready=ready,
    )


def detail_of(parts: Parts, kept: Kept, lines: Sequence[Line]) -> TransferDetailValue:
    """One transfer with everything known; ``lines`` are the audit lines about it."""
    out, into = kept.outgoing, kept.incoming
    said = out.request if out is not None else into.manifest if into is not None else None
    package_sm3 = out.package_sm3 if out is not None else into.package_sm3 if into is not None else ""
    manifest_sm3 = out.manifest_sm3 if out is not None else into.manifest_sm3 if into is not None else ""
    return TransferDetailValue(
        transfer=row_value(parts, kept),
        package_sm3=package_sm3,
        manifest_sm3=manifest_sm3,
        recipients=said.recipients if said else (),
        exports=out.exports if out is not None else 0,
        files=tuple(_file(one) for one in said.files) if said else (),
        signatures=_signatures(kept),
        history=tuple(
            TransferActValue(
                time=line.entry.time,
                actor=line.entry.actor,
                action=line.entry.action,
                result=line.entry.result,
                note="",
            )
            for line in lines
        ),
        receipts=tuple(_receipt(data) for data in parts.store.receipts(package_sm3)) if package_sm3 else (),
    )


def _signatures(kept: Kept) -> tuple[TransferSignatureValue, ...]:
    out, into = kept.outgoing, kept.incoming
    if out is None:
        manifest = into.manifest if into is not None else None
        if manifest is None:
            return ()
        names = manifest.attributes
        return tuple(
            TransferSignatureValue(role=role, name=names.get(role, ""), key_id="", signed=True)
            for role in manifest.roles
        )
    persons = (
        ("author", out.author, out.state in _SIGNED_BY_AUTHOR),
        ("approver", out.approver, out.approval is not None),
    )
    return tuple(
        TransferSignatureValue(role=role, name=one.name, key_id=one.key_id, signed=signed)
        for role, one, signed in persons
        if one is not None
    )


def _receipt(data: bytes) -> TransferReceiptValue:
    receipt = decode_receipt(data).receipt
    return TransferReceiptValue(
        time=receipt.time,
        receiver=receipt.receiver,
        verdict=receipt.verdict,
        reason=reason_value(receipt.reason),
        sm3=receipt_sm3(data),
    )


def _file(entry: FileEntry) -> TransferFileValue:
    return TransferFileValue(name=entry.name, size=entry.size, sm3=entry.sm3)


def trust_value(view: TrustView) -> TrustValue:
    """What a channel trusts, as the console tells it."""
    return TrustValue(
        mode=view.mode,
        keys=view.keys,
        names=view.names,
        items=tuple(
            TrustItemValue(kind=one.kind, name=one.name, begins=one.begins, ends=one.ends, state=one.state)
            for one in view.items
        ),
        trouble=reason_value(view.trouble),
    )


def reason_value(reason: Reason | None) -> ReasonValue | None:
    """A reason as the console tells it."""
    return None if reason is None else ReasonValue(code=reason.code, message=reason.words)
