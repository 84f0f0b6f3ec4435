"""Findings as alerts: entities from what is grouped by, sentences in both languages, what matched."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from correlation_scenes import correlation, event, run

from crypto.words import Words
from detection.correlation.keyed import Finding
from detection.correlation.mark import mark_of, micros_of
from detection.correlation.wording import alert_of, entity_of, occasion_of, shown_number, stand_in


@pytest.mark.parametrize(
    ("group_by", "more", "entity"),
    [
        (("user.name", "host.name"), {}, "user:1@2"),
        (("user.name",), {"entity": "user"}, "user:1"),
        (("host.name", "source.ip"), {}, "source:2"),
        (("host.name", "source.ip"), {"entity": "host"}, "host:1"),
        (("address",), {"aliases": {"address": {"a": "source.ip"}}}, "source:1"),
        (("process.name",), {}, "host:1"),
        (("process.name",), {"entity": "user"}, "user:1"),
        ((), {}, "unit:u"),
    ],
)
def test_entities(group_by: Sequence[str], more: dict[str, Any], entity: str) -> None:
    rule = correlation("event_count", gte=1, group_by=group_by, **more)
    assert entity_of(rule, "\x1f".join(["u", *map(str, range(1, len(group_by) + 1))])) == entity


def finding(**changes: Any) -> Finding:
    mark = mark_of(micros_of(event(5).time), event(5, number=9).id)
    plain = Finding(key="u\x1fz", occasion=1, anchor=mark, marks=(mark,), whats=(), number=3.0)
    return msgspec.structs.replace(plain, **changes)


def test_sentences_name_counts_values_and_rules() -> None:
    rule = correlation("value_count", gte=3, fields=("n",), group_by=("user",))
    reason = Words("{user} 在 {seconds} 秒内有 {count} 个:{values}({rules},{host})", "{count} by {rules}")
    rule = msgspec.structs.replace(rule, reason=reason)
    titles = {"a": Words("失败", "Failure")}
    alert = alert_of(rule, finding(values=("x", "y")), (event(5, number=9, host="h"),), titles)
    assert alert.reason == Words("z 在 60 秒内有 3 个:x, y(失败,h)", "3 by Failure")
    assert [(match.field, match.value, match.selection) for match in alert.matched] == [
        ("user", "z", "group-by"),
        ("n", 3, "value_count"),
    ]


def test_an_alert_without_its_events_still_says_who_and_when() -> None:
    rule = correlation("event_count", gte=3, group_by=("host.name",))
    alert = alert_of(rule, finding(), (), {})
    assert (alert.entity, alert.time, alert.unit, alert.events) == ("host:z", event(5).time, "u", ())
    assert alert.matched[0].event == event(5, number=9).id
    whole = alert_of(rule, finding(), (event(5, number=9, **{"host.name": "z"}),), {})
    assert (alert.id, alert.group, alert.reason) == (whole.id, whole.group, whole.reason)
    assert stand_in(rule, finding()).fields == {"host.name": "z"}


def test_occasions_differ_by_rule_key_and_slot() -> None:
    rules = [correlation("event_count", gte=1), correlation("event_count", gte=1, id="other")]
    seen = {
        occasion_of(rule, one)
        for rule in rules
        for one in (finding(), finding(occasion=2), finding(key="u\x1fy"))
    }
    assert len(seen) == 6


def test_a_temporal_alert_says_which_event_matched_which_rule() -> None:
    rule = correlation("temporal", "ab", group_by=("user.name",))
    stream = [
        (event(1, number=1, **{"user.name": "z"}), ("b",)),
        (event(2, number=2, **{"user.name": "z"}), ("a",)),
    ]
    (alert,) = run([rule], stream).values()
    assert [(match.event, match.selection) for match in alert.matched[1:]] == [
        (stream[0][0].id, "b"),
        (stream[1][0].id, "a"),
    ]
    assert alert.reason.en == "z met “Correlation” within 60 s (value 2: b, a)"


def test_shown_numbers() -> None:
    assert [shown_number(3.0), shown_number(2 / 3), shown_number(1e20)] == [3, 0.67, 10**20]


def test_names_that_hold_the_separator_harm_nothing() -> None:
    rule = correlation("event_count", gte=1, group_by=("user.name",))
    fields: dict[str, Any] = {"user.name": "z\x1fy\n"}
    hostile = event(1, unit="u\x1fv", **fields)
    (alert,) = run([rule], [(hostile, ("a",))]).values()
    assert alert.unit == "u\x1fv"
    assert "\x1f" not in alert.entity
    whole = correlation("event_count", gte=1, group_by=())
    assert len(run([whole], [(hostile, ("a",))])) == 1
