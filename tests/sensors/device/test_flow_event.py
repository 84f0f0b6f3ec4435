"""An exporter's flows as the network sensor's own events."""

from datetime import UTC, datetime, timedelta

import pytest

from sensors.device.flow_event import describe_counts, describe_flow
from sensors.device.netflow import Counts, FlowRecord

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
FLOW = FlowRecord(
    b"\x0a\0\0\1", b"\x0a\0\0\2", 40_000, 443, 6, 900, 9, 100, 2,
    NOW.timestamp() - 62, NOW.timestamp() - 60, 27, 12, 3, 4,
)  # fmt: skip


def test_a_flow_says_what_our_own_would() -> None:
    seen = describe_flow(FLOW, "10.9.9.1", NOW)
    assert seen.time == NOW - timedelta(seconds=60)
    assert (seen.fields["network.bytes"], seen.fields["event.duration"]) == (1_000, 2_000_000_000)
    assert (seen.fields["observer.ip"], seen.fields["network.vlan.id"]) == ("10.9.9.1", "12")
    assert seen.fields["network.community_id"]
    assert (seen.native["id.resp_p"], seen.native["proto"], seen.lane) == (443, "tcp", "flows")


@pytest.mark.parametrize("end", [0.0, NOW.timestamp() + 90_000, 5.0])
def test_a_clock_that_cannot_be_right_is_not_believed(end: float) -> None:
    assert describe_flow(FLOW._replace(end=end), "10.9.9.1", NOW).time == NOW


def test_losses_are_an_event() -> None:
    seen = describe_counts("10.9.9.1", Counts(100, 2, 3, 4), NOW)
    assert seen.fields["event.dataset"] == "net.capture"
    assert (seen.fields["gov.capture.received"], seen.fields["gov.capture.dropped"]) == (100, 4)
