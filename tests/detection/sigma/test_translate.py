"""Every modifier and condition form of Sigma, from YAML-like mappings to answers on events."""

from datetime import UTC, datetime
from typing import Any

import pytest

from crypto.words import BadInput
from detection.condition import describe
from detection.evaluate import matches
from detection.sigma.translate import parse_condition
from sensors.event import Event, LogSource


def event(native: dict[str, Any]) -> Event:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(
        id=f"{0:040x}", time=time, unit="u", sensor="s", logsource=LogSource(), fields={}, native=native
    )


def holds(detection: dict[str, Any], native: dict[str, Any]) -> bool:
    return matches(parse_condition({"condition": "sel", **detection}), event(native))


@pytest.mark.parametrize(
    ("selection", "hits", "misses"),
    [
        ({"f": "Ab"}, [{"f": "aB"}], [{"f": "abc"}, {}]),
        ({"f": 5}, [{"f": 5}, {"f": "5"}], [{"f": 55}]),
        ({"f": True}, [{"f": True}, {"f": "TRUE"}], [{"f": 1}]),
        ({"f": "a*c?"}, [{"f": "abbcd"}], [{"f": "abc"}]),
        ({"f": r"a\*c"}, [{"f": "a*c"}], [{"f": "abc"}]),
        ({"f": "C:\\Windows\\\\*"}, [{"f": "c:\\windows\\x"}], [{"f": "c:\\windows"}]),
        ({"f": ["a", "b"]}, [{"f": "b"}], [{"f": "c"}]),
        ({"f": "a", "g": "b"}, [{"f": "a", "g": "b"}], [{"f": "a"}]),
        ([{"f": "a"}, {"g": "b"}], [{"f": "a"}, {"g": "b"}], [{"f": "b"}]),
        ({"f|contains": ["x", "y"]}, [{"f": "aXb"}], [{"f": "z"}]),
        ({"f|contains|all": ["x", "y"]}, [{"f": "yx"}], [{"f": "x"}]),
        ({"f|startswith": "x"}, [{"f": "Xy"}], [{"f": "yx"}]),
        ({"f|endswith": "x"}, [{"f": "yX"}], [{"f": "xy"}]),
        ({"f|contains|cased": "X"}, [{"f": "aX"}], [{"f": "ax"}]),
        ({"f|cased": "X*"}, [{"f": "Xy"}], [{"f": "xy"}]),
        ({"f|re": "a.c"}, [{"f": "xabcx"}], [{"f": "aBC"}, {"f": "a\nc"}]),
        ({"f|re|i": "a.c"}, [{"f": "ABC"}], [{"f": "ac"}]),
        ({"f|re|s": "a.c"}, [{"f": "a\nc"}], [{"f": "ac"}]),
        ({"f|re|m": "^c"}, [{"f": "a\nc"}], [{"f": "ac"}]),
        ({"f|re|i|s|m": "^B.c$"}, [{"f": "a\nb\nC\nd"}], [{"f": "abc"}]),
        ({"f|cidr": "10.0.0.0/8"}, [{"f": "10.1.1.1"}], [{"f": "1.1.1.1"}, {"f": "10.0.0.0/8"}]),
        ({"f|exists": True}, [{"f": None}, {"f": ""}], [{}]),
        ({"f|exists": False}, [{}], [{"f": None}]),
        ({"f": None}, [{}, {"f": None}], [{"f": ""}]),
        ({"f": ""}, [{"f": ""}], [{}, {"f": None}]),
        ({"f|gt": 5, "f|lte": 7}, [{"f": 6}, {"f": "7"}], [{"f": 5}, {"f": 8}, {}]),
        ({"f|gte": 5}, [{"f": 5}], [{"f": 4}]),
        ({"f|lt": 5}, [{"f": 4.9}], [{"f": 5}]),
        ({"f|neq": "x"}, [{"f": "y"}, {}], [{"f": "X"}]),
        ({"f|windash|contains": " -x"}, [{"f": "a /x"}, {"f": "a –x"}], [{"f": "a x"}]),
        ({"f|windash|contains|all": [" -x", " -y"]}, [{"f": "a /x -y"}], [{"f": "a /x"}]),
        ({"f|base64": "hi"}, [{"f": "aGk="}], [{"f": "hi"}]),
        (
            {"f|base64offset|contains": "http://"},
            [{"f": "zzaHR0cDovLzzz"}, {"f": "h0dHA6Ly"}],
            [{"f": "http"}],
        ),
        ({"f|wide|base64offset|contains": "hi"}, [{"f": "aABpA"}], [{"f": "hi"}]),
        ({"f|utf16le|base64offset|contains": "hi"}, [{"f": "aABpA"}], [{"f": "hi"}]),
        ({"f|fieldref": "g"}, [{"f": "a", "g": "A"}], [{"f": "a", "g": "b"}, {"f": "a"}]),
        ({"f|fieldref|startswith": "g"}, [{"f": "ab", "g": "a"}], [{"f": "ba", "g": "a"}]),
        (["key", "wo*rd"], [{"m": "a KEY b"}, {"m": "woxrd"}], [{"m": "other"}]),
        ({"|all": ["key", "word"]}, [{"m": "a key", "n": "word"}], [{"m": "key"}]),
        ({"|re": "k[e]y"}, [{"m": "a key"}], [{"m": "KEY"}]),
    ],
)
def test_selection(selection: Any, hits: list[dict[str, Any]], misses: list[dict[str, Any]]) -> None:
    for native in hits:
        assert holds({"sel": selection}, native), native
    for native in misses:
        assert not holds({"sel": selection}, native), native


