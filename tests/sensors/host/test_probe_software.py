"""Packages and malware protection on a made-up host."""

import sqlite3
from pathlib import Path

from sensors.host.probe import HostFiles
from sensors.host.probe_software import antimalware, patch_state


def _host(root: Path) -> HostFiles:
    (root / "etc").mkdir()
    (root / "proc").mkdir()
    (root / "etc/os-release").write_text(
        'ID="kylin"\nVERSION_ID="V10"\nPRETTY_NAME="Kylin Linux Advanced Server V10"\n'
    )
    return HostFiles(root)


def test_dpkg(tmp_path: Path) -> None:
    files = _host(tmp_path)
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(
        "Package: a\nStatus: install ok installed\n\nPackage: b\nStatus: deinstall ok config-files\n"
    )
    (tmp_path / "var/log").mkdir()
    (tmp_path / "var/log/dpkg.log").write_text(
        "2026-05-01 10:00:00 upgrade a 1 2\n2026-06-01 10:00:00 status x\n"
    )
    values = patch_state(files).values
    assert (values["distribution"], values["version"]) == ("kylin", "V10")
    assert (values["manager"], values["packages"]) == ("dpkg", 1)
    assert str(values["last_change"]).startswith("2026-0")
    assert values["end_of_life"] == "unknown"


def test_rpm(tmp_path: Path) -> None:
    files = _host(tmp_path)
    (tmp_path / "var/lib/rpm").mkdir(parents=True)
    base = sqlite3.connect(tmp_path / "var/lib/rpm/rpmdb.sqlite")
    base.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
    base.executemany("INSERT INTO Packages (blob) VALUES (?)", [(b"",)] * 3)
    base.commit()
    base.close()
    values = patch_state(files).values
    assert (values["manager"], values["packages"]) == ("rpm", 3)


def test_a_running_product_is_found(tmp_path: Path) -> None:
    files = _host(tmp_path)
    assert antimalware(files).values["protected"] is False
    (tmp_path / "proc/77").mkdir()
    (tmp_path / "proc/77/comm").write_text("clamd\n")
    (tmp_path / "var/lib/clamav").mkdir(parents=True)
    (tmp_path / "var/lib/clamav/daily.cld").write_text("")
    values = antimalware(files).values
    assert values["running"] == ["ClamAV"]
    assert values["signature_days"] == 0
