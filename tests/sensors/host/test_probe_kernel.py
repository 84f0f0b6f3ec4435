"""Kernel parameters, USB storage and file modes on a made-up host."""

from pathlib import Path

from sensors.host.probe import HostFiles
from sensors.host.probe_kernel import file_modes, hardening, removable_storage
from sensors.host.tables import table


def test_parameters_outside_the_table_are_weak(tmp_path: Path) -> None:
    folder = tmp_path / "proc/sys/kernel"
    folder.mkdir(parents=True)
    (folder / "randomize_va_space").write_text("2\n")
    (folder / "kptr_restrict").write_text("0\n")
    values = hardening(HostFiles(tmp_path)).values
    assert values == {
        "randomize_va_space": 2,
        "kptr_restrict": 0,
        "weak": ["kernel.kptr_restrict"],
        "weak_count": 1,
    }


def test_a_barred_module(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "sys/bus/usb").mkdir(parents=True)
    assert removable_storage(HostFiles(tmp_path)).values["controlled"] is False
    (tmp_path / "etc/modprobe.d").mkdir(parents=True)
    (tmp_path / "etc/modprobe.d/usb.conf").write_text("install usb-storage /bin/false\n")
    values = removable_storage(HostFiles(tmp_path)).values
    assert (values["module_barred"], values["controlled"]) == (True, True)


def test_loose_modes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for name, mode in (("passwd", 0o666), ("shadow", 0o600)):
        (tmp_path / "etc" / name).write_text("")
        (tmp_path / "etc" / name).chmod(mode)
    values = file_modes(HostFiles(tmp_path)).values
    assert values["checked"] == 2
    assert "/etc/passwd" in str(values["weak"])


def test_the_tables_are_whole() -> None:
    assert all(values for values in table("kernel_hardening")["parameters"].values())
    assert all(int(mode, 8) for mode in table("file_modes")["files"].values())
    assert len(set(table("high_risk_ports")["ports"])) == len(table("high_risk_ports")["ports"])
    assert all(one["processes"] for one in table("host_agents")["products"].values())
    assert {"services", "categories", "native", "ecs"} <= set(table("windows_events"))
