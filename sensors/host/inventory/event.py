"""Inventory events: a kind's whole table in parts, and one event per changed row."""

from collections.abc import Iterator
from typing import Final

from sensors.event import LogSource, Observation, Value
from sensors.host.inventory.kind import Change, Kind, Row, Table
from sensors.host.observe import LINUX, VALUE_CHARS_MAX, observe

PART_CHARS_MAX: Final = 48 * 1024  # of rows in one event; an event may have 256 KiB
CHANGES_MAX: Final = 1_000  # told one by one; the rest is a number, the new table is told whole

# What ECS calls the kinds a change is filed under.
_CATEGORIES: Final = {
    "packages": "package",
    "accounts": "iam",
    "groups": "iam",
    "sudoers": "iam",
    "authorized_keys": "iam",
    "modules": "driver",
    "usb": "host",
    "mounts": "host",
    "hardware": "host",
    "interfaces": "network",
    "routes": "network",
}
_ECS: Final = {  # (kind, column) -> ECS field
    ("packages", "name"): "package.name",
    ("packages", "version"): "package.version",
    ("packages", "architecture"): "package.architecture",
    ("accounts", "name"): "user.target.name",
    ("accounts", "uid"): "user.target.id",
    ("groups", "name"): "group.name",
    ("groups", "gid"): "group.id",
    ("authorized_keys", "user"): "user.target.name",
    ("sudoers", "file"): "file.path",
    ("pam", "file"): "file.path",
    ("cron", "file"): "file.path",
    ("cron", "command"): "process.command_line",
    ("services", "name"): "service.name",
    ("services", "command"): "process.command_line",
    ("containers", "id"): "container.id",
    ("containers", "name"): "container.name",
    ("containers", "image"): "container.image.name",
    ("certificates", "path"): "file.path",
    ("certificates", "subject"): "x509.subject.distinguished_name",
    ("certificates", "serial"): "x509.serial_number",
    ("certificates", "sha256"): "file.hash.sha256",
}
_TYPES: Final = {"added": "creation", "removed": "deletion", "changed": "change"}


def describe_table(kind: Kind, table: Table) -> list[Observation]:
    """The table as ``inventory.<kind>`` events, at least one."""
    digest, parts = table.digest(), list(_parts(table.rows))
    return [
        _event(
            kind,
            {
                "gov.inventory.columns": list(kind.columns),
                "gov.inventory.items": [*items],
                "gov.inventory.count": len(table.rows),
                "gov.inventory.part": place,
                "gov.inventory.parts": len(parts),
                "gov.inventory.digest": digest,
                "gov.inventory.truncated": True if table.truncated else None,
            },
        )
        for place, items in enumerate(parts)
    ]


def describe_error(kind: Kind, error: Exception) -> Observation:
    """That a kind could not be read: an unknown is never told as an empty table."""
    return _event(kind, {"gov.inventory.error": f"{type(error).__name__}: {error}"[:512]})


def describe_changes(kind: Kind, found: list[Change], *, while_down: bool) -> list[Observation]:
    """One ``inventory.change`` event per row, at most CHANGES_MAX, the last of them telling how many more."""
    seen = [_change(kind, one, while_down=while_down) for one in found[:CHANGES_MAX]]
    if len(found) > CHANGES_MAX:
        seen[-1].fields["gov.inventory.more"] = len(found) - CHANGES_MAX
    return seen


def _event(kind: Kind, fields: dict[str, Value | None]) -> Observation:
    said: dict[str, Value] = {
        "event.kind": "asset",
        "event.category": "host",
        "event.type": "info",
        "gov.inventory.kind": kind.name,
        "gov.inventory.method": kind.method,
    }
    source = LogSource(product=LINUX, category="inventory", service=kind.name)
    return observe(f"inventory.{kind.name}", source, said | fields)


def _parts(rows: tuple[Row, ...]) -> Iterator[list[str]]:
    part: list[str] = []
    chars = 0
    for row in rows:
        line = "\t".join(row)[:VALUE_CHARS_MAX]
        if part and chars + len(line) > PART_CHARS_MAX:
            yield part
            part, chars = [], 0
        part.append(line)
        chars += len(line) + 3  # quotes and comma
    yield part


def _change(kind: Kind, change: Change, *, while_down: bool) -> Observation:
    row = change.after or change.before or ()
    action = change.action
    changed: list[str] = []
    if change.before is not None and change.after is not None:
        changed = [
            name
            for name, old, new in zip(kind.columns, change.before, change.after, strict=True)
            if old != new
        ]
    fields: dict[str, Value] = {
        "event.category": _CATEGORIES.get(kind.name, "configuration"),
        "event.type": _TYPES[action],
        "event.action": action,
        "gov.inventory.kind": kind.name,
        "gov.inventory.key": " ".join(change.key),
        "gov.inventory.before": said(kind, change.before) if change.before else None,
        "gov.inventory.after": said(kind, change.after) if change.after else None,
        "gov.inventory.changed": [*changed] if changed else None,
        "gov.inventory.while_down": True if while_down else None,
    }
    native: dict[str, Value] = {
        "Kind": kind.name,
        "Action": action,
        "Key": " ".join(change.key),
    }
    for place, name in enumerate(kind.columns):
        native[name] = row[place]
        if name in changed and change.before is not None:
            native[f"previous_{name}"] = change.before[place]
        if (field := _ECS.get((kind.name, name))) is not None and row[place]:
            fields[field] = row[place]
    source = LogSource(product=LINUX, category="inventory_change", service=kind.name)
    return observe("inventory.change", source, fields, native=native)


def said(kind: Kind, row: Row) -> str:
    """A row as a person reads it: ``name=openssl version=3.0.17``, empty cells left out."""
    return " ".join(f"{name}={value}" for name, value in zip(kind.columns, row, strict=True) if value)
