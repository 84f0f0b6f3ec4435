"""Transfers, channels, imports and receipts in the state database; each change commits with its audit line.

``with store.acting(entry) as acts`` opens one write transaction, writes the audit line first, and then lets
``acts`` read and write: an import, its place on the channel, its receipt and its line stand together or not
at all.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from crypto.transfer.channel import Arrival, Receiving, Sending
from crypto.transfer.incoming import Incoming
from crypto.transfer.outgoing import HOLDING, Outgoing
from crypto.transfer.receipt import Receipt, receipt_sm3
from crypto.words import Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.tables import from_micros, micros
from soc_api.audit import Entry
from soc_api.audit_store import append, recording
from soc_api.transfer_tables import transfer_channels, transfer_imports, transfer_receipts, transfers

Direction = Literal["out", "in"]
PAGE_MAX: Final = 500


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """One import; ``published`` once its files are seen and its receipt is out."""

    package_sm3: str
    package: str
    channel: str
    sender: str
    epoch: int
    sequence: int
    time: datetime
    published: bool


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer in either direction with its times."""

    created: datetime
    updated: datetime
    outgoing: Outgoing | None = None
    incoming: Incoming | None = None


class Acts:
    """Reading and writing within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def outgoing(self, transfer: str) -> Outgoing:
        """One outgoing transfer. Raises Refused (transfer-not-found)."""
        body = self._body("out", transfer)
        if body is None:
            raise Refused(
                "transfer-not-found",
                Words("没有这个传输", "there is no such transfer"),
                Words("请查看 liuhe transfer status", "see liuhe transfer status"),
                field=transfer,
            )
        return msgspec.json.decode(body, type=Outgoing)

    def incoming(self, package_sm3: str) -> Incoming | None:
        """One incoming transfer, by the SM3 of its package."""
        body = self._body("in", package_sm3)
        return None if body is None else msgspec.json.decode(body, type=Incoming)

    def put_outgoing(self, transfer: Outgoing, now: datetime) -> None:
        """Write it anew."""
        body = msgspec.json.encode(transfer).decode()
        self._put("out", transfer.request.id, transfer.request.channel, transfer.state, body, now)

    def put_incoming(self, transfer: Incoming, now: datetime) -> None:
        """Write it anew."""
        body = msgspec.json.encode(transfer).decode()
        self._put("in", transfer.package_sm3, transfer.channel, transfer.state, body, now)

    def holder(self, channel: str) -> str:
        """The outgoing transfer that holds the channel's next place; '' where none does."""
        rows = select(transfers.c.id).where(
            transfers.c.direction == "out",
            transfers.c.channel == channel,
            transfers.c.state.in_(HOLDING),
        )
        return str(self._connection.scalar(rows) or "")

    def sending(self, channel: str) -> Sending:
        """The sender's end; a new one where nothing was sent yet."""
        body = self._channel("out", channel)
        return Sending(channel=channel) if body is None else msgspec.json.decode(body, type=Sending)

    def receiving(self, fresh: Receiving) -> Receiving:
        """The receiver's end; ``fresh`` where nothing has come yet. Its parties are those of ``fresh``."""
        body = self._channel("in", fresh.channel)
        if body is None:
            return fresh
        state = msgspec.json.decode(body, type=Receiving)
        return msgspec.structs.replace(
            state, sender=fresh.sender, receiver=fresh.receiver, one_way=fresh.one_way
        )

    def put_channel(self, state: Sending | Receiving) -> None:
        """Write the state of one end."""
        direction: Direction = "out" if isinstance(state, Sending) else "in"
        place = transfer_channels.c.direction == direction, transfer_channels.c.channel == state.channel
        self._connection.execute(delete(transfer_channels).where(*place))
        self._connection.execute(
            insert(transfer_channels).values(
                direction=direction,
                channel=state.channel,
                height=state.height,
                body=msgspec.json.encode(state).decode(),
            )
        )

    def imported_at(self, arrival: Arrival) -> str | None:
        """The SM3 of the package that was imported at this place."""
        table, manifest = transfer_imports.c, arrival.manifest
        return self._connection.scalar(
            select(table.package_sm3).where(
                table.sender == manifest.sender,
                table.channel == manifest.channel,
                table.epoch == manifest.epoch,
                table.sequence == manifest.sequence,
            )
        )

    def add_import(self, arrival: Arrival, now: datetime) -> None:
        """The import itself; the database refuses a second one of this place or package."""
        manifest = arrival.manifest
        self._connection.execute(
            insert(transfer_imports).values(
                sender=manifest.sender,
                channel=manifest.channel,
                epoch=manifest.epoch,
                sequence=manifest.sequence,
                package_sm3=arrival.package_sm3,
                package=manifest.package,
                time=micros(now),
                files=len(manifest.files),
                published=False,
            )
        )

    def set_published(self, package_sm3: str) -> None:
        """Its files are seen and its receipt is out."""
        self._connection.execute(
            update(transfer_imports)
            .where(transfer_imports.c.package_sm3 == package_sm3)
            .values(published=True)
        )

    def add_receipt(self, direction: Direction, receipt: Receipt, data: bytes) -> None:
        """Keep a receipt once."""
        name = receipt_sm3(data)
        known = select(transfer_receipts.c.sm3).where(transfer_receipts.c.sm3 == name)
        if self._connection.scalar(known) is None:
            self._connection.execute(
                insert(transfer_receipts).values(
                    sm3=name,
                    direction=direction,
                    package_sm3=receipt.package_sm3,
                    verdict=receipt.verdict,
                    time=micros(receipt.time),
                    body=data,
                )
            )

    def _body(self, direction: Direction, name: str) -> str | None:
        rows = select(transfers.c.body).where(transfers.c.direction == direction, transfers.c.id == name)
        return self._connection.scalar(rows)

    def _channel(self, direction: Direction, channel: str) -> str | None:
        rows = select(transfer_channels.c.body).where(
            transfer_channels.c.direction == direction, transfer_channels.c.channel == channel
        )
        return self._connection.scalar(rows)

    def _put(
        self, direction: Direction, name: str, channel: str, state: str, body: str, now: datetime
    ) -> None:
        changed = self._connection.execute(
            update(transfers)
            .where(transfers.c.direction == direction, transfers.c.id == name)
            .values(state=state, body=body, channel=channel, updated=micros(now))
        )
        if not changed.rowcount:
            self._connection.execute(
                insert(transfers).values(
                    direction=direction,
                    id=name,
                    channel=channel,
                    state=state,
                    body=body,
                    created=micros(now),
                    updated=micros(now),
                )
            )
        bump(self._connection, "transfers")


