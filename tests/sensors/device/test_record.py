"""Records of devices as events: which form, whose log source, when, and that the text stays what it was."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.device.record import Origin, describe_record
from sensors.event import LogSource, Observation
from sensors.host.observe import host_name

CHINA = timezone(timedelta(hours=8))
ORIGIN = Origin(datetime(2026, 11, 22, 9, 30, tzinfo=CHINA), "10.9.9.9")
AT = datetime(2026, 11, 22, 1, 8, 7, tzinfo=UTC)


def described(text: str, encoding: str = "utf-8", origin: Origin = ORIGIN) -> Observation:
    seen = describe_record(text.encode(encoding), origin)
    assert seen is not None
    return seen


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_firewalls_cef_in_either_encoding(encoding: str) -> None:
    seen = described(
        "<134>Nov 22 09:08:07 fw-01 CEF:0|天融信|NGFW|3.7|100|阻断访问|7|src=10.1.1.1 dst=2001:db8::1"
        " spt=99999 dpt=443 proto=6 act=Deny cs1Label=策略 cs1=默认拒绝",
        encoding,
    )
    assert seen.logsource == LogSource(product="天融信", category="firewall", service="ngfw")
    assert seen.time == AT
    assert seen.fields["host.name"] == "fw-01"
    assert seen.fields["observer.ip"] == "10.9.9.9"
    assert (seen.fields["source.ip"], seen.fields["destination.port"]) == ("10.1.1.1", 443)
    assert "source.port" not in seen.fields  # 99999 is none
    assert seen.native["spt"] == "99999"
    assert (seen.fields["event.action"], seen.fields["network.transport"]) == ("deny", "tcp")
    assert (seen.native["策略"], seen.fields["rule.name"]) == ("默认拒绝", "阻断访问")


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("rt=1795309687000", AT),
        ("rt=1795309687", AT),
        ("rt=Nov 22 2026 09:08:07", AT),
        ("rt=Nov 22 09:08:07", AT),
        ("rt=2026-11-22T01:08:07Z", AT),
        ("rt=999999999999999", ORIGIN.received),
        ("rt=soon", ORIGIN.received),
    ],
)
def test_the_time_a_device_says(said: str, time: datetime) -> None:
    assert described(f"CEF:0|v|p|1|1|n|1|{said}").time == time


@pytest.mark.parametrize(
    ("vendor", "product", "name", "category"),
    [
        ("绿盟", "IPS", "x", "ids"),
        ("v", "clips", "x", ""),
        ("安恒", "Web应用防火墙", "x", "waf"),
        ("奇安信", "天擎终端安全", "x", "antivirus"),
        ("Huawei", "USG6000", "x", "firewall"),
        ("v", "堡垒机", "x", "bastion"),
    ],
)
def test_the_kind_of_device(vendor: str, product: str, name: str, category: str) -> None:
    assert described(f"CEF:0|{vendor}|{product}|1|1|{name}|1|").logsource.category == category


def test_leef_with_a_time_of_its_own() -> None:
    seen = described("LEEF:2.0|IBM|Guardium|9|login|^|src=1.2.3.4^usrName=bob^devTime=2026-11-22 09:08:07")
    assert (seen.time, seen.fields["user.name"], seen.fields["event.code"]) == (AT, "bob", "login")
    assert seen.fields["event.dataset"] == "device.leef"


def test_syslog_of_a_server_is_what_its_log_file_would_be() -> None:
    seen = described(
        "<38>Nov 22 09:08:07 web-01 sshd[31]: Failed password for root from 10.0.0.5 port 22 ssh2"
    )
    assert seen.logsource == LogSource(product="linux", category="authentication", service="sshd")
    assert (seen.fields["source.ip"], seen.fields["event.outcome"]) == ("10.0.0.5", "failure")
    assert seen.fields["log.syslog.facility.name"] == "auth"
    assert seen.fields["log.syslog.severity.name"] == "informational"


def test_a_message_without_host_is_its_senders() -> None:
    assert described("<13>hello").fields["host.name"] == "10.9.9.9"
    assert described("hello", origin=Origin(ORIGIN.received)).fields["host.name"] == host_name()


def test_json_within_syslog() -> None:
    seen = described(
        '<13>Nov 22 09:08:07 ids suricata[9]: {"timestamp":"2026-11-22T09:08:07.000000+0800",'
        '"event_type":"alert","alert":{"signature":"s"}}'
    )
    assert (seen.fields["rule.name"], seen.time) == ("s", AT)


@pytest.mark.parametrize("text", ["", "   ", "#separator \\x09", "\x00"])
def test_what_says_nothing_is_no_event(text: str) -> None:
    assert describe_record(text.encode(), ORIGIN) is None


def test_json_of_nobody_stays_text() -> None:
    assert described('{"a": 1}').fields["message"] == '{"a": 1}'
    assert described("{" * 5_000).fields["event.dataset"] == "syslog"


@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_nothing(raw: bytes) -> None:
    for given_raw in (
        raw,
        b"CEF:0|a|b|c|d|e|5|" + raw,
        b"LEEF:2.0|a|b|c|d|" + raw,
        b"<13>1 - - - - - " + raw,
    ):
        seen = describe_record(given_raw, ORIGIN)
        assert seen is None or seen.time.tzinfo is not None
