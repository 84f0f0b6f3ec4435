"""A local sensor's settings follow the center's, before every start."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from crypto.words import BadInput, LiuheError, Words
from sensors.heartbeat import SourceState, Status, write_status
from sensors.settings import Settings as SensorSettings
from sensors.settings import load_settings, write_settings
from soc_api import local_sensors
from soc_api.folders import Folders, state_engine
from soc_api.settings import Settings
from soc_api.settings import load_settings as load_center


def enrolled(data: Path, kind: str) -> Path:
    folder = data / "sensors" / kind
    folder.mkdir(parents=True)
    first = SensorSettings(id=f"vm-{kind}", unit="320000-local", kind=kind, center=["127.0.0.1:1"])  # type: ignore[arg-type]
    write_settings(folder, first)
    (folder / "keys" / "trust").mkdir(parents=True)
    return folder


def moved(settings: Settings, *, console: int, ingest: int) -> Settings:
    return msgspec.structs.replace(
        settings,
        console=msgspec.structs.replace(settings.console, port=console),
        ingest=msgspec.structs.replace(settings.ingest, port=ingest),
    )


def test_the_host_sensor_watches_the_drill_and_finds_the_center(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "host")
    assert local_sensors.enrolled(Folders(tmp_path), "host")
    local_sensors.suit(Folders(tmp_path), Settings(), "host")
    found = load_settings(folder)
    assert found.host.watch_extra == [str(tmp_path / "drill")]
    assert found.center == ["127.0.0.1:8610"]


def test_a_sensor_of_a_release_before_sm_tls_enrols_anew(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "host")
    (folder / "keys" / "trust").rmdir()
    assert not local_sensors.enrolled(Folders(tmp_path), "host")


def test_the_network_sensor_leaves_out_the_center_even_after_its_ports_moved(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "network")
    local_sensors.suit(Folders(tmp_path), Settings(), "network")
    assert load_settings(folder).network.ignore_ports == [8610, 8600]
    local_sensors.suit(Folders(tmp_path), moved(Settings(), console=9000, ingest=9001), "network")
    found = load_settings(folder)
    assert found.center == ["127.0.0.1:9001"]
    assert {9000, 9001} <= set(found.network.ignore_ports)


def test_what_an_administrator_set_stays(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "host")
    path = folder / "sensor.toml"
    path.write_text(path.read_text() + '\n[host]\nprobes = false\nwatch_extra = ["/srv/\\"odd\\" name"]\n')
    local_sensors.suit(Folders(tmp_path), Settings(), "host")
    found = load_settings(folder)
    assert found.host.probes is False
    assert found.host.watch_extra == ['/srv/"odd" name', str(tmp_path / "drill")]


def test_a_file_in_line_is_left_alone_with_its_comments(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "network")
    local_sensors.suit(Folders(tmp_path), Settings(), "network")
    path = folder / "sensor.toml"
    path.write_text("# ours\n" + path.read_text())
    local_sensors.suit(Folders(tmp_path), Settings(), "network")
    assert path.read_text().startswith("# ours\n")


def test_a_broken_file_is_told_by_name(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "host")
    (folder / "sensor.toml").write_text("kind = ")
    with pytest.raises(BadInput, match=r"sensor\.toml"):
        local_sensors.suit(Folders(tmp_path), Settings(), "host")


def test_a_listener_on_ipv6_is_an_address_in_brackets(tmp_path: Path) -> None:
    folder = enrolled(tmp_path, "host")
    settings = Settings()
    settings = msgspec.structs.replace(settings, ingest=msgspec.structs.replace(settings.ingest, host="::1"))
    local_sensors.suit(Folders(tmp_path), settings, "host")
    assert load_settings(folder).center == ["[::1]:8610"]


def test_what_cannot_be_seen_here_is_named_with_its_reason(tmp_path: Path) -> None:
    assert local_sensors.missing(Folders(tmp_path)) == []
    reason = Words("缺少权限", "no permission")
    sources = [
        SourceState(name="processes", state="running", detail=Words("", "")),
        SourceState(name="logins:btmp", state="missing", detail=reason),
    ]
    status = Status(
        time=datetime(2026, 1, 1, tzinfo=UTC),
        sensor="vm-host",
        unit="320000-local",
        kind="host",
        version="0",
        epoch=1,
        connected=True,
        uplink=Words("", ""),
        backlog={},
        events=0,
        cpu_percent=0.0,
        rss_bytes=0,
        trouble=None,
        sources=sources,
    )
    write_status(enrolled(tmp_path, "host") / "run", status)
    (told,) = local_sensors.missing(Folders(tmp_path))
    assert told.en == "not seen: logins:btmp: no permission"


def test_an_enrolment_that_fails_or_hangs_is_one_clear_error(
    center: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, settings = Folders(center), load_center(center)
    engine = state_engine(folders, settings)
    try:
        loud = "import sys; sys.exit('first\\nlast line')"
        monkeypatch.setattr(local_sensors, "command", lambda _: [sys.executable, "-c", loud])
        with pytest.raises(LiuheError, match="enrolment-failed") as caught:
            local_sensors.enrol(folders, settings, engine, "host")
        assert caught.value.fix.en == "last line"
        monkeypatch.setattr(local_sensors, "ENROL_SECONDS_MAX", 0.1)
        monkeypatch.setattr(
            local_sensors, "command", lambda _: [sys.executable, "-c", "import time; time.sleep(60)"]
        )
        with pytest.raises(LiuheError, match="enrolment-failed"):
            local_sensors.enrol(folders, settings, engine, "network")
    finally:
        engine.dispose()
    assert not local_sensors.enrolled(folders, "host")


def test_a_sensor_runs_by_this_interpreter_in_its_own_folder(tmp_path: Path) -> None:
    child = local_sensors.child(Folders(tmp_path), "host")
    assert child.name == "sensor-host"
    assert child.command[0] == sys.executable
    assert child.command[-2:] == ["--data", str(tmp_path / "sensors" / "host")]
