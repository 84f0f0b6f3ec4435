"""The tables of the registry and of grading: units, graded systems, assets, objects, people, statements.

Dates without a time of day are ISO text (``2026-11-22``); moments are microseconds as everywhere else.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from detection.store.tables import RowId, metadata

units: Final = Table(
    "units",
    metadata,
    Column("code", String(128), primary_key=True),
    Column("name", Text, nullable=False),
    Column("parent", String(128), ForeignKey("units.code")),
    Column("kind", String(16), nullable=False, server_default="institution"),
    Column("retired", Boolean, nullable=False, server_default="0"),
)

graded_systems: Final = Table(
    "graded_systems",
    metadata,
    Column("id", String(128), primary_key=True),
    Column("unit", String(128), ForeignKey("units.code"), nullable=False),
    Column("name", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("grade", String(16), nullable=False),  # SxAxGx
    Column("state_secret", Boolean, nullable=False),
    Column("registered", BigInteger, nullable=False),
    Column("extensions", Text, nullable=False, server_default="[]"),  # JSON list
    Column("stage", String(16), nullable=False, server_default="draft"),
    Column("owner", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Column("internet", Boolean, nullable=False, server_default="0"),
    Column("critical", Boolean, nullable=False, server_default="0"),
    Column("launched", String(10)),
    Column("filing_number", Text, nullable=False, server_default=""),
    Column("filed", String(10)),
    Column("filing_expires", String(10)),
    Column("assessed", String(10)),
    Column("assessment_due", String(10)),
    Column("crypto_assessed", String(10)),
    Column("crypto_due", String(10)),
    Column("revision", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("level BETWEEN 1 AND 4", name="level"),
    # 分级保护 systems are another authority's business: none may ever be stored here.
    CheckConstraint("NOT state_secret", name="no_state_secret"),
)

milestones: Final = Table(
    "milestones",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("step", String(32), nullable=False),
    Column("day", String(10), nullable=False),
    Column("stage", String(16), nullable=False),  # after it
    Column("document", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("conclusion", Text, nullable=False),
    Column("valid_until", String(10)),
    Column("note", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("recorded", BigInteger, nullable=False),
    Index(None, "system", "number"),
)

assets: Final = Table(
    "assets",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("name", String(256), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("address", Text, nullable=False, server_default=""),
    Column("owner", Text, nullable=False, server_default=""),
    Column("location", Text, nullable=False, server_default=""),
    Column("model", Text, nullable=False, server_default=""),
    Column("origin", String(16), nullable=False, server_default="entered"),
    Column("found", BigInteger, nullable=False),
    Column("retired", Boolean, nullable=False, server_default="0"),
    UniqueConstraint("system", "name"),
    Index(None, "name"),
)

assessment_objects: Final = Table(
    "assessment_objects",
    metadata,
    Column("system", String(128), ForeignKey("graded_systems.id"), primary_key=True),
    Column("id", String(160), primary_key=True),  # kind:name
    Column("kind", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("asset", BigInteger),  # number of the asset it is, if it is one
    Column("note", Text, nullable=False, server_default=""),
    Column("retired", Boolean, nullable=False, server_default="0"),
)

contacts: Final = Table(
    "contacts",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("unit", String(128), ForeignKey("units.code"), nullable=False),
    Column("system", String(128), nullable=False, server_default=""),
    Column("duty", String(32), nullable=False),
    Column("name", Text, nullable=False),
    Column("phone", Text, nullable=False, server_default=""),
    Column("email", Text, nullable=False, server_default=""),
    UniqueConstraint("unit", "system", "duty", "name"),
)

registry_tasks: Final = Table(
    "registry_tasks",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("key", String(256), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("system", String(128), nullable=False, server_default=""),
    Column("what_zh", Text, nullable=False),
    Column("what_en", Text, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("due", String(10)),
    Column("state", String(16), nullable=False, server_default="open"),
    Column("closed", BigInteger),
    Column("actor", String(128), nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    UniqueConstraint("kind", "key"),
)

# Every change of the registry, in the order of changes; each row becomes a leaf of the ledger.
registry_log: Final = Table(
    "registry_log",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("time", BigInteger, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", String(256), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("body", Text, nullable=False),  # what it is after the change, as JSON
)

# What people say of an item on an object, in two voices: it counts once another person has confirmed it.
item_statements: Final = Table(
    "item_statements",
    metadata,
    Column("number", RowId, primary_key=True, autoincrement=True),
    Column("system", String(128), ForeignKey("graded_systems.id"), nullable=False),
    Column("object", String(160), nullable=False),
    Column("item", String(32), nullable=False),
    Column("verdict", String(16), nullable=False),  # '' : the verdict stands, only the risk is mitigated
    Column("risk", String(16), nullable=False, server_default=""),  # after mitigation; '' unchanged
    Column("reason", Text, nullable=False),
    Column("mitigation", Text, nullable=False, server_default=""),
    Column("author", String(128), nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("valid_until", BigInteger),
    Column("state", String(16), nullable=False, server_default="proposed"),
    Column("reviewer", String(128), nullable=False, server_default=""),
    Column("reviewed", BigInteger),
    Column("review", Text, nullable=False, server_default=""),
    Index(None, "system", "number"),
)

# One row a system and day, for trends; the newest of a day replaces that day's.
system_scores: Final = Table(
    "system_scores",
    metadata,
    Column("system", String(128), ForeignKey("graded_systems.id"), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("time", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # the SystemScore as JSON
)
