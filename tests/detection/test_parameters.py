"""Wording as data: every shipped parameter file is whole, speaks both languages and makes alerts."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.anomaly.open import window_parameters
from detection.health import health_parameters
from detection.parameters import Saying, read_parameters, shipped
from detection.special.detectors import SpecialParameters
from sensors.event import Event, LogSource


def test_every_shipped_saying_is_in_both_languages_and_has_its_own_rule_id() -> None:
    special = read_parameters(shipped("special.toml"), SpecialParameters)
    health, windows = health_parameters(), window_parameters()
    guessing = special.brute_force
    sayings = [
        special.scan.alert,
        guessing.user,
        guessing.source,
        guessing.success,
        windows.host,
        windows.source,
    ]
    sayings += [health.silent, health.gap, health.detector]
    assert len({saying.rule for saying in sayings}) == len(sayings)
    for saying in sayings:
        for chinese in (saying.title_zh, saying.reason_zh):
            assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
        for english in (saying.title_en, saying.reason_en):
            assert english.isascii()


def test_a_saying_fills_its_sentences_and_makes_the_same_alert_again() -> None:
    saying = Saying(
        rule="r",
        severity="low",
        title_zh="题",
        title_en="Title",
        reason_zh="{n} 次 {x}",
        reason_en="{n} times",
    )
    time = datetime(2026, 1, 1, tzinfo=UTC)
    event = Event(id="0" * 40, time=time, unit="u", sensor="s", logsource=LogSource(), fields={"x": "y"})
    first, second = (
        saying.alert("special", entity="host:a", numbers={"n": 3}, events=(event,), matched=()) for _ in "12"
    )
    assert first == second
    assert first.reason.zh == "3 次 y"
    assert first.detector == "special"


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    path.write_bytes(b"#" * 300_000)
    with pytest.raises(BadInput, match="parameters-malformed"):
        read_parameters(path, SpecialParameters)


def test_every_parameter_is_documented() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "detectors.md").read_text("utf-8")
    for name in (
        "special.toml",
        "health.toml",
        "windows.toml",
        "ensemble.toml",
        "entities.toml",
        "calendar.toml",
    ):
        tables = [tomllib.loads(shipped(name).read_text("utf-8"))]
        for table in tables:
            tables += [value for value in table.values() if isinstance(value, dict)]
            missing = [
                key for key, value in table.items() if not isinstance(value, dict) and f"`{key}`" not in page
            ]
            assert missing == []
            assert f"`{table['rule']}`" in page if "rule" in table else True
