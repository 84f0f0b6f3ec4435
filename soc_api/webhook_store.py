"""Webhooks and their outbox in the state database: what is to be sent survives a stop at any moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Engine, RowMapping, delete, insert, select, update

from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.webhook_tables import webhook_outbox, webhooks

WEBHOOKS_MAX: Final = 50
KEPT_MAX: Final = 10_000  # deliveries kept of one webhook; the oldest settled ones go first
State = Literal["waiting", "delivered", "given-up"]


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription; ``secret`` is sealed."""

    id: int
    name: str
    url: str
    events: tuple[str, ...]
    query: str
    unit: str
    secret: str
    made: datetime
    made_by: str
    ended: datetime | None
    seen: int
    acted: int


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Something to send, or that was sent."""

    id: int
    webhook: int
    event: str
    about: str
    body: str
    made: datetime
    state: State
    attempts: int
    due: datetime
    status: int
    problem: str


class WebhookStore:
    """Reads and writes over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Final = engine

    def add(self, values: dict[str, Any], now: datetime) -> int:
        """Keep a new one; answers its id. Raises Refused (webhook-full)."""
        with writing(self.engine) as connection:
            active = connection.execute(select(webhooks.c.id).where(webhooks.c.ended.is_(None))).all()
            if len(active) >= WEBHOOKS_MAX:
                raise Refused(
                    "webhook-full",
                    Words(f"已有 {WEBHOOKS_MAX} 个订阅", f"there are {WEBHOOKS_MAX} webhooks already"),
                    Words("请先停用不再需要的", "end one that is no longer needed"),
                )
            made = insert(webhooks).values(made=micros(now), **values).returning(webhooks.c.id)
            return int(connection.execute(made).scalar_one())

    def all(self) -> list[Webhook]:
        """Every webhook, ended ones too, by id."""
        with self.engine.connect() as connection:
            found = connection.execute(select(webhooks).order_by(webhooks.c.id)).mappings()
            return [_webhook(row) for row in found]

    def get(self, number: int) -> Webhook:
        """One of them. Raises Refused (webhook-not-found)."""
        with self.engine.connect() as connection:
            row = connection.execute(select(webhooks).where(webhooks.c.id == number)).mappings().first()
        if row is None:
            raise Refused(
                "webhook-not-found",
                Words("没有这个订阅", "there is no such webhook"),
                Words("请刷新列表", "reload the list"),
                field=str(number),
            )
        return _webhook(row)

    def end(self, number: int, now: datetime) -> None:
        """Nothing is sent to it any more, what waits neither."""
        with writing(self.engine) as connection:
            connection.execute(update(webhooks).where(webhooks.c.id == number).values(ended=micros(now)))
            waiting = (webhook_outbox.c.webhook == number) & (webhook_outbox.c.state == "waiting")
            connection.execute(
                update(webhook_outbox).where(waiting).values(state="given-up", problem="ended")
            )

    def fill(self, number: int, rows: Sequence[tuple[str, str, str]], now: datetime, **places: int) -> None:
        """Put (event, about, body) into the outbox and remember how far was read, together.

        ``places`` are ``seen`` of the alerts, ``acted`` of the acts.
        """
        at = micros(now)
        with writing(self.engine) as connection:
            if rows:
                connection.execute(
                    insert(webhook_outbox),
                    [
                        {
                            "webhook": number,
                            "event": event,
                            "about": about,
                            "body": body,
                            "made": at,
                            "state": "waiting",
                            "attempts": 0,
                            "due": at,
                            "status": 0,
                            "problem": "",
                        }
                        for event, about, body in rows
                    ],
                )
            connection.execute(update(webhooks).where(webhooks.c.id == number).values(**places))
            settled = (webhook_outbox.c.webhook == number) & (webhook_outbox.c.state != "waiting")
            newest = select(webhook_outbox.c.id).where(settled).order_by(webhook_outbox.c.id.desc())
            last = connection.scalar(newest.offset(KEPT_MAX).limit(1))
            if last is not None:
                connection.execute(delete(webhook_outbox).where(settled, webhook_outbox.c.id <= last))

    def due(self, now: datetime, limit: int) -> list[Delivery]:
        """What waits and is due, the oldest first."""
        table = webhook_outbox.c
        query = select(webhook_outbox).where(table.state == "waiting", table.due <= micros(now))
        with self.engine.connect() as connection:
            found = connection.execute(query.order_by(table.id).limit(limit)).mappings()
            return [_delivery(row) for row in found]

    def settle(self, delivery: Delivery) -> None:
        """Keep what has become of a delivery."""
        values = {
            "state": delivery.state,
            "attempts": delivery.attempts,
            "due": micros(delivery.due),
            "status": delivery.status,
            "problem": delivery.problem[:256],
        }
        with writing(self.engine) as connection:
            connection.execute(
                update(webhook_outbox)
                .where(webhook_outbox.c.id == delivery.id, webhook_outbox.c.state == "waiting")
                .values(**values)
            )

    def deliveries(self, number: int, limit: int) -> list[Delivery]:
        """Those of one webhook, the newest first."""
        query = select(webhook_outbox).where(webhook_outbox.c.webhook == number)
        with self.engine.connect() as connection:
            found = connection.execute(query.order_by(webhook_outbox.c.id.desc()).limit(limit)).mappings()
            return [_delivery(row) for row in found]


def _webhook(row: RowMapping) -> Webhook:
    ended = row["ended"]
    names = ("id", "name", "url", "query", "unit", "secret", "made_by", "seen", "acted")
    values = {name: row[name] for name in names}
    return Webhook(
        **values,
        events=tuple(row["events"].split(",")),
        made=from_micros(row["made"]),
        ended=None if ended is None else from_micros(ended),
    )


def _delivery(row: RowMapping) -> Delivery:
    values = {**row, "made": from_micros(row["made"]), "due": from_micros(row["due"])}
    return Delivery(**values)
