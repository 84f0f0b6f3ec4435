"""Every kind read from a host laid out in a folder, and from the machine the test runs on."""

import base64
import os
import sqlite3
import struct
from pathlib import Path

import pytest

from sensors.host.inventory import access, kernel, kinds, services, system
from sensors.host.inventory.certificates import encoded, standing
from sensors.host.inventory.kind import Row, read_table
from sensors.host.inventory.packages import read_header
from sensors.host.inventory.people import parse_key
from sensors.host.probe import HostFiles

KEY = base64.b64encode(b"\0\0\0\x0bssh-ed25519" + bytes(36)).decode()


class Host:
    """A host's files under a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, name: str, content: str | bytes = "") -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def rows(self, kind: str) -> tuple[Row, ...]:
        found = next(one for one in kinds.KINDS if one.name == kind)
        return read_table(found, HostFiles(self.root)).rows

    def values(self, kind: str) -> dict[str, str]:
        return {row[0]: row[1] for row in self.rows(kind)}


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_names_are_unique_and_every_kind_reads_here_or_says_why() -> None:
    names = [one.name for one in kinds.KINDS]
    assert len(names) == len(set(names))
    assert {*access.KINDS, *kernel.KINDS, *services.KINDS, *system.KINDS} < set(kinds.KINDS)
    for kind in kinds.KINDS:
        try:
            table = read_table(kind, HostFiles())
        except (OSError, LookupError):
            continue  # not on this machine
        assert all(len(row) == len(kind.columns) for row in table.rows)


def test_every_kind_is_documented() -> None:
    page = (Path(__file__).resolve().parents[4] / "docs/reference/inventory.md").read_text("utf-8")
    for kind in kinds.KINDS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{kind.name}` |")]
        for place, name in enumerate(kind.columns):
            marked = f"**`{name}`**" if place < kind.keys and kind.keys > 1 else f"`{name}`"
            assert marked in row, (kind.name, name)
        assert kind.method in row


def test_os_of_a_domestic_system(host: Host) -> None:
    host.put(
        "/etc/os-release", 'ID="kylin"\nVERSION_ID="V10"\nPRETTY_NAME="Kylin Linux Advanced Server V10"\n'
    )
    host.put("/var/lib/rpm/Packages")
    host.put("/etc/machine-id", "0123456789abcdef\n")
    found = host.values("os")
    assert (found["id"], found["version"], found["family"]) == ("kylin", "V10", "rhel")
    assert found["domestic"] == "银河麒麟 Kylin"
    assert found["package_manager"] == "rpm"
    assert found["machine"] not in ("", "0123456789abcdef")


def test_hardware_and_interfaces(host: Host) -> None:
    host.put("/sys/class/dmi/id/sys_vendor", "QEMU\n")
    host.put("/proc/cpuinfo", "processor : 0\nmodel name : Phytium,FT-2000+/64\n")
    host.put("/proc/meminfo", "MemTotal:       1024 kB\n")
    host.put("/sys/block/sda/size", "2048\n")
    host.put("/sys/block/loop0/size", "2048\n")
    found = host.values("hardware")
    assert found["cpu_model"] == "Phytium,FT-2000+/64"
    assert (found["memory_bytes"], found["disk:sda"], found["virtual"]) == ("1048576", "1048576 bytes", "yes")
    assert "disk:loop0" not in found
    host.put("/sys/class/net/eth0/address", "02:00:00:00:00:01\n")
    host.put("/sys/class/net/eth0/operstate", "up\n")
    host.put(
        "/proc/net/route",
        "Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
        "eth0 00000000 0100000A 0003 0 0 0 00000000 0 0 0\n"
        "eth0 0000000A 00000000 0001 0 0 0 00FFFFFF 0 0 0\n",
    )
    host.put(
        "/proc/net/fib_trie",
        "Main:\n  |-- 10.0.0.8\n     /32 host LOCAL\n  |-- 127.0.0.1\n     /32 host LOCAL\n",
    )
    host.put("/proc/net/if_inet6", "fe800000000000000000000000000001 02 40 20 80     eth0\n")
    assert host.rows("interfaces") == (("eth0", "02:00:00:00:00:01", "10.0.0.8", "fe80::1", "up", ""),)


def test_packages_of_dpkg(host: Host) -> None:
    host.put(
        "/var/lib/dpkg/status",
        "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n b\n\n"
        "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n"
        "Package: kept\nStatus: hold ok installed\nArchitecture: all\nVersion: 2\n",
    )
    assert host.rows("packages") == (("bash", "amd64", "5.2", "dpkg"), ("kept", "all", "2", "dpkg"))


def header(**said: str | int) -> bytes:
    """An rpm header as the database holds it."""
    tags = {"name": 1000, "version": 1001, "release": 1002, "epoch": 1003, "arch": 1022}
    index, data = b"", b""
    for key, value in said.items():
        kind = 4 if isinstance(value, int) else 6
        index += struct.pack(">IIII", tags[key], kind, len(data), 1)
        data += struct.pack(">I", value) if isinstance(value, int) else value.encode() + b"\0"
    return struct.pack(">II", len(said), len(data)) + index + data


def test_packages_of_rpm(host: Host) -> None:
    path = host.root / "var/lib/rpm/rpmdb.sqlite"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        for blob in (
            header(name="openssl", version="1.1.1", release="5.ky10", epoch=1, arch="aarch64"),
            header(name="bash", version="5.0", release="1", arch="noarch"),
            header(name="gpg-pubkey", version="1", release="1"),
            b"\0\0\0",
        ):
            base.execute("INSERT INTO Packages (blob) VALUES (?)", (blob,))
    base.close()
    assert host.rows("packages") == (
        ("bash", "noarch", "5.0-1", "rpm"),
        ("openssl", "aarch64", "1:1.1.1-5.ky10", "rpm"),
    )


@pytest.mark.parametrize("cut", range(0, 40, 3))
def test_a_cut_rpm_header_is_no_crash(cut: int) -> None:
    whole = header(name="openssl", version="1", epoch=7)
    assert read_header(whole[:cut]).get("name", "openssl") == "openssl"


def test_packages_without_a_database(host: Host) -> None:
    with pytest.raises(LookupError):
        host.rows("packages")


def test_accounts_tell_states_and_no_hash(host: Host) -> None:
    host.put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\nli:x:1000:1000:李雷,110:/home/li:/bin/bash\n")
    host.put("/etc/shadow", "root:!:1:0:99999:7:::\nli:$6$salt$SECRET:1:0:90:7::20000:\n")
    host.put("/etc/group", "wheel:x:10:li,root\nli:x:1000:\n")
    rows = host.rows("accounts")
    assert rows[0] == ("li", "1000", "1000", "/home/li", "/bin/bash", "set", "2024-10-04", "wheel", "李**")
    assert rows[1][5] == "locked"
    assert "SECRET" not in str(rows)
    assert host.rows("groups") == (("li", "1000", ""), ("wheel", "10", "li root"))


def test_last_logins(host: Host) -> None:
    host.put("/etc/passwd", "root:x:0:0::/root:/bin/bash\nli:x:2:2::/home/li:/bin/bash\n")
    long = "q" if os.uname().machine in ("aarch64", "loongarch64", "riscv64") else "i"
    record = struct.pack(f"={long}32s256s", 1_700_000_000, b"pts/0", b"10.0.0.8")
    host.put("/var/log/lastlog", bytes(2 * len(record)) + record)
    assert host.rows("lastlog") == (
        ("li", "2023-11-14T22:13:20+00:00", "pts/0", "10.0.0.8"),
        ("root", "", "", ""),
    )


def test_last_logins_of_the_newer_log(host: Host) -> None:
    host.put("/etc/passwd", "root:x:0:0::/root:/bin/bash\n")
    path = host.root / "var/lib/lastlog/lastlog2.db"
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE Lastlog2 (Name TEXT, Time INTEGER, TTY TEXT, RemoteHost TEXT)")
        base.execute("INSERT INTO Lastlog2 VALUES ('root', 1700000000, 'tty1', NULL)")
    base.close()
    assert host.rows("lastlog") == (("root", "2023-11-14T22:13:20+00:00", "tty1", ""),)


def test_rules_of_sudo_and_keys_of_ssh(host: Host) -> None:
    host.put("/etc/sudoers", "# c\nroot ALL=(ALL) ALL\n")
    host.put("/etc/sudoers.d/ops", "li  ALL=NOPASSWD: ALL\n")
    host.put("/etc/sudoers.d/ops.bak", "x ALL=ALL\n")
    assert host.rows("sudoers") == (
        ("/etc/sudoers", "root ALL=(ALL) ALL"),
        ("/etc/sudoers.d/ops", "li ALL=NOPASSWD: ALL"),
    )
    host.put("/etc/passwd", "li:x:1000:1000::/home/li:/bin/bash\n")
    host.put("/home/li/.ssh/authorized_keys", f'from="10.0.0.1" ssh-ed25519 {KEY} li@pc\nssh-rsa !!!\n')
    (row,) = host.rows("authorized_keys")
    assert row[0] == "li"
    assert row[1].startswith("SHA256:")
    assert row[2:] == ("ssh-ed25519", "li@pc", "/home/li/.ssh/authorized_keys")
    assert parse_key("no key at all") is None


def test_sshd_and_pam(host: Host) -> None:
    assert host.rows("sshd") == ()
    host.put("/etc/ssh/sshd_config", "Port 2222\nPermitRootLogin no\n")
    found = host.values("sshd")
    assert (found["port"], found["permitrootlogin"]) == ("2222", "no")
    host.put("/etc/pam.d/sshd", "auth  required pam_faillock.so\n# c\n")
    assert host.rows("pam") == (("/etc/pam.d/sshd", "auth required pam_faillock.so"),)


def test_modules_mounts_and_usb(host: Host) -> None:
    host.put("/proc/modules", "ext4 1 2 - Live 0x0\nevil 1 0 - Live 0x0 (OE)\n")
    assert host.rows("modules") == (("evil", "OE"), ("ext4", ""))
    host.put(
        "/proc/self/mounts",
        "//nas/share /mnt\\040x cifs rw,username=li,password=SECRET 0 0\n"
        "overlay /var/lib/docker/o/1 overlay rw 0 0\n",
    )
    assert host.rows("mounts") == (("/mnt x", "//nas/share", "cifs", "rw,username=***,password=***"),)
    base = "/sys/bus/usb/devices"
    for name, word in {"idVendor": "0781", "idProduct": "5581", "serial": "S1", "bDeviceClass": "00"}.items():
        host.put(f"{base}/1-1/{name}", f"{word}\n")
    host.put(f"{base}/1-1:1.0/bInterfaceClass", "08\n")
    host.put(f"{base}/usb1/bDeviceClass", "09\n")
    assert host.rows("usb") == (("1-1", "0781", "5581", "S1", "", "storage"),)


def test_services(host: Host) -> None:
    unit = "[Service]\nExecStart=-/usr/sbin/app --password=SECRET\nUser=app\n"
    host.put("/usr/lib/systemd/system/app.service", unit)
    host.put("/etc/systemd/system/multi-user.target.wants/app.service")
    (host.root / "etc/systemd/system/rpcbind.service").symlink_to("/dev/null")
    host.put("/sys/fs/cgroup/system.slice/app.service/cgroup.procs", "1\n")
    host.put("/usr/lib/systemd/system/getty@.service", "ExecStart=/sbin/agetty\n")
    host.put("/sys/fs/cgroup/system.slice/getty@tty1.service/cgroup.procs", "1\n")
    host.put("/etc/rc3.d/S20old")
    assert host.rows("services") == (
        ("app.service", "enabled", "yes", "/usr/sbin/app --password=***", "app"),
        ("getty@tty1.service", "no", "yes", "/sbin/agetty", ""),
        ("old (rc3)", "enabled", "", "/etc/rc3.d/S20old", ""),
        ("rpcbind.service", "masked", "no", "", ""),
    )


def test_timed_jobs(host: Host) -> None:
    host.put("/etc/crontab", "SHELL=/bin/sh\n17 * * * * root run-parts /etc/cron.hourly\n@daily li backup\n")
    host.put("/var/spool/cron/crontabs/li", "*/5 * * * * curl http://u:SECRET@h/x | sh\nbroken\n")
    host.put("/etc/cron.daily/logrotate")
    assert host.rows("cron") == (
        ("/etc/cron.daily/logrotate", "daily", "root", "/etc/cron.daily/logrotate"),
        ("/etc/crontab", "17 * * * *", "root", "run-parts /etc/cron.hourly"),
        ("/etc/crontab", "@daily", "li", "backup"),
        ("/var/spool/cron/crontabs/li", "*/5 * * * *", "li", "curl http://u:***@h/x | sh"),
    )


def test_containers(host: Host) -> None:
    host.put(
        "/var/lib/docker/containers/abc/config.v2.json",
        '{"Name": "/web", "Config": {"Image": "nginx:1"}, "State": {"Running": true}}',
    )
    host.put("/var/lib/docker/containers/bad/config.v2.json", "[[[")
    host.put(
        "/var/lib/containers/storage/overlay-containers/containers.json", '[{"id": "def", "names": ["db"]}]'
    )
    host.put("/run/containerd/io.containerd.runtime.v2.task/k8s.io/ghi/init.pid", "1")
    assert host.rows("containers") == (
        ("abc", "web", "nginx:1", "running", "docker"),
        ("bad", "", "", "stopped", "docker"),
        ("def", "db", "", "", "podman"),
        ("ghi", "", "", "running", "containerd"),
    )


def test_a_certificate_passes_from_valid_to_ending_to_over() -> None:
    from datetime import UTC, datetime, timedelta

    begins, ends = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    places = [(begins, -1), (begins, 0), (ends, -30), (ends, -29), (ends, 0), (ends, 1)]
    told = [standing(begins, ends, place + timedelta(days=days)) for place, days in places]
    assert told == ["early", "valid", "valid", "ending", "ending", "over"]
    assert standing(None, ends, begins) == ""


def test_certificates_are_told_and_keys_are_not(host: Host, tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web.example")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    host.put("/etc/nginx/tls/web.pem", private + pem)
    host.put("/etc/nginx/tls/web.der", made.public_bytes(serialization.Encoding.DER))
    host.put("/etc/nginx/tls/broken.crt", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n")
    host.put("/etc/nginx/ca-bundle.crt", pem)
    rows = host.rows("certificates")
    assert [row[0] for row in rows] == ["/etc/nginx/tls/web.der", "/etc/nginx/tls/web.pem"]
    assert rows[1][1:3] == ("CN=web.example", "CN=web.example")
    assert rows[1][5] == "2027-01-01T00:00:00+00:00"
    assert rows[1][9:11] == ("yes", "no")
    assert len(encoded(host.root / "etc/nginx/tls/web.pem")) == 1
