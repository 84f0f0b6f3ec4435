"""Acts on transfers on their way into the event log: the audit log is the outbox, a cursor says how far.

An act commits with its audit line; whoever writes the event log reads the lines behind the cursor, makes each
an event and moves the cursor. After a crash between the two an act is told again: its line number says so.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, select

from crypto.transfer.incoming import Incoming
from crypto.transfer.outgoing import Outgoing
from crypto.transfer.receipt import decode_receipt
from detection.store.progress_store import keep_place, place_of
from detection.store.state import writing
from sensors.event import Value
from soc_api.audit import OK, Entry
from soc_api.audit_store import AuditStore
from soc_api.transfer_tables import transfer_receipts, transfers

DATASET: Final = "gov.transfer"
_CURSOR: Final = "transfer-events"
_ACTIONS: Final = frozenset(
    {
        "transfer.request",
        "transfer.approve",
        "transfer.refuse",
        "transfer.seal",
        "transfer.export",
        "transfer.expire",
        "transfer.import",
        "transfer.duplicate",
        "transfer.receipt",
        "transfer.heartbeat",
        "transfer.epoch",
    }
)
_INCOMING: Final = frozenset({"transfer.import", "transfer.duplicate"})


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One act: its audit line, its time, and the event's fields; none where the line is no transfer's."""

    line: int
    time: datetime
    fields: dict[str, Value]


class TransferEventStore:
    """What is still to be told of one center's transfers."""

    def __init__(self, engine: Engine) -> None:
        self._engine: Final = engine
        self._audit: Final = AuditStore(engine)

    def due(self) -> Sequence[Told]:
        """Acts behind the cursor, oldest first; the last line read is among them, told or not."""
        with self._engine.connect() as connection:
            lines = self._audit.since(place_of(connection, _CURSOR))
            found = [
                Told(
                    line=line.sequence,
                    time=line.entry.time,
                    fields=_fields(connection, line.sequence, line.entry),
                )
                for line in lines
                if line.entry.action in _ACTIONS
            ]
        if lines and (not found or found[-1].line != lines[-1].sequence):
            found.append(Told(line=lines[-1].sequence, time=lines[-1].entry.time, fields={}))
        return found

    def done(self, told: Told) -> None:
        """Everything up to this act is in the event log."""
        with writing(self._engine) as connection:
            keep_place(connection, _CURSOR, told.line, told.time)


def _fields(connection: Connection, line: int, entry: Entry) -> dict[str, Value]:
    action = entry.action
    about = entry.object.partition(":")[2]
    failed = entry.result != OK
    fields: dict[str, Value] = {
        "event.dataset": DATASET,
        "event.category": "file",
        "event.type": "denied" if failed else "info",
        "event.action": action.replace(".", "-"),
        "event.outcome": "failure" if failed else "success",
        "gov.transfer.line": line,
        "gov.transfer.direction": "in" if action in _INCOMING else "out",
    }
    if entry.actor.startswith("user:"):
        fields["user.name"] = entry.actor.removeprefix("user:")
    if failed:
        fields["gov.transfer.reason"] = entry.result
    if action == "transfer.epoch":
        return fields | {"gov.transfer.channel": about}
    if action in _INCOMING:
        return fields | _incoming(_body(connection, "in", about), about)
    if action == "transfer.receipt":
        about = _receipt(connection, about, fields)
    return fields | _outgoing(_body(connection, "out", about), about)


def _receipt(connection: Connection, digest: str, fields: dict[str, Value]) -> str:
    """The transfer a receipt is of, '' where it was not taken."""
    data = connection.scalar(select(transfer_receipts.c.body).where(transfer_receipts.c.sm3 == digest))
    if data is None:
        return ""
    receipt = decode_receipt(bytes(data)).receipt
    fields["gov.transfer.verdict"] = receipt.verdict
    if receipt.reason is not None:
        fields["gov.transfer.reason"] = receipt.reason.code
    return receipt.package


def _body(connection: Connection, direction: str, name: str) -> str:
    rows = select(transfers.c.body).where(transfers.c.direction == direction, transfers.c.id == name)
    return str(connection.scalar(rows) or "")


def _outgoing(body: str, about: str) -> dict[str, Value]:
    if not body:
        return {"gov.transfer.package": about} if about else {}
    transfer = msgspec.json.decode(body, type=Outgoing)
    request = transfer.request
    return {
        "gov.transfer.package": request.id,
        "gov.transfer.channel": request.channel,
        "gov.transfer.application": request.application,
        "gov.transfer.sender": request.sender,
        "gov.transfer.receiver": request.receiver,
        "gov.transfer.from_zone": request.from_zone,
        "gov.transfer.to_zone": request.to_zone,
        "gov.transfer.label": request.label,
        "gov.transfer.files": len(request.files),
        "gov.transfer.bytes": sum(one.size for one in request.files),
        "gov.transfer.one_way": transfer.one_way,
        "gov.transfer.exports": transfer.exports,
    }


def _incoming(body: str, about: str) -> dict[str, Value]:
    if not body:
        return {"gov.transfer.package": about}
    transfer = msgspec.json.decode(body, type=Incoming)
    fields: dict[str, Value] = {
        "gov.transfer.package": transfer.package_sm3,
        "gov.transfer.channel": transfer.channel,
    }
    if (manifest := transfer.manifest) is not None:
        fields |= {
            "gov.transfer.application": manifest.application,
            "gov.transfer.sender": manifest.sender,
            "gov.transfer.receiver": manifest.receiver,
            "gov.transfer.from_zone": manifest.from_zone,
            "gov.transfer.to_zone": manifest.to_zone,
            "gov.transfer.label": manifest.label,
            "gov.transfer.files": len(manifest.files),
            "gov.transfer.bytes": manifest.content_bytes,
        }
    return fields
