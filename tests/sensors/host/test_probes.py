"""Probes on a made-up host and on this one; documented value by value."""

import os
from pathlib import Path

import pytest

from sensors.event import Value
from sensors.host import probe_access, probe_exposure, probe_logs
from sensors.host.pam import parse_line
from sensors.host.probe import HostFiles, run_probe
from sensors.host.probes import PROBES

DOCS = Path(__file__).resolve().parents[3] / "docs/reference/probes.md"


def _host(root: Path, files: dict[str, str]) -> HostFiles:
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return HostFiles(root)


def _values(files: HostFiles, identifier: str) -> dict[str, Value]:
    probe = next(one for one in PROBES if one.id == identifier)
    fields = run_probe(probe, files).fields
    assert "gov.probe.error" not in fields, fields["gov.probe.error"]
    start = "gov.probe.value."
    return {name.removeprefix(start): value for name, value in fields.items() if name.startswith(start)}


PASSWD = "root:x:0:0:root:/root:/bin/bash\nli:x:1000:1000::/home/li:/bin/bash\ntoor:x:0:0::/:/bin/sh\n"
PASSWD += "db:x:110:110::/var/db:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n"
SHADOW = "root:$6$salt$hash:19000:0:90:7:::\nli::19000:0:99999:7:::\ntoor:$1$a$b:19000:0:99999:7:::\n"
SHADOW += "db:!:19000::::::\nnobody:*:19000::::::\n"


def test_accounts_and_their_faults(tmp_path: Path) -> None:
    host = _host(tmp_path, {"/etc/passwd": PASSWD, "/etc/shadow": SHADOW})
    values = _values(host, "accounts.local")
    assert values["uid0_accounts"] == ["root", "toor"]
    assert values["duplicate_uids"] == ["0:root,toor"]
    assert values["empty_passwords"] == ["li"]
    assert values["weak_hash_accounts"] == ["toor"]
    assert values["never_expiring"] == ["li", "toor"]
    assert values["system_login_shells"] == ["db"]
    probe = next(one for one in PROBES if one.id == "accounts.local")
    assert "salt" not in str(run_probe(probe, host).fields)


def test_password_policy(tmp_path: Path) -> None:
    files = {
        "/etc/login.defs": "PASS_MAX_DAYS 90\nPASS_MIN_DAYS\t1\nENCRYPT_METHOD SHA512\n",
        "/etc/security/pwquality.conf": "minlen = 12\n# minclass = 1\nminclass = 3\n",
        "/etc/pam.d/common-password": "password requisite pam_pwquality.so retry=3\n"
        "password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt remember=5\n",
    }
    values = _values(_host(tmp_path, files), "accounts.password_policy")
    assert values == {
        "max_days": 90,
        "min_days": 1,
        "warn_days": 0,
        "min_length": 12,
        "min_classes": 3,
        "complexity_module": "pam_pwquality",
        "history": 5,
        "encrypt_method": "SHA512",
    }


def test_lockout_and_timeout(tmp_path: Path) -> None:
    files = {
        "/etc/pam.d/system-auth": "auth required pam_faillock.so preauth deny=5\nauth required pam_unix.so\n",
        "/etc/security/faillock.conf": "unlock_time = 900\neven_deny_root\n",
        "/etc/profile.d/timeout.sh": "readonly TMOUT=600; export TMOUT\n",
        "/etc/ssh/sshd_config": "ClientAliveInterval 5m\nClientAliveCountMax 2\n",
    }
    host = _host(tmp_path, files)
    values = _values(host, "pam.lockout")
    assert (values["enabled"], values["deny"], values["unlock_seconds"]) == (True, 5, 900)
    assert values["root_included"] is True
    values = _values(host, "session.timeout")
    assert (values["shell_seconds"], values["shell_readonly"], values["ssh_seconds"]) == (600, True, 600)


def test_log_retention_takes_the_shortest_security_log(tmp_path: Path) -> None:
    files = {
        "/etc/logrotate.conf": "weekly\nrotate 4\n",
        "/etc/logrotate.d/rsyslog": "/var/log/syslog\n/var/log/auth.log\n{\n rotate 26\n weekly\n}\n",
        "/etc/logrotate.d/dpkg": "/var/log/dpkg.log {\n rotate 1\n daily\n}\n",
        "/etc/systemd/journald.conf": "[Journal]\nMaxRetentionSec=6month\nStorage=persistent\n",
        "/var/log/auth.log": "2026-05-01T00:00:00+08:00 h sshd[1]: x\n",
    }
    values = _values(_host(tmp_path, files), "logs.retention")
    assert (values["logrotate_days"], values["journald_days"], values["configured_days"]) == (182, 180, 182)
    assert values["oldest_log"] == "/var/log/auth.log"


def test_what_cannot_be_read_is_an_error_without_values(tmp_path: Path) -> None:
    for probe in PROBES:
        fields = run_probe(probe, HostFiles(tmp_path / "nothing")).fields
        has_values = any(name.startswith("gov.probe.value.") for name in fields)
        assert has_values != ("gov.probe.error" in fields), probe.id
    loop = tmp_path / "etc/passwd"
    loop.parent.mkdir()
    os.mkfifo(loop)  # would hold a careless reader for ever
    fields = run_probe(next(one for one in PROBES if one.id == "accounts.local"), HostFiles(tmp_path)).fields
    assert "regular file" in str(fields["gov.probe.error"])


def test_every_probe_answers_on_this_host() -> None:
    for probe in PROBES:
        event = run_probe(probe, HostFiles())
        assert event.logsource.service == probe.id
        assert len(str(event.fields.get("gov.probe.raw", ""))) <= 4096


def test_every_probe_and_value_is_documented() -> None:
    text = DOCS.read_text("utf-8")
    for probe in PROBES:
        _, heading, section = text.partition(f"\n## {probe.id}\n")
        assert heading, probe.id
        section = section.partition("\n## ")[0]
        for name in run_probe(probe, HostFiles()).fields:
            value = name.removeprefix("gov.probe.value.")
            if value != name and not value.startswith("net."):
                assert f"`{value}`" in section, name


@pytest.mark.parametrize(
    ("text", "days"),
    [("6month", 180), ("1y", 365), ("180day", 180), ("4weeks", 28), ("86400", 1), ("", 0), ("x", 0)],
)
def test_spans(text: str, days: int) -> None:
    assert probe_logs.span_days(text) == days


@pytest.mark.parametrize(
    ("text", "seconds"), [("300", 300), ("5m", 300), ("1h30m", 5400), ("", 7), ("abc", 7)]
)
def test_seconds(text: str, seconds: int) -> None:
    assert probe_access.seconds_of(text, 7) == seconds


def test_firewall_rules_are_counted() -> None:
    chain = "type filter hook input priority 0; policy drop;\n  iif lo accept\n"
    nft = f"table inet filter {{\n chain input {{\n  {chain} }}\n}}"
    assert probe_exposure.count_rules("nft", nft) == (1, "drop")
    assert probe_exposure.count_rules("iptables-save", ":INPUT DROP [0:0]\n-A INPUT -j ACCEPT\n") == (
        1,
        "drop",
    )


def test_pam_lines() -> None:
    line = parse_line("auth\t[success=2 default=ignore]\tpam_unix.so nullok")
    assert line is not None
    assert (line.kind, line.module, line.arguments) == ("auth", "pam_unix.so", {"nullok": ""})
    assert parse_line("@include common-auth") is None
