"""Reason sentences: fields filled in, bounded, on one line, nothing else interpreted."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crypto.words import BadInput, Words
from detection.alert import Match
from detection.reason import VALUE_CHARS_MAX, check_template, default_reason, filled, shown_value
from sensors.event import Event, LogSource


def event(**fields: Any) -> Event:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(id=f"{0:040x}", time=time, unit="u", sensor="s", logsource=LogSource(), fields=fields)


def test_fields_are_filled_in_both_languages() -> None:
    subject = event(**{"host.name": "web-01", "process.args": ["a", "b"]})
    sentence = filled(
        Words("{host.name} 执行 {process.args}{none}", "{host.name} ran {process.args}"), subject
    )
    assert sentence == Words("web-01 执行 a b—", "web-01 ran a b")


def test_a_value_with_braces_is_not_filled_again() -> None:
    assert filled(Words("{a}", "{a}"), event(a="{b}", b="secret")).en == "{b}"


def test_numbers_of_the_detector_go_before_fields() -> None:
    assert filled(Words("{a}", "{a}"), event(a="field"), {"a": 3}).en == "3"


def test_values_are_bounded_and_on_one_line() -> None:
    assert len(shown_value("x" * 1000)) == VALUE_CHARS_MAX
    assert "\n" not in shown_value("a\nb\x1b[31m")
    assert "\x1b" not in shown_value("a\nb\x1b[31m")
    assert shown_value([str(n) for n in range(9)]).endswith("…")


@pytest.mark.parametrize("sentence", ["{a", "a}", "{{a}}", "{}", "x" * 2000])
def test_unpaired_braces_are_refused(sentence: str) -> None:
    with pytest.raises(BadInput):
        check_template(sentence)


def test_the_default_sentence_names_rule_entity_and_fields() -> None:
    matched = tuple(Match(event="e", field=f"f{n}", value=n) for n in range(5))
    sentence = default_reason(Words("规则", "Rule"), "host:web-01", matched)
    assert "web-01" in sentence.zh
    assert "规则" in sentence.zh
    assert "f2" in sentence.zh
    assert "2" in sentence.en
    assert "2 more" in sentence.en
