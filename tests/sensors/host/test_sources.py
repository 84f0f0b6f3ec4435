"""The list of host sources and its settings."""

from pathlib import Path

import msgspec
import pytest

from sensors.host import sources
from sensors.host.settings import HostSettings, default_watch_paths
from sensors.host.sources import host_sources


def test_every_source_is_listed_under_its_own_name(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("")
    settings = HostSettings(auth_logs=[str(log)], btmp_path=str(tmp_path / "btmp"))
    names = [one.name for one in host_sources(settings, tmp_path)]
    assert names == [
        "processes",
        "audit",
        "listeners",
        "logins:btmp",
        "logins:wtmp",
        "auth-log:auth.log",
        "file-integrity",
        "probes",
        "inventory",
    ]


def test_the_journal_is_read_where_there_is_no_log(tmp_path: Path) -> None:
    settings = HostSettings(auth_logs=[str(tmp_path / "auth.log")])
    assert "journal" in [one.name for one in host_sources(settings, tmp_path)]
    settings = HostSettings(auth_logs=[str(tmp_path / "auth.log")], journal=False)
    assert "auth-log:auth.log" in [one.name for one in host_sources(settings, tmp_path)]


def test_sources_can_be_switched_off(tmp_path: Path) -> None:
    off = HostSettings(
        processes=False,
        audit=False,
        listeners=False,
        logins=False,
        auth_logs=[],
        journal=False,
        file_integrity=False,
        probes=False,
        inventory=False,
    )
    assert host_sources(off, tmp_path) == []


def test_a_windows_host_has_its_event_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_on_windows", lambda: True)
    found = host_sources(HostSettings(), tmp_path)
    assert [one.name for one in found] == ["windows-events"]
    assert found[0].missing() is not None  # there is no wevtapi here


def test_settings_are_plain_data() -> None:
    raw = msgspec.json.encode(HostSettings())
    assert msgspec.json.decode(raw, type=HostSettings) == HostSettings()
    assert all(Path(one).parent.is_dir() for one in default_watch_paths())
    assert "/etc/passwd" in default_watch_paths()
