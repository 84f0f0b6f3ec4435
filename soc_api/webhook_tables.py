"""The tables of webhooks: who wants to be told of what, and what still has to be sent."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from detection.store.tables import RowId, metadata

webhooks: Final = Table(
    "webhooks",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("name", String(64), nullable=False),
    Column("url", String(512), nullable=False),
    Column("events", String(128), nullable=False),  # names with commas between them
    Column("query", Text, nullable=False),
    Column("unit", String(128), nullable=False),
    Column("secret", Text, nullable=False),  # sealed, see secret_box.py
    Column("made", BigInteger, nullable=False),
    Column("made_by", String(128), nullable=False),
    Column("ended", BigInteger),  # NULL while it is sent to
    Column("seen", BigInteger, nullable=False),  # revision of the alerts up to which the outbox was filled
    Column("acted", BigInteger, nullable=False, server_default="0"),  # the last act that was read, likewise
)

webhook_outbox: Final = Table(
    "webhook_outbox",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("webhook", BigInteger, ForeignKey("webhooks.id"), nullable=False),
    Column("event", String(32), nullable=False),
    Column("about", String(128), nullable=False),
    Column("body", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),  # "waiting", "delivered" or "given-up"
    Column("attempts", Integer, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("status", Integer, nullable=False),  # HTTP status of the last attempt, 0 without an answer
    Column("problem", String(256), nullable=False),
    Index("ix_webhook_outbox_state_due", "state", "due"),
    Index(None, "webhook"),
)
