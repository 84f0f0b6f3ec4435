"""The relational state of detection as SQLAlchemy Core tables: alerts, cursor, segments and inventory.

Every time is a BIGINT of microseconds since 1970-01-01T00:00:00Z (``micros``/``from_micros``): it sorts,
subtracts and compares alike in SQLite and PostgreSQL, and no driver rewrites it. Lists and maps are JSON
text. compliance/tables.py and soc_api/tables.py add their tables to the same ``metadata``; the migrations
of soc_api/migrations are made from it.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
# SQLite numbers rows only in a column declared exactly INTEGER; everywhere else it is a BIGINT.
RowId: Final = BigInteger().with_variant(Integer(), "sqlite")

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

counters: Final = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

alert_groups: Final = Table(
    "alert_groups",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("key", String(64), nullable=False),  # digest of rule x unit x entity
    Column("generation", Integer, nullable=False),  # 1, then +1 each time a closed group is hit again
    Column("rule", String(256), nullable=False),
    Column("detector", String(32), nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("entity", Text, nullable=False),
    Column("unit", String(128), nullable=False),
    Column("sensor", String(128), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(128), nullable=False, server_default=""),
    Column("classification", String(32), nullable=False, server_default=""),
    Column("close_reason", Text, nullable=False, server_default=""),
    Column("reason_zh", Text, nullable=False),
    Column("reason_en", Text, nullable=False),
    Column("attack", Text, nullable=False),  # JSON list
    Column("clauses", Text, nullable=False),  # JSON list
    Column("revision", BigInteger, nullable=False),
    # What the queue is sorted and sought by, kept beside what it comes from (detection/store/group_store.py).
    Column("rank", Integer, nullable=False, server_default="0"),  # of the severity, 4 is critical
    Column("heat", Float, nullable=False, server_default="0"),  # added to its entity's: detection/risk.py
    Column("latest", BigInteger, nullable=False, server_default="0"),  # last_seen, of merged groups as well
    Column("entity_key", Text, nullable=False, server_default=""),  # the entity in lower case
    Column("sought", Text, nullable=False, server_default=""),  # every text of the row in lower case
    # What people decided beside the state.
    Column("parent", String(64), nullable=False, server_default=""),  # the group this one is merged into
    Column("members", Integer, nullable=False, server_default="0"),  # groups merged into this one
    Column("snoozed_until", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("key", "generation"),
    CheckConstraint("state IN ('new', 'acknowledged', 'closed')", name="state"),
    Index(None, "latest", "id"),
    Index(None, "rule", "latest"),
    Index(None, "unit", "latest"),
    Index(None, "owner", "latest"),
    Index(None, "revision"),
)
# The groups of an entity; no column that people change, so that acts on many groups leave it alone.
Index("ix_alert_groups_entity", *(alert_groups.c[name] for name in ("entity_key", "unit", "latest", "id")))
OPEN_ROWS: Final = "state != 'closed' AND parent = ''"  # said alike by the query, else the index is not used
for _sort in ("latest", "count", "rank"):
    Index(
        f"ix_alert_groups_open_{_sort}",
        alert_groups.c[_sort],
        *([] if _sort == "latest" else [alert_groups.c.latest]),
        alert_groups.c.id,
        sqlite_where=text(OPEN_ROWS),
        postgresql_where=text(OPEN_ROWS),
    )
TOP_ROWS: Final = "parent = ''"
MERGED_ROWS: Final = "parent != ''"
CLOSED_ROWS: Final = "state = 'closed' AND parent = ''"
for _name, _columns, _rows in (
    *((f"top_{_sort}", (_sort, "latest", "id"), TOP_ROWS) for _sort in ("count", "rank")),
    ("closed_latest", ("latest", "id"), CLOSED_ROWS),
    ("parent_latest", ("parent", "latest"), MERGED_ROWS),
):
    Index(
        f"ix_alert_groups_{_name}",
        *(alert_groups.c[_column] for _column in _columns),
        sqlite_where=text(_rows),
        postgresql_where=text(_rows),
    )
# Everything that counts are made of, so that counting reads no whole row.
Index(
    "ix_alert_groups_facets",
    *(alert_groups.c[name] for name in ("parent", "state", "snoozed_until", "rank", "detector", "unit")),
    *(alert_groups.c[name] for name in ("owner", "rule", "entity_key", "latest", "count")),
)

# The risk of each entity of a unit as heat: what its groups add up to (detection/store/entity_heat.py).
entity_heats: Final = Table(
    "entity_heats",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("unit", String(128), nullable=False),
    Column("entity_key", Text, nullable=False),
    Column("heat", Float, nullable=False),
    UniqueConstraint("entity_key", "unit"),
    Index("ix_entity_heats_heat", "heat", "id"),
)

alerts: Final = Table(
    "alerts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("group_id", String(64), ForeignKey("alert_groups.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("detected", BigInteger, nullable=False),
    Column("body", LargeBinary),  # the Alert as JSON; NULL once newer ones pushed it out, the id stays
    Index(None, "time"),
    Index(None, "group_id", "time"),
)
# Only the alerts that still have a body, so that a group of a million costs no more than one of a hundred.
Index(
    "ix_alerts_kept",
    alerts.c.group_id,
    alerts.c.time,
    sqlite_where=alerts.c.body.is_not(None),
    postgresql_where=alerts.c.body.is_not(None),
)

alert_history: Final = Table(
    "alert_history",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("group_id", String(64), ForeignKey("alert_groups.id"), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Index(None, "group_id"),
    Index("ix_alert_history_action_time_group_id", "action", "time", "group_id"),
)

pipeline_cursor: Final = Table(
    "pipeline_cursor",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("position", BigInteger, nullable=False),  # last log sequence whose effects are committed
    Column("time", BigInteger, nullable=False),
)

segments: Final = Table(
    "segments",
    metadata,
    Column("id", RowId, primary_key=True, autoincrement=True),
    Column("name", String(128), nullable=False, unique=True),  # file name below events/
    Column("sm3", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("time_min", BigInteger, nullable=False),
    Column("time_max", BigInteger, nullable=False),
    Column("sequence_first", BigInteger, nullable=False),
    Column("sequence_last", BigInteger, nullable=False),
    Column("sealed", BigInteger, nullable=False),
    Column("status", String(16), nullable=False),  # sealed, or deleted: a tombstone that keeps the digest
    Column("deleted", BigInteger),
    CheckConstraint("status IN ('sealed', 'deleted')", name="status"),
    Index(None, "time_max"),
    Index(None, "sequence_last"),
)

probe_results: Final = Table(
    "probe_results",
    metadata,
    Column("unit", String(128), primary_key=True),  # two units may have hosts of one name
    Column("host", String(256), primary_key=True),
    Column("probe", String(128), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("event", String(64), nullable=False),
    Column("sensor", String(128), nullable=False),
    Column("method", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("values", Text, nullable=False),  # JSON map
    Column("error", Text, nullable=False, server_default=""),
)

sensor_state: Final = Table(
    "sensor_state",
    metadata,
    Column("sensor", String(128), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("host", String(256), nullable=False),
    Column("version", String(64), nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_epoch", BigInteger, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("beat", BigInteger),  # when the last heartbeat was true, by the earlier of both clocks; NULL: none
    Column("backlog", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("cpu_percent", Float, nullable=False),
    Column("rss_bytes", BigInteger, nullable=False),
    Column("sources", Text, nullable=False),  # JSON list of {name, state, detail: {zh, en}}
    Column("configuration_version", BigInteger, nullable=False, server_default="0"),
    Column("clock_offset_seconds", Float),  # ahead of the center's clock; NULL: not known
    Column("drops", Text, nullable=False, server_default="{}"),  # JSON object: reason -> events
    Column("last_sequences", Text, nullable=False, server_default="{}"),  # JSON object: lane -> given out
    Column("received", Text, nullable=False, server_default="{}"),  # JSON object: lane -> [epoch, sequence]
)

sensor_gaps: Final = Table(
    "sensor_gaps",
    metadata,
    Column("event", String(64), primary_key=True),  # id of the gap event: replay never doubles it
    Column("sensor", String(128), nullable=False),
    Column("lane", String(32), nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False, server_default="0"),  # from 1 in the order of commits
    Column("leaf", BigInteger),  # its record in the ledger, NULL until it has one
    Column("begins", BigInteger),  # times of the first and last lost event, NULL where nobody knows
    Column("ends", BigInteger),
    Index(None, "sensor", "time"),
    Index(None, "number"),
)

host_changes: Final = Table(
    "host_changes",
    metadata,
    Column("event", String(64), primary_key=True),  # id of the inventory.change: replay never doubles it
    Column("unit", String(128), nullable=False),
    Column("host", String(256), nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("action", String(16), nullable=False),
    Column("item", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("while_down", Boolean(create_constraint=False), nullable=False),
    Index(None, "unit", "host", "time"),
    Index(None, "time"),
)

host_inventory: Final = Table(
    "host_inventory",
    metadata,
    Column("unit", String(128), primary_key=True),  # two units may have hosts of one name
    Column("host", String(256), primary_key=True),
    Column("kind", String(32), primary_key=True),  # packages, accounts, …: docs/reference/inventory.md
    Column("part", Integer, primary_key=True),
    Column("parts", Integer, nullable=False),
    Column("time", BigInteger, nullable=False),  # of the event that told it last
    Column("since", BigInteger, nullable=False),  # when this content was first told
    Column("event", String(64), nullable=False),
    Column("sensor", String(128), nullable=False),
    Column("digest", String(64), nullable=False),  # SM3 of the whole table: parts of one table share it
    Column("method", Text, nullable=False),
    Column("columns", Text, nullable=False),  # JSON list
    Column("rows", Text, nullable=False),  # JSON list of lists
    Column("truncated", Boolean, nullable=False),
    Column("error", Text, nullable=False, server_default=""),
)

detector_state: Final = Table(
    "detector_state",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)


def micros(time: datetime) -> int:
    """An aware time as stored: microseconds since 1970 UTC, exact.

    A time that a zone pushes out of the calendar (0001-01-01T00:00+08:00) becomes the nearest one in it, so
    that what a hostile sensor may send can be read back.
    """
    return min(max((time - _EPOCH) // _MICROSECOND, _FIRST), _LAST)


def from_micros(stored: int) -> datetime:
    """The aware UTC time of a stored number."""
    return _EPOCH + timedelta(microseconds=stored)
