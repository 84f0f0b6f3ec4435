"""Syslog in the forms devices use: RFC 5424 with its own examples, RFC 3164 and what is neither."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.device.syslog import parse_syslog

CHINA = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=CHINA)
AT = datetime(2026, 11, 22, 1, 8, 7, tzinfo=UTC)


def test_a_structured_message_with_escapes_and_a_mark_of_utf8() -> None:
    text = (
        '<165>1 2026-11-22T01:08:07.003Z fw.example app 8710 ID47 [x@32473 iut="3" path="a\\"b\\\\c\\]"]'
        '[y@1 z="1"] \ufeffAn event'
    )
    found = parse_syslog(text, NOW)
    assert found.time == AT.replace(microsecond=3_000)
    assert (found.host, found.program, found.pid, found.message_id) == ("fw.example", "app", 8710, "ID47")
    assert found.data == {"x@32473.iut": "3", "x@32473.path": 'a"b\\c]', "y@1.z": "1"}
    assert (found.text, found.facility, found.severity) == ("An event", "local4", 5)


def test_a_structured_message_may_leave_everything_out() -> None:
    found = parse_syslog("<13>1 - - - - - - hello", NOW)
    assert found[1:7] == ("", "", 0, "", {}, "hello")
    assert found.time == NOW


@pytest.mark.parametrize(
    ("line", "host", "program", "said"),
    [
        ("Nov 22 09:08:07 web-01 sshd[312]: Failed password", "web-01", "sshd", "Failed password"),
        (
            "Nov 22 2026 09:08:07 fw-01 %%01SSH/4/SSH_FAIL(s)[3]:Failed",
            "fw-01",
            "%%01SSH/4/SSH_FAIL(s)",
            "Failed",
        ),
        (
            "Nov 22 2026 09:08:07.123 sw %%10IFNET/3/LINK_UPDOWN: down",
            "sw",
            "%%10IFNET/3/LINK_UPDOWN",
            "down",
        ),
        ("Nov 22 2026 01:08:07+00:00 sw tag: down", "sw", "tag", "down"),
        ("Nov 22 09:08:07 %LINK-3-UPDOWN: Interface Gi0: down", "", "%LINK-3-UPDOWN", "Interface Gi0: down"),
        ("Nov 22 09:08:07 %SYS-5-CONFIG_I: Configured", "", "%SYS-5-CONFIG_I", "Configured"),
        ("Nov 22 09:08:07 words without a tag", "", "", "words without a tag"),
        ("2026-11-22T09:08:07+08:00 db su: ok", "db", "su", "ok"),
    ],
)
def test_traditional_forms(line: str, host: str, program: str, said: str) -> None:
    found = parse_syslog(f"<189>{line}", NOW)
    assert (found.host, found.program, found.text) == (host, program, said)
    assert found.time.replace(microsecond=0) == AT
    assert found.severity == 5


def test_what_has_no_form_is_still_a_message() -> None:
    found = parse_syslog("<999>odd", NOW)
    assert (found.text, found.priority, found.facility, found.severity) == ("<999>odd", -1, "", -1)
    assert found.time == NOW


def test_clocks_without_zone_are_in_the_zone_given() -> None:
    found = parse_syslog("<13>Nov 22 01:08:07 db su: ok", NOW, UTC)
    assert found.time == AT


@given(st.text(max_size=200))
def test_any_text_is_a_message(text: str) -> None:
    for given_text in (
        text,
        f"<13>1 {text}",
        f"<13>1 - h a 1 m [a {text}",
        f"<13>Nov 22 2026 09:08:07 {text}",
    ):
        found = parse_syslog(given_text, NOW)
        assert found.time.tzinfo is not None
