"""Suricata's EVE: alerts, and subjects that the network sensor also knows."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.device.eve import describe_eve
from sensors.event import LogSource, Observation

HEAD = {
    "timestamp": "2026-11-22T09:08:07.250000+0800",
    "flow_id": 1_826_283_646_366_142,
    "in_iface": "eth1",
    "src_ip": "10.0.0.5",
    "src_port": 40_000,
    "dest_ip": "10.0.0.9",
    "dest_port": 53,
    "proto": "UDP",
}


def described(kind: str, **more: Any) -> Observation:
    seen = describe_eve(HEAD | {"event_type": kind} | more, "10.9.9.9")
    assert seen is not None
    assert seen.time == datetime(2026, 11, 22, 1, 8, 7, 250_000, tzinfo=UTC)
    assert seen.fields["source.ip"] == "10.0.0.5"
    assert str(seen.fields["network.community_id"]).startswith("1:")
    return seen


def test_an_alert_is_an_alert_of_an_ids() -> None:
    alert = {
        "signature": "ET SCAN x",
        "signature_id": 2_000_001,
        "category": "Attempted",
        "severity": 2,
        "action": "allowed",
    }
    seen = described("alert", alert=alert, http={"hostname": "h", "url": "/x"})
    assert seen.logsource == LogSource(product="suricata", category="ids", service="alert")
    assert (seen.lane, seen.fields["event.kind"]) == ("alerts", "alert")
    assert (seen.fields["rule.id"], seen.fields["event.severity"], seen.fields["url.original"]) == (
        2_000_001,
        2,
        "/x",
    )
    assert seen.native["alert.signature"] == "ET SCAN x"


ASKED = {"rrname": "a.gov.cn", "rrtype": "A"}
DNS = {
    "1": ASKED | {"type": "answer", "rcode": "NOERROR", "answers": [{"rdata": "10.1.1.1"}]},
    "2": ASKED | {"type": "answer", "rcode": "NOERROR", "grouped": {"A": ["10.1.1.1"]}},
    "3": {"type": "response", "rcode": "NOERROR", "queries": [ASKED], "answers": [{"rdata": "10.1.1.1"}]},
}


@pytest.mark.parametrize("dns", DNS.values(), ids=DNS)
def test_dns_of_every_version_is_named_as_our_own(dns: dict[str, Any]) -> None:
    seen = described("dns", dns=dns)
    assert seen.logsource == LogSource(product="zeek", category="dns", service="dns")
    assert seen.fields["event.dataset"] == "net.dns"
    assert (seen.fields["dns.question.name"], seen.native["query"]) == ("a.gov.cn", "a.gov.cn")
    assert (seen.fields["dns.type"], seen.fields["dns.answers"]) == ("answer", ["10.1.1.1"])
    assert seen.native["rcode_name"] == "NOERROR"


def test_a_flow_counts_both_ways() -> None:
    flow = {
        "pkts_toserver": 3, "pkts_toclient": 2, "bytes_toserver": 300, "bytes_toclient": 200,
        "start": "2026-11-22T09:08:05.000000+0800", "end": "2026-11-22T09:08:07.000000+0800",
    }  # fmt: skip
    seen = described("flow", flow=flow, app_proto="dns")
    assert (seen.fields["network.bytes"], seen.fields["network.packets"]) == (500, 5)
    assert (seen.fields["event.duration"], seen.native["orig_bytes"]) == (2_000_000_000, 300)
    assert seen.fields["network.protocol"] == "dns"


def test_what_we_have_no_names_for_keeps_its_own() -> None:
    seen = described("mqtt", mqtt={"publish": {"topic": "t"}})
    assert (seen.fields["event.dataset"], seen.native["mqtt.publish.topic"]) == ("suricata.mqtt", "t")


@pytest.mark.parametrize("record", [{}, {"event_type": "dns"}, {"event_type": 1, "timestamp": "x"}, HEAD])
def test_what_is_no_eve_record(record: dict[str, Any]) -> None:
    assert describe_eve(record) is None


@given(
    st.dictionaries(
        st.sampled_from(["dns", "flow", "alert", "tls", "src_ip", "proto", "timestamp"]),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5),
            lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=5), one, max_size=3),
        ),
    ),
    st.sampled_from(["dns", "flow", "alert", "tls"]),
)
def test_any_shape_is_an_event_or_nothing(more: dict[str, Any], kind: str) -> None:
    describe_eve(HEAD | {"event_type": kind} | more)
