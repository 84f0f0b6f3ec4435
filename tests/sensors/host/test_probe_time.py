"""Time service on a made-up host; the kernel is asked for real."""

from pathlib import Path

from sensors.host.probe import HostFiles
from sensors.host.probe_time import time_sync


def test_servers_and_the_daemon(tmp_path: Path) -> None:
    (tmp_path / "etc/systemd").mkdir(parents=True)
    (tmp_path / "etc/chrony.conf").write_text("# pool no\nserver 10.0.0.1 iburst\n")
    (tmp_path / "etc/systemd/timesyncd.conf").write_text("[Time]\nNTP=10.0.0.2 10.0.0.3\n")
    (tmp_path / "proc/5").mkdir(parents=True)
    (tmp_path / "proc/5/comm").write_text("chronyd\n")
    values = time_sync(HostFiles(tmp_path)).values
    assert values["servers"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert (values["configured"], values["daemon"], values["running"]) == (True, "chronyd", True)
    assert isinstance(values["synchronised"], bool)
    assert isinstance(values["error_max_ms"], int)
