"""Facts out of what the center knows: documented names, odd hosts, nothing taken for granted."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from compliance.checklist import load_checklist
from compliance.evaluation import Fact
from compliance.facts import CLOCK_AHEAD_MAX, OWN_FACTS, RUNNING_NUMBERS, CenterState, gather
from crypto.words import Words
from detection.store.inventory import ProbeResult, SensorState, SourceState
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "checklist.md").read_text("utf-8")


def center(**given: Any) -> CenterState:
    state = CenterState(
        time=NOW,
        ledger_size=7,
        ledger_ok=True,
        retention_days=190,
        oldest_event=None,
        rules_loaded=40,
        open_alerts={},
        registered=(),
    )
    return msgspec.structs.replace(state, **given)


def sensor(kind: str = "host", host: str = "web-01", **given: Any) -> SensorState:
    plain: dict[str, Any] = dict.fromkeys(("unit", "version"), "x")
    plain |= dict.fromkeys(
        ("last_epoch", "last_sequence", "backlog", "events", "cpu_percent", "rss_bytes"), 0
    )
    plain |= {"sensor": f"s-{kind}", "state": "online", "last_seen": NOW, "sources": ()}
    return SensorState(**(plain | {"kind": kind, "host": host} | given))


def probe(host: str = "web-01", **given: Any) -> ProbeResult:
    plain: dict[str, Any] = {
        "probe": "sshd.config",
        "time": NOW,
        "event": "e1",
        "unit": "u",
        "sensor": "s",
        "method": "read",
        "raw": "Port 22",
        "values": {"ports": [22]},
        "error": "",
    }
    return ProbeResult(**(plain | {"host": host} | given))


def only(facts: dict[str, list[Fact]], name: str) -> Fact:
    (found,) = facts[name]
    return found


def test_every_fact_of_the_center_is_documented_with_its_fields() -> None:
    facts = gather((), [sensor("host"), sensor("network")], center())
    documented = set(re.findall(r"`([a-z]+\.[a-z_]+)`", PAGE))
    assert set(facts) <= documented
    asked = documented | RUNNING_NUMBERS | {"sensor.kind"}
    assert {name for those in facts.values() for fact in those for name in fact.fields} <= asked


def test_every_fact_the_checklist_asks_exists() -> None:
    own = set(gather((), [sensor("host"), sensor("network")], center()))
    for check in load_checklist(ROOT / "checklist"):
        for test in check.tests:
            if test.fact.split(".")[0] in {"sensor", "ledger", "retention", "assets", "alerts"}:
                assert test.fact in own, check.id


def test_a_probe_is_one_fact_a_host_whatever_the_host_is_called() -> None:
    odd = ["", "a b", "网站-01", "x" * 256, "a\x00\n", "../..", "'; --"]
    facts = gather([probe(host) for host in odd], [], center())
    assert [fact.object for fact in facts["sshd.config"]] == odd
    assert all(fact.fields == {"gov.probe.value.ports": [22]} for fact in facts["sshd.config"])
    assert all(
        (fact.event, fact.method, fact.raw) == ("e1", "read", "Port 22") for fact in facts["sshd.config"]
    )


def test_a_probe_can_not_pass_for_a_fact_of_the_center() -> None:
    said = [probe("evil", probe=name, values={"ledger.ok": True}) for name in OWN_FACTS]
    facts = gather(said, [sensor("host"), sensor("network")], center(ledger_ok=False))
    assert set(facts) == OWN_FACTS
    assert all(fact.object != "evil" for those in facts.values() for fact in those)


def test_a_clock_that_runs_ahead_makes_the_reading_unusable() -> None:
    near = only(gather([probe(time=NOW + CLOCK_AHEAD_MAX)], [], center()), "sshd.config")
    assert near.error == ""
    far = only(
        gather([probe(time=NOW + CLOCK_AHEAD_MAX + timedelta(seconds=1))], [], center()), "sshd.config"
    )
    assert "clock ahead" in far.error
    failed = probe(time=NOW + timedelta(days=9), error="denied")
    assert only(gather([failed], [], center()), "sshd.config").error == "denied"


def test_a_sensor_tells_what_failed_and_is_nothing_before_its_first_heartbeat() -> None:
    words = Words("", "")
    sources = (
        SourceState(name="files", state="running", detail=words),
        SourceState(name="processes", state="missing", detail=words),
        SourceState(name="capture:lo", state="failed", detail=words),
    )
    facts = gather((), [sensor(sources=sources, state="silent"), sensor(kind="")], center())
    fact = only(facts, "sensor.host")
    assert fact.fields["sensor.state"] == "silent"
    assert fact.fields["sensor.sources"] == 3
    assert fact.fields["sensor.sources_failed"] == ["processes", "capture:lo"]
    assert fact.fields["rules.loaded"] == 40
    assert "sensor." not in facts
    assert only(gather((), [sensor(host="")], center()), "sensor.host").object == "s-host"


def test_the_center_speaks_of_itself() -> None:
    facts = gather(
        (),
        [sensor(host="b"), sensor("network", host="a"), sensor(host="")],
        center(registered=("b",), open_alerts={"r2": 3, "r1": 1}, oldest_event=NOW, ledger_ok=False),
    )
    assets = only(facts, "assets.registered").fields
    assert assets == {"assets.seen": 2, "assets.unregistered": ["a"], "assets.unregistered_count": 1}
    assert only(facts, "alerts.open").fields == {"alerts.rules": ["r1", "r2"], "alerts.count": 4}
    assert only(facts, "alerts.open").raw == "r1 x1; r2 x3"
    assert "NOT consistent" in only(facts, "ledger.state").raw
    assert "2026" in only(facts, "retention.events").raw
    assert "None" not in only(gather((), [], center()), "retention.events").raw
    assert only(gather((), [], center()), "alerts.open").raw == "none"
