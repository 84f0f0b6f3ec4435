"""The rules as the console shows them: every state, history, and a trial that agrees with the stream."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crypto.words import BadInput, LiuheError
from detection.store.hit_store import Hits, HitStore
from sensors.event import LogSource, Observation, encode, stamp
from soc_api.rule_console import ConsoleRules
from soc_api.rule_port import SelectionValue
from soc_api.rule_set import shipped_rules
from soc_api.running_rules import RunningRules

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RULES = shipped_rules(Path(__file__).with_name("console_rules"))
LISTENER, MANY, WAITING = (f"{n * 8}-{n * 4}-4{n * 3}-8{n * 3}-{n * 12}" for n in "123")
NC = {"Image": "/usr/bin/nc", "CommandLine": "nc -l 4444", "User": "root"}


def ours(**native: str) -> str:
    seen = Observation(
        time=NOW,
        logsource=LogSource(product="linux", category="process_creation"),
        fields={"host.name": "web-01"},
        native={**NC, **native},
    )
    return encode(stamp(seen, unit="u", sensor="s", epoch=1, sequence=1)).decode()


def test_the_list_says_what_each_is_and_what_is_wrong_with_files(world: Any) -> None:
    page = world.center.rules.page(NOW)
    rows = {row.id: row for row in page.rows}
    assert list(rows) == [LISTENER, WAITING, MANY]
    assert (rows[LISTENER].kind, rows[LISTENER].state, rows[LISTENER].silent) == ("rule", "enabled", True)
    assert rows[LISTENER].title.zh == "启动了 nc 监听"
    assert (rows[MANY].kind, rows[MANY].correlation, rows[MANY].level) == (
        "correlation",
        "event_count",
        "critical",
    )
    assert (rows[WAITING].state, rows[WAITING].needs) == ("waiting", ("leavers",))
    assert (page.pipeline, page.decided, page.days) == (None, 0, 7)
    assert [(Path(one.place.split(":")[0]).name, one.code) for one in page.errors] == [
        ("broken.yml", "rule-yaml")
    ]


def test_hits_precision_cost_and_unrouted_events_are_shown(world: Any) -> None:
    alert = world.raise_alert(LISTENER)
    world.center.alerts.close(alert.group, "user:li", "false_positive", "备份任务", NOW)
    running = RunningRules(RULES, world.rules, NOW)
    strange = Observation(time=NOW, logsource=LogSource(product="cisco"), fields={})
    running.feed([*alert.events, stamp(strange, unit="u", sensor="s", epoch=1, sequence=9)])
    running.tick(NOW + timedelta(seconds=11))
    page = world.center.rules.page(NOW)
    row = page.rows[0]
    assert (row.hits, row.judged, row.precision) == (1, {"false_positive": 1}, 0.0)
    assert row.last_hit == alert.time
    assert row.cost_nanoseconds
    assert page.pipeline is not None
    assert [(one.product, one.events) for one in page.pipeline.unrouted] == [("cisco", 1)]
    assert not page.pipeline.unknown_to_all
    hit = world.center.rules.detail(LISTENER, NOW).hits[0]
    assert (hit.group, hit.state, hit.classification) == (alert.group, "closed", "false_positive")


def test_counting_that_was_slow_is_not_done_again_at_once(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    class Slow(HitStore):
        def hits(self, since: datetime, units: frozenset[str] | None = None) -> dict[str, Hits]:
            counted.append(since)
            return super().hits(since, units)

    rules = ConsoleRules(RULES, world.rules, Slow(world.engine))
    for _ in range(2):
        rules.page(NOW)
    assert len(counted) == 2
    monkeypatch.setattr("soc_api.rule_console.SLOW_SECONDS", -1.0)
    for seconds in (1, 20, 31, 32):
        rules.page(NOW + timedelta(seconds=seconds))
    assert counted[2:] == [NOW + timedelta(seconds=31) - timedelta(days=7)]


def test_a_rule_is_shown_with_its_text_its_users_and_its_history(world: Any) -> None:
    world.rules.note(RULES.versions, NOW - timedelta(days=1))
    world.center.rules.decide(LISTENER, False, "  误报太多 ", "user:an", NOW)
    found = world.center.rules.detail(LISTENER, NOW)
    assert found.rule.state == "disabled"
    assert "condition: tool and option" in found.text
    assert [one.id for one in found.watched_by] == [MANY]
    assert [(one.kind, one.actor, one.reason) for one in found.history] == [
        ("disabled", "user:an", "误报太多"),
        ("loaded", "", ""),
    ]
    assert [one.id for one in world.center.rules.detail(MANY, NOW).watches] == [LISTENER]


def test_a_file_that_is_another_one_by_now_is_not_shown(world: Any, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    copy = tmp_path / "rules" / "a.yml"
    copy.write_bytes(Path(RULES.rules[0].path).read_bytes())
    console = ConsoleRules(shipped_rules(tmp_path / "rules"), world.rules, HitStore(world.engine))
    assert console.detail(LISTENER, NOW).text
    copy.write_text("title: other\n")
    assert console.detail(LISTENER, NOW).text == ""
    copy.unlink()
    assert console.detail(LISTENER, NOW).text == ""


@pytest.mark.parametrize("reason", ["", " x ", "x" * 501])
def test_a_reason_is_mandatory(world: Any, reason: str) -> None:
    with pytest.raises(BadInput, match="rule-reason"):
        world.center.rules.decide(LISTENER, False, reason, "user:an", NOW)
    assert world.rules.newest() == 0


def test_a_trial_shows_selections_and_the_verdict_of_the_stream(world: Any) -> None:
    found = world.center.rules.trial(LISTENER, ours()).rules[0]
    assert (found.routed, found.holds, found.verdict) == (True, True, True)
    holds = {one.name: one.holds for one in found.selections}
    assert holds == {"tool": True, "option": True, "filter": False}
    assert {(one.field, one.selection) for one in found.matched} == {
        ("Image", "tool"),
        ("CommandLine", "option"),
    }
    spared = world.center.rules.trial(LISTENER, ours(User="backup")).rules[0]
    assert (spared.verdict, spared.matched) == (False, ())
    assert SelectionValue(name="filter", holds=True) in spared.selections
    # the same fields from elsewhere: the condition holds, and yet nobody would ask the rule
    elsewhere = world.center.rules.trial(LISTENER, json.dumps(NC)).rules[0]
    assert (elsewhere.routed, elsewhere.holds, elsewhere.verdict) == (False, True, False)


def test_a_trial_reads_flat_windows_records_and_asks_what_a_correlation_watches(world: Any) -> None:
    record = {
        "EventID": 4624,
        "Channel": "Security",
        "Hostname": "pc-7",
        "TargetUserName": "wang",
        "EventTime": "2026-11-22T08:00:00Z",
    }
    read = world.center.rules.trial(WAITING, json.dumps(record, indent=2))
    assert (read.logsource.product, read.logsource.service) == ("windows", "security")
    assert read.fields["TargetUserName"] == "wang"
    assert (read.rules[0].routed, read.rules[0].verdict) == (True, False)
    assert [one.id for one in world.center.rules.trial(MANY, ours()).rules] == [LISTENER]


@pytest.mark.parametrize("event", ["nonsense", "[1]", "{}x", '{"a": ' * 3000, "{" + " " * 300_000 + "}"])
def test_what_is_no_event_is_refused(world: Any, event: str) -> None:
    with pytest.raises(BadInput, match="event-unreadable"):
        world.center.rules.trial(LISTENER, event)


@pytest.mark.parametrize("act", ["detail", "decide", "trial"])
def test_an_unknown_rule_is_refused(world: Any, act: str) -> None:
    rules = world.center.rules
    acts = {
        "detail": lambda: rules.detail("x", NOW),
        "decide": lambda: rules.decide("x", True, "理由", "user:an", NOW),
        "trial": lambda: rules.trial("x", ours()),
    }
    with pytest.raises(LiuheError, match="rule-not-found"):
        acts[act]()


def test_values_are_plain_json(world: Any) -> None:
    assert msgspec.json.encode(world.center.rules.page(NOW))