@pytest.mark.parametrize(
    ("condition", "native", "expected"),
    [
        ("a and b", {"f": "a"}, False),
        ("a or b", {"f": "b"}, True),
        ("not a", {"f": "b"}, True),
        ("a and not (b or c1)", {"f": "a"}, True),
        ("1 of c*", {"f": "c2"}, True),
        ("any of c*", {"f": "c2"}, True),
        ("all of c*", {"f": ["c1", "c2"]}, True),
        ("all of c*", {"f": "c1"}, False),
        ("1 of them", {"f": "b"}, True),
        ("all of them", {"f": ["a", "b", "c1", "c2"]}, True),
        ("not 1 of c* and a", {"f": "a"}, True),
        ("a or b and c1", {"f": "a"}, True),
    ],
)
def test_condition(condition: str, native: dict[str, Any], expected: bool) -> None:
    selections = {name: {"f": name} for name in ("a", "b", "c1", "c2")}
    assert matches(parse_condition(selections, condition), event(native)) is expected


def test_the_condition_may_stand_in_the_mapping_or_apart_and_several_mean_any() -> None:
    inside = parse_condition({"sel": {"f": 1}, "condition": "sel"})
    assert parse_condition({"sel": {"f": 1}}, "sel") == inside
    either = parse_condition({"a": {"f": 1}, "b": {"g": 2}, "condition": ["a", "b"]})
    assert describe(either) == 'f = "1" or g = "2"'


@pytest.mark.parametrize(
    ("detection", "code"),
    [
        ({"sel": {"f|re": "(?=x)"}}, "regex-unsupported"),
        ({"sel": {"f|re": "("}}, "rule-malformed"),
        ({"sel": {"f|expand": "%list%"}}, "rule-placeholder"),
        ({"sel": {"f|nosuch": 3}}, "rule-malformed"),
        ({"sel": {"f|gt": "x"}}, "rule-malformed"),
        ({"sel": {"f|cidr": "x"}}, "rule-malformed"),
        ({"sel": {"f": []}}, "rule-malformed"),
        ({"sel": {"f": {"g": 1}}}, "rule-malformed"),
        ({"sel": []}, "rule-malformed"),
        ({"sel": None}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": "other"}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": "1 of other*"}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": "sel and"}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": "sel | count() > 3"}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": "(" * 200 + "sel" + ")" * 200}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": "not " * 200 + "sel"}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": 3}, "rule-malformed"),
        ({"sel": {"f": 1}, "condition": ""}, "rule-malformed"),
        ({}, "rule-malformed"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(detection: dict[str, Any], code: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_condition({"condition": "sel", **detection})
    assert caught.value.code == code
    assert caught.value.what.zh
    assert caught.value.fix.en
