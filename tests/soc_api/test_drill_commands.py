"""``liuhe drill``: its table, its exit code, and no waiting where nothing can come."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from crypto.words import Words
from soc_api import drill
from soc_api.cli import main
from soc_api.drill import Outcome
from soc_api.drill_actions import Action
from soc_api.drill_commands import table
from soc_api.settings import load_settings


def outcome(title: str, *, seconds: float | None = 1.25, alert: str = "告警", note: str = "") -> Outcome:
    return Outcome(
        action="a",
        title=Words(title, title),
        sensor="host-1" if seconds is not None else "",
        alert=alert if seconds is not None else "",
        group="g",
        seconds=seconds,
        note=Words(note, note),
    )


def columns(line: str) -> list[int]:
    """Display columns where the cells after the first begin: two blanks stand before each."""
    wide = "".join(sign + "\0" if "\u2e80" <= sign <= "\uffef" else sign for sign in line)
    return [place for place in range(2, len(wide)) if wide[place - 2 : place] == "  " and wide[place] != " "]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_table_is_aligned_with_wide_characters(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LIUHE_LANG", language)
    lines = table(
        [
            outcome("ascii", alert="Alert"),
            outcome("登录失败(nobody)"),
            outcome("形似 DNS 隧道", seconds=None, note="未见告警"),
        ]
    )
    assert len(lines) == 4
    assert len({tuple(columns(line)) for line in lines}) == 1
    assert "1.2" in lines[1]
    assert "—" in lines[3]
    assert "未见告警" in lines[3]


@pytest.fixture
def listening(center: Path) -> Any:
    ingest = load_settings(center).ingest
    with socket.create_server((ingest.host, ingest.port)):
        yield center


def acting(monkeypatch: pytest.MonkeyPatch, *needs: Words | None) -> None:
    made = [
        Action(
            name=f"a{number}",
            title=Words("动作", "act"),
            rules=("r",),
            marker="m",
            source="processes",
            act=lambda: None,
            needs=lambda need=need: need,  # type: ignore[misc]
        )
        for number, need in enumerate(needs)
    ]
    monkeypatch.setattr("soc_api.drill_steps.actions", lambda _, slow=False: tuple(made))
    monkeypatch.setattr(drill, "ANSWER_SECONDS_MAX", 0.0)
    # Which sources a sensor has is asked in test_drill.py; here every action may be seen.
    monkeypatch.setattr(drill, "seen_by", lambda todo, _sensors: list(todo))


def test_a_missing_alert_is_exit_1_and_a_skipped_action_is_one(
    listening: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    acting(monkeypatch, None, Words("没有 su", "this machine has no su"))
    assert main(["drill", "--data", str(listening)]) == 1
    said = capsys.readouterr()
    assert "no alert seen" in said.out
    assert "this machine has no su" in said.out
    assert "no alert for: a0, a1" in said.err


def test_every_row_is_one_json_object(
    listening: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    acting(monkeypatch, None)
    assert main(["drill", "--json", "--data", str(listening)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["action"] == "a0"
    assert json.loads(line)["seconds"] is None


def test_steps_of_a_center_that_has_not_learned_say_so(
    listening: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    monkeypatch.setattr("soc_api.drill_steps.actions", lambda _, slow=False: pytest.fail("acted"))
    monkeypatch.setattr("soc_api.drill_learned.learned_actions", lambda *_: ())
    assert main(["drill", "--learned", "--data", str(listening)]) == 0
    monkeypatch.undo()
    monkeypatch.setenv("LIUHE_LANG", "en")
    monkeypatch.setattr("soc_api.drill_frames.missing", lambda: None)
    assert main(["drill", "--learned", "--data", str(listening)]) == 1
    assert "the sensors are known for 0.0 h" in capsys.readouterr().out


def test_a_drill_with_every_alert_is_exit_0(
    listening: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(drill, "run", lambda *_: [outcome("好")])
    assert main(["drill", "--data", str(listening)]) == 0
    assert "host-1" in capsys.readouterr().out


def test_without_a_running_center_nothing_is_done(
    center: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("soc_api.drill_steps.actions", lambda _, slow=False: pytest.fail("acted"))
    assert main(["drill", "--data", str(center)]) == 1
    assert "center-not-running" in capsys.readouterr().err
