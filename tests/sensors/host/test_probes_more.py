"""The probes of auditing, remote access, trust, activity and operation on a host laid out in a folder."""

import os
import struct
from pathlib import Path

import pytest

from sensors.event import Value
from sensors.host import probe_activity, probe_audit, probe_remote, probe_trust
from sensors.host.audit_status import AuditStatus, parse_status
from sensors.host.probe import HostFiles, run_probe
from sensors.host.probe_operation import masked_url
from sensors.host.probes import PROBES


class Host:
    """A host's files under a folder, and its probes' values."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put("/proc/1/comm", "systemd\n")

    def put(self, name: str, text: str = "", mode: int = 0o644) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def runs(self, *names: str) -> None:
        for number, name in enumerate(names, start=100):
            self.put(f"/proc/{number}/comm", f"{name}\n")

    def ask(self, probe: str) -> dict[str, Value]:
        found = next(one for one in PROBES if one.id == probe)
        fields = run_probe(found, HostFiles(self.root)).fields
        assert "gov.probe.error" not in fields, fields
        start = "gov.probe.value."
        return {name[len(start) :]: value for name, value in fields.items() if name.startswith(start)}

    def error(self, probe: str) -> str:
        found = next(one for one in PROBES if one.id == probe)
        return str(run_probe(found, HostFiles(self.root)).fields.get("gov.probe.error", ""))


def test_all_of_them_are_run() -> None:
    modules = (probe_activity, probe_audit, probe_remote, probe_trust)
    assert {one for module in modules for one in module.PROBES} < set(PROBES)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_audit_rules_and_their_protection(host: Host) -> None:
    host.put(
        "/etc/audit/rules.d/a.rules",
        "-a always,exit -F arch=b64 -S execve -F auid>=1000 -k exec\n-w /etc/passwd -p wa\n-f 2\n-e 2\n",
    )
    values = host.ask("audit.rules")
    assert (values["rules"], values["covered"], values["locked"]) == (2, ["execution", "identity"], True)
    assert (values["all_users"], values["failure"]) == (True, 2)
    host.put("/usr/lib/systemd/system/auditd.service", "RefuseManualStop=yes\n")
    host.runs("auditd")
    values = host.ask("audit.protection")
    assert (values["refuse_stop"], values["protected"], values["kernel_told"]) == (True, True, False)


def test_logs_are_looked_at_from_outside_and_counted_inside(host: Host) -> None:
    assert "FileNotFoundError" in host.error("logs.protection")
    host.put("/var/log/auth.log", "", 0o666)
    host.put("/var/log/wtmp", "", 0o664)
    host.put("/etc/rsyslog.d/r.conf", "*.* @@loghost:514\n")
    values = host.ask("logs.protection")
    assert (values["weak"], values["remote_copy"], values["checked"]) == (["/var/log/auth.log"], True, 2)
    host.put(
        "/var/log/audit/audit.log",
        "type=USER_LOGIN msg=audit(1.0:1): uid=0 auid=1000 res=success\n"
        "type=SYSCALL msg=audit(1.0:2): success=yes auid=1000 uid=0\n",
    )
    values = host.ask("audit.records")
    assert (values["log"], values["lines"], values["with_result"]) == ("/var/log/audit/audit.log", 2, 2)
    assert values["complete"] is True


def test_ways_in(host: Host) -> None:
    line = "{}: 00000000:{:04X} 00000000:0000 0A 0:0 0:0 0 0 0 {}\n"
    host.put("/proc/net/tcp", "head\n" + line.format(0, 23, 11) + line.format(1, 5900, 12))
    host.runs("vsftpd")
    values = host.ask("remote.management")
    assert (values["clear_text"], values["screen_sharing"], values["remote_tools"]) == (
        ["telnet"],
        ["vnc"],
        ["vsftpd"],
    )
    assert values["only_secure"] is False
    assert host.ask("access.sources")["restricted"] is False
    host.put("/etc/ssh/sshd_config", "AllowUsers li@10.0.0.*\nAuthenticationMethods publickey,password\n")
    host.put("/etc/pam.d/sshd", "auth required pam_pkcs11.so\n")
    assert host.ask("access.sources")["ways"] == ["sshd users"]
    values = host.ask("authentication.factors")
    assert (values["modules"], values["cryptographic"], values["second_factor"]) == (
        ["pam_pkcs11"],
        True,
        True,
    )


def test_ways_out(host: Host) -> None:
    zero = "00000000"
    route = f"eth0 {zero} 0100000A 3 0 0 0 {zero} 0 0 0\nwlan0 {zero} 0100000A 3 0 0 0 {zero} 0 0 0\n"
    host.put("/proc/net/route", "head\n" + route)
    host.put("/sys/class/net/wlan0/operstate", "up\n")
    host.put("/etc/environment", "http_proxy=http://u:SECRET@p:1\n")
    values = host.ask("network.exits")
    assert (values["default_routes"], values["wireless"], values["suspicious"]) == (2, ["wlan0"], True)
    assert values["proxies"] == ["http_proxy"]
    assert "SECRET" not in str(values)


def test_trust(host: Host) -> None:
    host.put("/sys/class/tpm/tpm0/dev", "")
    name = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    host.put(name, "\6\0\0\0\1")
    values = host.ask("trusted.start")
    assert (values["chip"], values["secure_boot"], values["trusted"]) == (True, "on", True)
    assert host.ask("security.labels")["module"] == "none"
    host.put("/sys/fs/selinux/enforce", "1")
    host.put("/etc/selinux/config", "SELINUX=enforcing\nSELINUXTYPE=mls\n")
    values = host.ask("security.labels")
    assert (values["module"], values["enforcing"], values["multilevel"]) == ("selinux:enforcing", True, True)
    host.put("/sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-x")
    host.put("/proc/swaps", "Filename\n/dev/sda2 partition\n")
    values = host.ask("storage.encryption")
    assert (values["encrypted_devices"], values["swap_encrypted"]) == (["dm-0"], False)
    assert host.ask("storage.integrity")["watched"] is False
    host.put("/var/lib/aide/aide.db.gz")
    assert host.ask("storage.integrity")["watched"] is True


def test_accounts_nobody_uses(host: Host) -> None:
    host.put(
        "/etc/passwd", "root:x:0:0::/root:/bin/bash\nold:x:1:1::/h:/bin/bash\ngone:x:2:2::/h:/bin/bash\n"
    )
    host.put("/etc/shadow", "root:$6$a:1:0:9:7:::\nold:$6$a:1:0:9:7:::\ngone:$6$a:1:0:9:7::1000:\n")
    form = "q" if os.uname().machine in ("aarch64", "loongarch64", "riscv64") else "i"
    record = struct.pack(f"={form}32s256s", 1_700_000_000, b"pts/0", b"")
    (host.root / "var/log").mkdir(parents=True)
    (host.root / "var/log/lastlog").write_bytes(bytes(len(record)) + record)
    values = host.ask("accounts.activity")
    assert (values["dormant"], values["never_used"], values["expired"]) == (
        ["old"],
        ["root", "gone"],
        ["gone"],
    )
    assert values["count"] == 3


def test_rights_and_residue(host: Host) -> None:
    host.put("/etc/profile", "umask 002\nHISTSIZE=10\n")
    host.put("/usr/bin/evil", "", 0o4755)
    host.put("/usr/bin/open", "", 0o777)
    host.put("/usr/bin/passwd", "", 0o4755)
    values = host.ask("access.granularity")
    assert (values["unexpected_suid"], values["writable_programs"]) == (["/usr/bin/evil"], ["/usr/bin/open"])
    assert values["umask_ok"] is False
    host.put("/etc/security/limits.conf", "* hard core 0\n")
    values = host.ask("session.residue")
    assert (values["history_lines"], values["core_limited"]) == (10, True)


def test_operation(host: Host) -> None:
    installed = "Status: install ok installed\nVersion: 1\n"
    status = f"Package: telnetd\n{installed}\nPackage: gcc\n{installed}"
    host.put("/var/lib/dpkg/status", status)
    values = host.ask("software.minimal")
    assert (values["clear_text"], values["compilers"], values["risky_count"]) == (["telnetd"], ["gcc"], 1)
    host.put("/etc/exports", "/data *(rw)\n")
    host.put("/etc/samba/smb.conf", "[global]\n[open]\nguest ok = yes\n")
    host.put("/etc/crontab", "0 3 * * * root rsync -a /data backup@nas:/b --password=SECRET\n")
    host.runs("smbd", "keepalived", "node_exporter", "falco")
    values = host.ask("shares.state")
    assert (values["nfs_wide"], values["samba_shares"], values["samba_guests"]) == (["/data"], ["open"], True)
    values = host.ask("backup.jobs")
    assert (values["jobs"], values["remote_jobs"], values["scheduled"]) == (1, 1, True)
    assert host.ask("redundancy.state")["cluster"] == ["keepalived"]
    values = host.ask("watching.agents")
    assert (values["monitoring"], values["intrusion"]) == (["node_exporter"], ["falco"])
    host.put("/etc/apt/sources.list", "deb [trusted=yes] http://u:p@mirror/debian x main\n")
    values = host.ask("software.sources")
    assert (values["unchecked"], values["clear_text"], values["signatures_checked"]) == (1, 1, False)
    assert masked_url("deb http://u:p@mirror/d x") == "deb http://***@mirror/d x"
    host.put("/proc/loadavg", "0.1 0.2 4.0 1/2 3\n")
    host.put("/proc/meminfo", "MemTotal: 100 kB\nMemAvailable: 25 kB\n")
    host.put("/proc/uptime", "172800.5 1\n")
    values = host.ask("load.state")
    assert (values["memory_percent"], values["uptime_days"]) == (75, 2)


def test_the_kernels_answer() -> None:
    def message(kind: int, body: bytes) -> bytes:
        return struct.pack("=IHHII", 16 + len(body), kind, 0, 1, 0) + body

    status = message(1000, struct.pack("=8I", 0, 2, 1, 4711, 0, 8192, 3, 0))
    assert parse_status(status) == AuditStatus(2, 1, 4711, 8192, 3, 0)
    assert parse_status(message(2, struct.pack("=i", 0))) is None
    assert parse_status(status[:20]) is None
    with pytest.raises(PermissionError):
        parse_status(message(2, struct.pack("=i", -1)))
