"""Login records: both layouts, hostile bytes, and the events they become."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.utmp import describe, layout, parse_record

NOW = int(datetime(2026, 11, 22, 1, 0, tzinfo=UTC).timestamp())


def _raw(machine: str, kind: int, user: bytes, host: bytes = b"", address: bytes = b"") -> bytes:
    return layout(machine).pack(kind, 77, b"ssh:notty", b"ts/1", user, host, 0, 0, 0, NOW, 5, address)


def test_the_sizes_are_those_of_glibc() -> None:
    assert layout("x86_64").size == 384
    assert layout("aarch64").size == 400


def test_a_failed_login_over_the_network() -> None:
    for machine in ("x86_64", "aarch64"):
        raw = _raw(machine, 6, b"root", b"203.0.113.9", bytes((203, 0, 113, 9)))
        record = parse_record(raw, layout(machine))
        assert record is not None
        event = describe(record, failed=True)
        assert event is not None
        assert event.time == datetime(2026, 11, 22, 1, 0, 0, 5, tzinfo=UTC)
        assert event.fields["event.outcome"] == "failure"
        assert event.fields["source.ip"] == "203.0.113.9"
        assert event.fields["process.name"] == "sshd"
        assert event.native["Outcome"] == "failure"
        assert event.native["SourceHost"] == "203.0.113.9"


def test_ipv6_and_names_of_hosts() -> None:
    address = bytes.fromhex("20010db8000000000000000000000001")
    record = parse_record(_raw("x86_64", 7, b"zhang", b"gate.example", address), layout("x86_64"))
    assert record is not None
    event = describe(record, failed=False)
    assert event is not None
    assert event.fields["source.ip"] == "2001:db8::1"
    assert event.fields["source.domain"] == "gate.example"
    assert event.fields["event.outcome"] == "success"


def test_bookkeeping_records_are_no_events() -> None:
    assert parse_record(bytes(384), layout("x86_64")) is None
    record = parse_record(_raw("x86_64", 5, b""), layout("x86_64"))
    assert record is not None
    assert describe(record, failed=False) is None


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=384, max_size=384))
def test_any_bytes_give_a_record_or_none(raw: bytes) -> None:
    record = parse_record(raw, layout("x86_64"))
    if record is not None:
        event = describe(record, failed=True)
        assert event is not None
        assert event.time.tzinfo is not None
