"""The shipped special detectors are all there, and a wrong parameter file names its key."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from crypto.words import BadInput
from detection.parameters import shipped
from detection.pipeline import Remembering
from detection.special.detectors import special_detectors
from sensors.event import Event, LogSource, Observation, decode, stamp

START = datetime(2026, 11, 23, tzinfo=UTC)


def test_all_special_detectors_start_with_the_shipped_parameters() -> None:
    names = [detector.name for detector in special_detectors()]
    assert names[:5] == ["scan", "brute_force", "slow_scan", "slow_guessing", "beacon"]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("failed_targets = 30 ", "failed_targets = 'x' ", "failed_targets"),
        ("failed_share = 0.6", "failed_sher = 0.6", "failed_sher"),
        ("[scan]", "[scan", ""),
        ("{targets} 个目标", "{targets 个目标", "reason"),
    ],
)
def test_a_wrong_parameter_file_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = shipped("special.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "special.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        special_detectors(path)
    assert str(path) in caught.value.field
    assert named in caught.value.what.en


def test_a_missing_parameter_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="parameters-malformed"):
        special_detectors(tmp_path / "none.toml")


BENIGN = Path(str(rules.__file__)).parent / "samples" / "benign"
DATASETS = [
    "net.flow",
    "net.dns",
    "net.http",
    "net.tls",
    "net.arp",
    "net.icmp",
    "net.dhcp",
    "net.login",
    "process.start",
    "auth.log",
    "inventory.interfaces",
    "inventory.change",
    "liuhe.heartbeat",
]
# what each field may sensibly hold; anything else comes too
VALUES: dict[str, list[Any]] = {
    "event.action": [
        "flow-end",
        "flow-update",
        "request",
        "client-hello",
        "server-hello",
        "sudo",
        "user-created",
    ],
    "event.category": ["authentication", "process", "iam"],
    "event.outcome": ["success", "failure"],
    "source.ip": ["10.0.0.7", "8.8.8.8", "fe80::1", "x"],
    "destination.ip": ["203.0.113.9", "10.0.0.9", "2001:db8::1", ""],
    "destination.port": [22, 443, "22", -1],
    "source.bytes": [10**9, 0, -5],
    "dns.type": ["query", "answer"],
    "dns.question.name": ["a.b.example.com", "...", "x" * 300, "名字.cn"],
    "dns.response_code": ["NXDOMAIN", "NOERROR"],
    "user.name": ["zhang", "root", ""],
    "host.name": ["web-01", "db"],
    "process.executable": ["/tmp/x1", "/usr/bin/ls", "ls"],
    "process.parent.executable": ["/usr/sbin/nginx", ""],
    "message": ["one two 3", "", "{" * 50],
    "icmp.type": [134, 8, 135, "x"],
    "gov.dhcp.type": ["ACK", "offer"],
    "gov.inventory.items": [["a\tb\t10.0.0.1/24\t\tup", "c"], "d"],
    "gov.inventory.columns": [["name", "mac", "ipv4", "ipv6", "state"]],
    "gov.tls.sm": [True, False, "x"],
    "gov.credential.mark": ["m"],
    "event.start": ["2026-11-23T00:00:00+00:00", "never", 5],
}
odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just(["a", None, 3])
)
fields = st.fixed_dictionaries(
    {"event.dataset": st.one_of(st.sampled_from(DATASETS), odd)},
    optional={name: st.one_of(st.sampled_from(values), odd) for name, values in VALUES.items()},
)


def events_of(rows: list[dict[str, Any]]) -> list[Event]:
    return [
        stamp(
            Observation(time=START + timedelta(seconds=n * 7), logsource=LogSource(), fields=row),
            unit="u",
            sensor="s",
            epoch=1,
            sequence=n,
        )
        for n, row in enumerate(rows)
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(fields, max_size=12))
def test_no_event_however_odd_stops_a_detector_and_the_cut_changes_nothing(
    rows: list[dict[str, Any]],
) -> None:
    events = events_of(rows * 3)
    whole, single = special_detectors(), special_detectors()
    for one, other in zip(whole, single, strict=True):
        told = one.feed(events)
        assert [alert for event in events for alert in other.feed([event])] == told
        if isinstance(one, Remembering) and isinstance(other, Remembering):
            assert one.snapshot() == other.snapshot()


def test_recorded_benign_events_say_nothing() -> None:
    events = [decode(line) for name in ("host", "network") for line in _lines(name)]
    assert len(events) > 500
    assert [alert.rule for detector in special_detectors() for alert in detector.feed(events)] == []


def _lines(name: str) -> list[bytes]:
    return [line for line in (BENIGN / f"{name}.ndjson").read_bytes().splitlines() if line]


def test_the_site_says_only_what_differs(tmp_path: Path) -> None:
    site = tmp_path / "special.toml"
    assert len(special_detectors(site=site)) == len(special_detectors())
    site.write_text('[networks]\ninside = ["8.8.0.0/16"]\n[sweep]\naddresses = 5\n', encoding="utf-8")
    assert len(special_detectors(site=site)) == len(special_detectors())
    for wrong in ("[sweep]\naddresses = 'x'", "[swep]\na = 1", "[networks]\ninside = ['8.8/99']", "[sweep"):
        site.write_text(wrong, encoding="utf-8")
        with pytest.raises(BadInput, match="parameters-malformed"):
            special_detectors(site=site)
