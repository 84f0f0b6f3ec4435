"""Rules asked of what is stored give what the live engine gave: over files and log, ranges, late events."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- seeded

import msgspec
import pytest
from guessing_rules import GUESSING
from sqlalchemy import Engine

from crypto.words import BadInput
from detection.alert import Alert
from detection.correlation.detector import RuleDetector
from detection.sigma.imported import CURRENT
from detection.sigma.load import Loaded, load_all
from detection.sigma.samples import read_samples
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.retro import Asked, asked_rules, retrospect, unknown_goes_to_all
from rules import ROOT
from sensors.event import Event, LogSource, Observation, encode, stamp
from sensors.segment_log import SegmentLog
from sensors.wire import StoredHeader, encode_batch, lane_sequence, make_batch, store_frame

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FRAMES = 120
RULES = (
    GUESSING
    + """---
title: Login of zhang
id: 00000000-0000-4000-8000-000000000006
logsource: {product: linux}
detection: {user: {user.name: Zhang}, odd: {event.outcome|re: 'x$'}, condition: user and not odd}
"""
)


def stored(folder: Path, engine: Engine, frames: Sequence[tuple[datetime, list[Event]]]) -> list[Event]:
    """The frames received at their times, two thirds of them sealed into small files; the events in order."""
    log = SegmentLog.open(folder / "log", name="center", segment_bytes_max=2_000, writer=True)
    arrived: list[Event] = []
    first = 1
    for number, (received, events) in enumerate(frames, start=1):
        header = StoredHeader(
            sensor="web-01",
            unit="nanjing",
            epoch=1,
            lane="bulk",
            first=first,
            last=first + len(events) - 1,
            received=received,
        )
        message = encode_batch(make_batch("web-01", 1, "bulk", first, [encode(one) for one in events]))
        first += len(events)
        position = log.append([store_frame(header, message)])[-1]
        if number in (len(frames) // 3, 2 * len(frames) // 3):
            AlertStore(engine).commit([], [], position, received)
            store = EventStore(folder, engine)
            assert store.seal(received, force=True)
            store.close()
    log.close()
    for received, events in frames:
        arrived += [msgspec.structs.replace(one, ingested=received) for one in events]
    return arrived


def live(loaded: Loaded, events: Sequence[Event], size: int = 7) -> dict[str, Alert]:
    """What the live engine has told in the end."""
    detector = RuleDetector(loaded.rules, loaded.correlations)
    told: dict[str, Alert] = {}
    for at in range(0, len(events), size):
        told |= {alert.id: alert for alert in detector.feed(events[at : at + size])}
    return told


def by_id(alerts: Sequence[Alert]) -> dict[str, Alert]:
    return {alert.id: alert for alert in alerts}


@pytest.fixture
def logins() -> list[tuple[datetime, list[Event]]]:
    """Logins in disorder, some far too late."""
    lot = Random(5)
    frames: list[tuple[datetime, list[Event]]] = []
    sequence = 0
    for number in range(1, FRAMES + 1):
        received = START + timedelta(seconds=number * 15)
        events = []
        for _ in range(lot.choice([1, 2, 3])):
            sequence += 1
            late = lot.uniform(0, 50) if lot.random() < 0.9 else lot.uniform(100, 900)
            seen = Observation(
                time=received - timedelta(seconds=late),
                logsource=LogSource(product="linux", category="authentication", service="sshd"),
                fields={
                    "event.dataset": "auth",
                    "event.outcome": lot.choice(["failure", "failure", "success"]),
                    "user.name": lot.choice(["li", "zhang", "ZHANG"]),
                    "host.name": "web-01",
                },
            )
            number_in_lane = lane_sequence("bulk", sequence)
            events.append(stamp(seen, unit="nanjing", sensor="web-01", epoch=1, sequence=number_in_lane))
        frames.append((received, events))
    return frames


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yml"
    path.write_text(RULES, encoding="utf-8")
    return path


def test_what_live_told_is_told_again(
    tmp_path: Path, engine: Engine, logins: list[tuple[datetime, list[Event]]], rule_file: Path
) -> None:
    loaded = load_all([rule_file])
    events = stored(tmp_path, engine, logins)
    told = live(loaded, events)
    assert {alert.rule[-1] for alert in told.values()} == set("123456") - set("1")
    store = EventStore(tmp_path, engine)
    asked = asked_rules(str(rule_file), tmp_path)
    past = retrospect(store, asked)
    assert by_id(past.alerts) == told
    assert (past.more, past.findings) == (False, ())
    # a range
    since, until = START + timedelta(minutes=12), START + timedelta(minutes=21)
    ranged = retrospect(store, asked, since=since, until=until)
    assert by_id(ranged.alerts) == {key: one for key, one in told.items() if since <= one.time <= until}
    # one rule of several, with what it stands on
    for rule in loaded.correlations:
        needed = {rule.id, *rule.rules, *(inner for one in loaded.correlations for inner in one.rules)}
        alone = Asked(
            wanted=frozenset([rule.id]),
            rules=tuple(one for one in loaded.rules if one.id in needed),
            correlations=tuple(one for one in loaded.correlations if one.id in needed),
        )
        found = retrospect(store, alone, since=since)
        assert by_id(found.alerts) == {
            key: one for key, one in told.items() if one.rule == rule.id and one.time >= since
        }
    # the newest only
    few = retrospect(store, asked, limit=3)
    assert list(few.alerts) == sorted(told.values(), key=lambda one: (one.time, one.id), reverse=True)[:3]
    assert few.more
    store.close()


def test_every_shipped_rule_over_the_samples(tmp_path: Path, engine: Engine) -> None:
    loaded = load_all([ROOT / "sigma"])
    assert loaded.errors == ()
    frames: list[tuple[datetime, list[Event]]] = []
    sequence = 0
    for path in sorted((ROOT / "samples").rglob("*.ndjson")):
        events: list[Event] = []
        for event in read_samples(path)[:20]:
            sequence += 1
            seen = Observation(
                time=event.time, logsource=event.logsource, fields=event.fields, native=event.native
            )
            number = lane_sequence("bulk", sequence)
            events.append(stamp(seen, unit="nanjing", sensor="web-01", epoch=1, sequence=number))
        frames.append((START + timedelta(seconds=len(frames)), events))
    told = live(loaded, stored(tmp_path, engine, frames), size=500)
    store = EventStore(tmp_path, engine)
    everything = Asked(
        wanted=frozenset(rule.id for rule in loaded.rules), rules=loaded.rules, correlations=()
    )
    past = retrospect(store, everything, limit=100_000)
    assert by_id(past.alerts) == told
    assert len({alert.rule for alert in told.values()}) == len(loaded.rules)
    for rule in loaded.rules[::20]:
        alone = Asked(wanted=frozenset([rule.id]), rules=(rule,), correlations=())
        found = retrospect(store, alone, limit=100_000)
        assert by_id(found.alerts) == {key: one for key, one in told.items() if one.rule == rule.id}
    store.close()


def test_rules_by_file_and_by_id(tmp_path: Path, rule_file: Path) -> None:
    asked = asked_rules(str(rule_file), tmp_path)
    assert len(asked.wanted) == len(asked.rules) + len(asked.correlations) == 6
    shipped = load_all([ROOT / "sigma", ROOT / "correlation"])
    outer = next(one for one in reversed(shipped.correlations))
    by_name = asked_rules(outer.id, tmp_path)
    assert by_name.wanted == {outer.id}
    held = {one.id for one in (*by_name.rules, *by_name.correlations)}
    assert held >= {outer.id, *outer.rules}
    assert len(held) < 20
    one_file = asked_rules(outer.path, tmp_path)
    assert outer.id in one_file.wanted
    with pytest.raises(BadInput) as caught:
        asked_rules("no-such-rule", tmp_path)
    assert (caught.value.code, caught.value.field) == ("hunt-rule", "--rule")
    bad = tmp_path / "bad.yml"
    bad.write_text("title: x", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        asked_rules(str(bad), tmp_path)
    assert caught.value.field.startswith(str(bad))


def test_a_correlation_may_stand_on_shipped_rules(tmp_path: Path) -> None:
    rule = load_all([ROOT / "sigma"]).rules[0]
    path = tmp_path / "own.yml"
    path.write_text(
        f"title: Own\nid: 00000000-0000-4000-8000-00000000000a\n"
        f"correlation: {{type: event_count, rules: [{rule.id}], timespan: 1m, condition: {{gte: 2}}}}\n",
        encoding="utf-8",
    )
    asked = asked_rules(str(path), tmp_path)
    assert [one.id for one in asked.rules] == [rule.id]
    assert asked.wanted == {"00000000-0000-4000-8000-00000000000a"}


def test_an_unreadable_file_is_a_finding(
    tmp_path: Path, engine: Engine, logins: list[tuple[datetime, list[Event]]], rule_file: Path
) -> None:
    stored(tmp_path, engine, logins)
    first = min((tmp_path / "events").glob("*.parquet"))
    first.write_bytes(b"PAR1")
    store = EventStore(tmp_path, engine)
    past = retrospect(store, asked_rules(str(rule_file), tmp_path))
    assert [first.name in finding.en for finding in past.findings] == [True]
    assert past.alerts
    store.close()


def test_the_fail_open_switch_of_the_center(tmp_path: Path, engine: Engine, rule_file: Path) -> None:
    seen = Observation(time=START, logsource=LogSource(), fields={"user.name": "zhang"})
    event = stamp(seen, unit="nanjing", sensor="web-01", epoch=1, sequence=lane_sequence("bulk", 1))
    stored(tmp_path, engine, [(START, [event])] * 1)
    store = EventStore(tmp_path, engine)
    asked = asked_rules(str(rule_file), tmp_path)
    assert not unknown_goes_to_all(tmp_path)
    assert retrospect(store, asked).alerts == ()
    (tmp_path / "center.toml").write_text("[detection]\nunknown_to_all = true\n", encoding="utf-8")
    assert unknown_goes_to_all(tmp_path)
    assert len(retrospect(store, asked, unknown_to_all=True).alerts) == 1
    store.close()


def test_a_rule_of_an_imported_release(tmp_path: Path) -> None:
    digest = "a" * 64
    folder = tmp_path / "rules" / "imported" / digest / "rules"
    folder.mkdir(parents=True)
    (folder / "one.yml").write_text(RULES.partition("---")[0], encoding="utf-8")
    (tmp_path / "rules" / "imported" / CURRENT).write_text(digest, encoding="ascii")
    asked = asked_rules("00000000-0000-4000-8000-000000000001", tmp_path)
    assert [rule.title.en for rule in asked.rules] == ["Failed login"]
