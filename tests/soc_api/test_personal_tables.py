"""Tests of soc_api.personal_tables: people's accounts are told from those of services."""

from datetime import UTC, datetime

from detection.store.host_inventory import HostInventory
from soc_api.personal_tables import account_names, named, persons

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def table(kind: str, columns: str, *rows: str) -> HostInventory:
    return HostInventory(
        host="web-01",
        kind=kind,
        time=NOW,
        since=NOW,
        event="e",
        unit="u",
        sensor="s",
        digest="d",
        method="file:x",
        columns=tuple(columns.split()),
        rows=tuple(tuple(row.split("|")) for row in rows),
        complete=True,
        truncated=False,
        error="",
    )


ACCOUNTS = table("accounts", "name uid", "zhang|1000", "nobody|65534", "chrony|119", "odd|", "|7")
CRON = table("cron", "file user command", "/etc/crontab|chrony|x", "/etc/crontab|li|y")
GROUPS = table("groups", "name gid members", "wheel|10|zhang,wang")


def test_services_are_nobody_and_members_are_somebody() -> None:
    assert persons([ACCOUNTS]) == {"zhang", "odd"}
    assert persons([ACCOUNTS, CRON, GROUPS]) == {"zhang", "odd", "li", "wang"}
    assert persons([CRON]) == {"chrony", "li"}  # nobody said that it is a service


def test_a_comment_names_who_stands_before_the_host() -> None:
    assert named("authorized_keys", ("user", "comment"), [("zhang", "li@laptop key")]) == {
        "zhang",
        "li",
        "key",
    }
    assert named("packages", ("name",), [("bash",)]) == set()
    assert account_names(None) == set()
