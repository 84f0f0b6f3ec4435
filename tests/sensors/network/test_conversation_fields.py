"""Every field the conversation dialects report is written down in docs/reference/event.md."""

import json
import re
from pathlib import Path

from converse import talk

from sensors.network.dialects import datagrams, streams

DOCS = Path(__file__).resolve().parents[3] / "docs" / "reference" / "event.md"
DATASETS = (
    "login", "ftp", "smtp", "redis", "smb", "dce_rpc", "ntlm", "kerberos", "ldap", "rdp", "snmp", "dhcp",
    "modbus", "s7",
)  # fmt: skip
ALWAYS = {"event.action", "event.category", "event.outcome", "user.name", "user.domain"}


def documented() -> set[str]:
    """Field names of the page; ``.last`` after a whole name stands for its sibling."""
    found: set[str] = set()
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        stem = ""
        for name in re.findall(r"`([a-z0-9_.]+)`", line):
            whole = stem + name if name.startswith(".") else name
            stem = whole.rpartition(".")[0] if not name.startswith(".") else stem
            found.add(whole)
    return found


def test_every_field_is_documented() -> None:
    claims = {one.name: one for one in streams()}
    readers = {one.name: one for one in datagrams()}
    told: set[tuple[str, str]] = set()
    datasets: set[str] = set()
    for line in Path(__file__).with_name("corpus.ndjson").read_text(encoding="ascii").splitlines():
        entry = json.loads(line)
        said = [(side, bytes.fromhex(raw)) for side, raw in entry["said"]]
        messages = []
        if len(said) == 1 and entry["dialect"] in readers:
            messages += readers[entry["dialect"]].read(said[0][1], talk()) or []
        if entry["dialect"] in claims:
            dialect = claims[entry["dialect"]].make(talk(said[0][0]))
            for side, data in said:
                messages += dialect.feed(side, data)
        for one in messages:
            if one.dataset.removeprefix("net.") in DATASETS:
                datasets.add(one.dataset)
                told |= {(one.dataset, name) for name in one.fields}
    known = documented() | ALWAYS
    assert sorted((dataset, name) for dataset, name in told if name not in known) == []
    assert len(datasets) >= len(DATASETS) - 2