class TransferStore:
    """Transfers over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def acting(self, said: Entry | None) -> Iterator[Acts]:
        """One write transaction that begins with the audit line; None where nobody decided anything.

        Raises LiuheError (audit-unwritable) with nothing done.
        """
        with recording(self._engine) as connection:
            if said is not None:
                append(connection, said)
            yield Acts(connection)

    @contextmanager
    def reading(self) -> Iterator[Acts]:
        """Reading alone."""
        with self._engine.connect() as connection:
            yield Acts(connection)

    def page(self, *, limit: int = PAGE_MAX) -> Sequence[Kept]:
        """Transfers in both directions, the last changed first."""
        rows = select(transfers).order_by(transfers.c.updated.desc(), transfers.c.id).limit(limit)
        with self._engine.connect() as connection:
            found = connection.execute(rows).all()
        return [
            Kept(
                created=from_micros(row.created),
                updated=from_micros(row.updated),
                outgoing=msgspec.json.decode(row.body, type=Outgoing) if row.direction == "out" else None,
                incoming=msgspec.json.decode(row.body, type=Incoming) if row.direction == "in" else None,
            )
            for row in found
        ]

    def unfinished(self) -> Sequence[Imported]:
        """Imports a crash may have left without files or receipt."""
        return self._imports(published=False)

    def imports(self) -> Sequence[Imported]:
        """Every import, oldest first."""
        return self._imports(published=None)

    def imported(self, package_sm3: str) -> bool:
        """Whether this very package was imported."""
        rows = select(transfer_imports.c.package).where(transfer_imports.c.package_sm3 == package_sm3)
        with self._engine.connect() as connection:
            return connection.scalar(rows) is not None

    def receipts(self, package_sm3: str) -> Sequence[bytes]:
        """The receipts about a package, oldest first."""
        table = transfer_receipts.c
        rows = select(table.body).where(table.package_sm3 == package_sm3).order_by(table.time, table.sm3)
        with self._engine.connect() as connection:
            return list(connection.scalars(rows))

    def revision(self) -> int:
        """Grows with every change of a transfer."""
        with self._engine.connect() as connection:
            return counter(connection, "transfers")

    def _imports(self, *, published: bool | None) -> Sequence[Imported]:
        rows = select(transfer_imports).order_by(transfer_imports.c.time, transfer_imports.c.sequence)
        if published is not None:
            rows = rows.where(transfer_imports.c.published == published)
        with self._engine.connect() as connection:
            found = connection.execute(rows).all()
        return [
            Imported(
                package_sm3=row.package_sm3,
                package=row.package,
                channel=row.channel,
                sender=row.sender,
                epoch=row.epoch,
                sequence=row.sequence,
                time=from_micros(row.time),
                published=row.published,
            )
            for row in found
        ]
