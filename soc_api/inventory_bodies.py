"""Bodies of the inventory's routes: hosts that tell of themselves, their tables, what changed in them."""

from datetime import datetime
from typing import Literal

from soc_api.bodies import Body


class HostRow(Body):
    """A host; ``system`` is '' where no graded system has an asset of this name."""

    unit: str
    host: str
    sensor: str
    first_seen: datetime
    last_seen: datetime
    os: str
    kernel: str
    domestic: str
    addresses: list[str]
    kinds: list[str]
    system: str
    system_name: str
    asset: int | None


class HostPage(Body):
    """GET /api/v1/inventory/hosts: every host within one's units, by unit and name."""

    rows: list[HostRow]


class HostTableRow(Body):
    """What is known of one table; ``error`` is '' where it could be read last."""

    kind: str
    rows: int
    time: datetime
    since: datetime
    method: str
    complete: bool
    truncated: bool
    error: str


class HostDetail(Body):
    """GET /api/v1/inventory/host: what it is, and which tables it told."""

    host: HostRow
    facts: dict[str, str]
    tables: list[HostTableRow]
    alerts_open: int


class HostTable(Body):
    """GET /api/v1/inventory/table: one table of one host; ``rows`` ends after 20,000."""

    table: HostTableRow
    columns: list[str]
    rows: list[list[str]]


class HostChangeRow(Body):
    """A row of a table that was added, removed or changed."""

    event: str
    time: datetime
    kind: str
    action: Literal["added", "removed", "changed", ""]
    key: str
    before: str
    after: str
    while_down: bool


class HostChangePage(Body):
    """GET /api/v1/inventory/changes: newest first, 200 at most."""

    rows: list[HostChangeRow]


class HostHitRow(Body):
    """A row of some host's table in which the words stand."""

    unit: str
    host: str
    cells: list[str]


class HostHitPage(Body):
    """GET /api/v1/inventory/rows: what hosts have it; ``more`` where there are hits beyond the 500 told."""

    kind: str
    columns: list[str]
    rows: list[HostHitRow]
    hosts: int
    more: bool
