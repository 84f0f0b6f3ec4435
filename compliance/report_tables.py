"""The tables of reports: each edition with its state, its edited sections, its signatures, and orders."""

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from detection.store.tables import RowId, metadata

reports: Final = Table(
    "reports",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("month", String(7), nullable=False),
    Column("unit", String(128), nullable=False),  # code of the unit, or id of the system
    Column("edition", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("pdf_sm3", String(64), nullable=False),
    Column("xlsx_sm3", String(64), nullable=False),
    Column("leaf", BigInteger, nullable=False),  # of the newest act
    Column("scope", String(16), nullable=False, server_default="unit"),  # unit, system
    Column("state", String(16), nullable=False, server_default="draft"),
    Column("revision", Integer, nullable=False, server_default="0"),  # +1 with every act
    Column("corrects", String(64), nullable=False, server_default=""),  # the issued report it takes over from
    Column("due", String(10), nullable=False, server_default=""),
    Column("docx_sm3", String(64), nullable=False, server_default=""),
    Column("p7s_sm3", String(64), nullable=False, server_default=""),
    Column("model_sm3", String(64), nullable=False, server_default=""),
    Column("content_sm3", String(64), nullable=False, server_default=""),  # what is signed: numbers and texts
    Index(None, "month", "scope", "unit", "edition", unique=True),
)

report_sections: Final = Table(
    "report_sections",
    metadata,
    Column("report", String(64), ForeignKey("reports.id"), primary_key=True),
    Column("section", String(32), primary_key=True),
    Column("text", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("changed", BigInteger, nullable=False),
)

report_signatures: Final = Table(
    "report_signatures",
    metadata,
    Column("report", String(64), ForeignKey("reports.id"), primary_key=True),
    Column("step", String(16), primary_key=True),
    Column("actor", String(128), nullable=False),
    Column("name", Text, nullable=False),
    Column("signed", BigInteger, nullable=False),
    Column("leaf", BigInteger, nullable=False),
    Column("key", String(64), nullable=False, server_default=""),  # the person's own; '' signed in a session
    Column("value", Text, nullable=False, server_default=""),
    Column("statement", Text, nullable=False, server_default=""),  # the bytes the key signed
)

# Only the process that holds the ledger makes reports; another process orders one here and waits.
report_orders: Final = Table(
    "report_orders",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("month", String(7), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("ordered", BigInteger, nullable=False),
    Column("report", String(64), nullable=False, server_default=""),
    Column("error", Text, nullable=False, server_default=""),
    Column("finished", BigInteger),
    Column("scope", String(16), nullable=False, server_default="unit"),
    Column("unit", String(128), nullable=False, server_default=""),  # '' is the center's own
)
