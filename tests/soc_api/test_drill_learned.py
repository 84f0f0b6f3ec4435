"""Steps of detectors that learn: named in drill.toml, said where it is too early, harmless, gone after."""

import subprocess
import tomllib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest

from detection.anomaly.model_acts import Act, tell
from rules import ROOT
from soc_api import drill_frames, drill_learned
from soc_api.drill_learned import learned_actions

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drill_frames, "missing", lambda: None)


def test_every_step_has_a_name_rules_and_a_mark_of_its_own(tmp_path: Path) -> None:
    answers = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text("utf-8"))["learned"]
    steps = learned_actions(tmp_path, LONG_AGO, NOW)
    assert [one.name for one in steps] == list(answers)
    assert [list(one.rules) for one in steps] == list(answers.values())
    assert len({one.marker for one in steps}) == len(steps)
    again = {one.marker for one in learned_actions(tmp_path, LONG_AGO, NOW)}
    assert not again & {one.marker for one in steps}


def test_a_step_says_where_it_is_too_early_or_nothing_is_set(tmp_path: Path) -> None:
    why = {one.name: one.needs() for one in learned_actions(tmp_path, NOW - timedelta(hours=30), NOW)}
    assert why["rare-place"] is not None
    assert why["rare-place"].en.endswith("after 72 h of learning; the sensors are known for 30.0 h")
    assert why["rogue-router"] is None  # a day is enough
    assert why["lateral-first"] is not None
    assert why["source-window"] is not None
    assert "isolated" in str(why["isolated-outside"].en if why["isolated-outside"] else "")
    (tmp_path / "models").mkdir()
    made = Act(act="promoted", kind="source", version=1, manifest_sm3="", time=NOW)
    tell(tmp_path / "models", made)
    (tmp_path / "lists").mkdir()
    site = '[outside_link]\nisolated = ["127.250.0.0/16"]\n'
    (tmp_path / "lists" / "special.toml").write_text(site)
    steps = {one.name: one for one in learned_actions(tmp_path, LONG_AGO, NOW)}
    assert [name for name, one in steps.items() if one.needs() is not None] == ["host-window"]
    assert ip_address(steps["isolated-outside"].marker.strip('"')) in ip_network("127.250.0.0/16")


def test_frames_are_sent_for_nobody_and_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[bytes] = []
    monkeypatch.setattr(drill_frames, "send", lambda frames, **_: sent.extend(frames))
    drill_learned.visit("m", targets=3)
    assert len({frame[30:34] for frame in sent if frame[26] == 127}) == 4  # three targets and the source
    sent.clear()
    drill_learned.router("m")
    drill_learned.server("m", gateways=(1, 2))
    assert len(set(sent)) == 3
    assert all(frame[:6] == bytes.fromhex("02000000d001") for frame in sent)


def test_programs_run_from_a_folder_of_their_own_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[Any] = []

    def run(command: list[str], **_: Any) -> None:
        assert Path(command[0]).exists()
        ran.append(command)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr("time.sleep", lambda _: None)
    drill_learned.odd("0a1b")
    drill_learned.child("0a1b")
    drill_learned.rolling("0a1b")
    assert len({command[0] for command in ran}) == len(ran) == 2 + drill_learned._STARTS
    assert ran[1][0].endswith("/nginx")
    assert all(drill_learned.letters("0a1b") in " ".join(command) for command in ran)
    assert not any(Path(command[0]).parent.exists() for command in ran)


def test_a_burst_knocks_on_the_loopback_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(drill_learned, "knock_on", lambda own, target, _ports: asked.append((own, target)))
    drill_learned.burst("m")
    assert all(ip_address(one).is_loopback for pair in asked for one in pair)
    assert len(set(asked)) == len(asked)


def test_a_mark_has_no_digits() -> None:
    assert not any(sign.isdigit() for sign in drill_learned.letters("0123456789ab"))
