"""Persons in what hosts tell of themselves: accounts people log in with, and who else a table names.

Accounts of services are told by their number, as every Linux gives them: below 1,000, or nobody's.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from detection.store.host_inventory import HostInventory
from detection.store.host_inventory_store import HostInventoryStore

FIRST_PERSON: Final = 1_000
_NOBODY: Final = frozenset({65_534, 65_535, 4_294_967_294})
# Columns of other tables that name accounts; of a member list every member, of a comment what is before @.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "lastlog": ("name",),
    "groups": ("members",),
    "authorized_keys": ("user", "comment"),
    "services": ("user",),
    "cron": ("user",),
    "ports": ("user",),
}


def persons(tables: Iterable[HostInventory]) -> set[str]:
    """Names of people's accounts; where a table of accounts is missing, whom the other tables name."""
    found: set[str] = set()
    services: set[str] = set()
    for table in tables:
        if table.kind == "accounts":
            for row in table.table():
                (found if _person(row.get("uid", "")) else services).add(row.get("name", ""))
        else:
            found |= named(table.kind, table.columns, table.rows)
    return found - services - {""}


def account_names(hosts: HostInventoryStore | None) -> set[str]:
    """Names of people's accounts on all hosts."""
    return set() if hosts is None else persons(hosts.newest(kind="accounts"))


def named(kind: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> set[str]:
    """Accounts a table of this kind names."""
    places = [columns.index(name) for name in _COLUMNS.get(kind, ()) if name in columns]
    cells = (row[place] for row in rows for place in places if place < len(row))
    return {
        name for cell in cells for one in cell.replace(",", " ").split() if (name := one.partition("@")[0])
    }


def _person(uid: str) -> bool:
    return not uid.isdigit() or (int(uid) >= FIRST_PERSON and int(uid) not in _NOBODY)
