"""sudo rules and states of passwords."""

from pathlib import Path

from sensors.host.probe import HostFiles
from sensors.host.probe_accounts import read_accounts, sudo_rules


def test_sudo_rules_with_their_folder(tmp_path: Path) -> None:
    (tmp_path / "etc/sudoers.d").mkdir(parents=True)
    (tmp_path / "etc/sudoers").write_text(
        "Defaults logfile=/var/log/sudo.log\nCmnd_Alias WEB = /bin/systemctl\n"
        "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"
    )
    (tmp_path / "etc/sudoers.d/li").write_text("li ALL=(ALL) NOPASSWD: ALL\n")
    (tmp_path / "etc/sudoers.d/old.bak").write_text("evil ALL=(ALL) ALL\n")  # sudo skips names with a dot
    (tmp_path / "etc/group").write_text("sudo:x:27:li,wang\nwheel:x:10:\n")
    values = sudo_rules(HostFiles(tmp_path)).values
    assert values["grants"] == 2
    assert values["nopasswd_grants"] == ["li"]
    assert values["all_grants"] == ["root", "li"]
    assert values["administrators"] == ["li", "wang"]
    assert values["log_configured"] is True


def test_states_of_passwords(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    rows = {"a": "$y$j9T$x", "b": "!", "c": "", "d": "abJnggxhB/yWI", "e": "$1$a$b", "f": "!$6$a$b"}
    lines = [f"{name}:x:10{place}:1::/:/bin/sh" for place, name in enumerate(rows)]
    (tmp_path / "etc/passwd").write_text("\n".join([*lines, "broken", "x:y:z"]))
    (tmp_path / "etc/shadow").write_text(
        "\n".join(f"{name}:{field}:1:0:90:7:::" for name, field in rows.items())
    )
    found = {one.name: one.credential for one in read_accounts(HostFiles(tmp_path))}
    assert found == {"a": "set", "b": "locked", "c": "none", "d": "weak", "e": "weak", "f": "locked"}
