"""What happened to the sensor itself is told: killed or stopped, clock set, own files changed."""

from datetime import UTC, datetime
from pathlib import Path

from sensors.event import Observation
from sensors.lifecycle import Clock, Life, OwnFiles, boot_id, own_roots

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def actions(seen: list[Observation]) -> list[object]:
    return [one.fields["event.action"] for one in seen]


def test_an_orderly_end_leaves_nothing_to_tell(tmp_path: Path) -> None:
    life = Life(tmp_path, "1.0", boot="b")
    assert actions(life.begin(NOW)) == ["started"]
    stopped = life.ending(NOW, "SIGTERM")
    assert stopped.fields["gov.lifecycle.reason"] == "SIGTERM"
    life.end()
    assert actions(Life(tmp_path, "1.0", boot="b").begin(NOW)) == ["started"]


def test_a_run_that_was_killed_is_told_at_the_next_start(tmp_path: Path) -> None:
    Life(tmp_path, "1.0", boot="b").begin(NOW)
    killed, started = Life(tmp_path, "1.0", boot="b").begin(NOW)
    assert killed.fields["event.action"] == "killed"
    assert killed.fields["gov.lifecycle.last_alive"] == NOW.isoformat()
    assert started.fields["gov.lifecycle.clean"] is False


def test_a_machine_that_lost_power_is_not_a_kill(tmp_path: Path) -> None:
    Life(tmp_path, "1.0", boot="b").begin(NOW)
    assert actions(Life(tmp_path, "1.0", boot="c").begin(NOW)) == ["power-lost", "started"]


def test_a_damaged_marker_is_still_a_marker(tmp_path: Path) -> None:
    (tmp_path / "running.json").write_bytes(b"{")
    assert actions(Life(tmp_path, "1.0", boot="b").begin(NOW)) == ["killed", "started"]


def test_a_clock_that_is_set_is_seen_and_drift_is_not() -> None:
    wall, steady = 1_000.0, 50.0
    clock = Clock(lambda: wall, lambda: steady)
    wall, steady = 1_010.5, 60.0
    assert clock.look(NOW) is None
    wall, steady = 1_021.0 - 86_400, 70.0
    step = clock.look(NOW)
    assert step is not None
    assert step.fields["gov.lifecycle.step_seconds"] == -86_399.5
    wall, steady = wall + 10, 80.0
    assert clock.look(NOW) is None


def test_a_changed_own_file_is_told_once_even_if_it_changed_while_nothing_ran(tmp_path: Path) -> None:
    program, run = tmp_path / "program", tmp_path / "run"
    program.mkdir()
    (program / "a.py").write_text("1")
    (tmp_path / "sensor.toml").write_text("x = 1")
    roots = [program, tmp_path / "sensor.toml", tmp_path / "absent"]
    assert OwnFiles(run, roots, "1.0").look(NOW) is None
    assert OwnFiles(run, roots, "1.0").look(NOW) is None
    (program / "a.py").write_text("2")
    (program / "b.py").write_text("new")
    told = OwnFiles(run, roots, "1.0").look(NOW)
    assert told is not None
    assert told.fields["gov.lifecycle.files"] == [str(program / "a.py"), str(program / "b.py")]
    assert OwnFiles(run, roots, "1.0").look(NOW) is None
    (tmp_path / "sensor.toml").unlink()
    told = OwnFiles(run, roots, "1.0").look(NOW)
    assert told is not None
    assert told.fields["gov.lifecycle.count"] == 1


def test_another_version_and_what_the_sensor_wrote_itself_are_no_alarm(tmp_path: Path) -> None:
    own = tmp_path / "a.py"
    own.write_text("1")
    OwnFiles(tmp_path, [own], "1.0").look(NOW)
    own.write_text("2")
    assert OwnFiles(tmp_path, [own], "1.1").look(NOW) is None
    own.write_text("3")
    files = OwnFiles(tmp_path, [own], "1.1")
    files.accept()
    assert files.look(NOW) is None


def test_it_watches_its_own_program_and_configuration(tmp_path: Path) -> None:
    (tmp_path / "sensor.toml").write_text("")
    roots = own_roots(tmp_path)
    assert any((root / "lifecycle.py").exists() for root in roots)
    assert tmp_path / "sensor.toml" in roots
    assert isinstance(boot_id(), str)
