"""Zeek's JSON logs: its golden logs, turned to JSON, and what is none."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sensors.device.zeek import describe_zeek
from sensors.event import LogSource

GOLDEN = Path(__file__).parents[4] / "shared" / "data" / "pcap" / "zeek" / "captures"
CONN: dict[str, Any] = {
    "ts": 1_795_309_687.5,
    "uid": "C1",
    "id.orig_h": "10.0.0.1",
    "id.orig_p": 40_000,
    "id.resp_h": "10.0.0.2",
    "id.resp_p": 443,
    "proto": "tcp",
    "service": "ssl",
    "duration": 1.5,
    "orig_bytes": 100,
    "orig_ip_bytes": 300,
    "orig_pkts": 5,
    "resp_ip_bytes": 200,
    "resp_pkts": 4,
}


def test_a_connection_is_a_flow_like_our_own() -> None:
    seen = describe_zeek(CONN, "conn.2026-11-22.log")
    assert seen is not None
    assert seen.logsource == LogSource(product="zeek", category="flow", service="conn")
    assert seen.time == datetime(2026, 11, 22, 1, 8, 7, 500_000, tzinfo=UTC)
    assert (seen.fields["event.dataset"], seen.fields["network.bytes"]) == ("net.flow", 500)
    assert (seen.fields["event.duration"], seen.native["orig_bytes"]) == (1_500_000_000, 100)


def test_the_path_may_stand_in_the_record() -> None:
    seen = describe_zeek(CONN | {"_path": "weird", "ts": "2026-11-22T01:08:07Z"}, "current.log")
    assert seen is not None
    assert (seen.logsource.service, seen.fields["event.dataset"]) == ("weird", "zeek.weird")


@pytest.mark.parametrize(
    "more", [{"ts": None}, {"ts": -1}, {"ts": True}, {"ts": "x"}, {"ts": 1e300}, {"_path": "../x"}]
)
def test_what_is_no_record_of_zeek(more: dict[str, Any]) -> None:
    assert describe_zeek(CONN | more, "conn.log") is None
    assert describe_zeek(CONN, "") is None


def test_every_row_of_the_golden_logs_becomes_an_event() -> None:
    if not GOLDEN.is_dir():
        pytest.skip("needs ../shared/data/pcap/zeek")
    rows = 0
    for path in sorted(GOLDEN.rglob("*.log")):
        names: list[str] = []
        for line in path.read_text("utf-8", "replace").splitlines():
            if line.startswith("#fields\t"):
                names = line.split("\t")[1:]
            if not line or line.startswith("#") or not names:
                continue
            # The golden logs have no times; unset values are what JSON logs leave out.
            record = {
                name: value for name, value in zip(names, line.split("\t"), strict=False) if value != "-"
            }
            seen = describe_zeek(record | {"ts": 1.0}, path.name)
            assert seen is not None, path
            assert seen.native.get("id.orig_h", "") == record.get("id.orig_h", "")
            rows += 1
    assert rows > 500
