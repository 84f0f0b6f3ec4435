"""Writes the samples of the rules on the inventory and on first starts: tables that differ, through the
sensor's own comparison and events. Run from the project's root:
``python tests/sensors/host/make_inventory_samples.py``. The output is the same on every run.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from msgspec.structs import replace  # noqa: E402

from sensors.event import Observation, encode, stamp  # noqa: E402
from sensors.host import executables, observe  # noqa: E402
from sensors.host.inventory.event import describe_changes  # noqa: E402
from sensors.host.inventory.kind import Row, changes  # noqa: E402
from sensors.host.inventory.kinds import KINDS  # noqa: E402

FOLDER = ROOT / "rules/samples/linux"
BENIGN = ROOT / "rules/samples/benign/inventory.ndjson"
TIME = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
Samples = dict[str, tuple[list[Observation], list[Observation]]]  # rule -> it must match, it must not


def differ(name: str, before: list[Row], after: list[Row], *, while_down: bool = False) -> list[Observation]:
    """What is told where a kind's table ``before`` became ``after``."""
    kind = next(one for one in KINDS if one.name == name)
    return describe_changes(kind, changes(before, after, kind.keys), while_down=while_down)


def account(name: str, uid: str, groups: str, shell: str = "/bin/bash") -> Row:
    return (name, uid, uid, f"/home/{name}", shell, "set", "", groups, "")


def accounts() -> tuple[list[Observation], list[Observation]]:
    plain, admin = account("zhang", "1001", "docs"), account("zhang", "1001", "docs wheel")
    return (
        differ("accounts", [], [admin], while_down=True)
        + differ("accounts", [plain], [admin])
        + differ("accounts", [], [account("toor", "0", "")]),
        differ("accounts", [], [plain, account("wheelhouse", "1002", "wheelers")])
        + differ("accounts", [admin], [account("zhang", "1001", "docs wheel", "/bin/zsh")])
        + differ("accounts", [admin], [plain])
        + differ("accounts", [admin], []),
    )


def keys() -> tuple[list[Observation], list[Observation]]:
    row = ("root", "SHA256:kq0y4o6yQyqC3l2c8m7gq1m3nUe5kqB7o0c2c3r5x1M", "ssh-ed25519", "ops@bastion")
    key = (*row, "/root/.ssh/authorized_keys")
    moved = (*row, "/root/.ssh/authorized_keys2")
    return differ("authorized_keys", [], [key]), differ("authorized_keys", [key], [moved]) + differ(
        "authorized_keys", [key], []
    )


def usb() -> tuple[list[Observation], list[Observation]]:
    stick = ("1-1.2", "0951", "1666", "60A44C413FC2", "DataTraveler 3.0", "storage")
    mouse = ("1-1.3", "046d", "c077", "", "USB Optical Mouse", "input")
    return differ("usb", [], [stick]), differ("usb", [stick], []) + differ("usb", [], [mouse])


def modules() -> tuple[list[Observation], list[Observation]]:
    taints = [("vendor_drv", "OE"), ("hidden", "OE"), ("forced", "F")]
    return (
        differ("modules", [], [*taints]),
        differ("modules", [], [("xt_nat", ""), ("firmware_only", "P")]) + differ("modules", [*taints], []),
    )


def services() -> tuple[list[Observation], list[Observation]]:
    new = ("sync-agent.service", "enabled", "yes", "/opt/sync/agent --daemon", "root")
    off = ("sync-agent.service", "no", "yes", "/opt/sync/agent --daemon", "root")
    masked = ("telnet.socket", "masked", "no", "", "")
    return (
        differ("services", [], [new]),
        differ("services", [new], [off])
        + differ("services", [], [off, masked])
        + differ("services", [new], []),
    )


def cron() -> tuple[list[Observation], list[Observation]]:
    job = ("/etc/cron.d/backup", "*/5 * * * *", "root", "/usr/local/bin/pull.sh")
    return differ("cron", [], [job]), differ("cron", [job], [])


def certificates() -> tuple[list[Observation], list[Observation]]:
    def shown(standing: str, ends: str, ca: str = "no") -> Row:
        head = ("/etc/nginx/tls/portal.pem", "CN=portal.example.gov.cn", "CN=Example CA", "0a11")
        middle = ("2025-12-10T00:00:00+00:00", ends, "EC 256", "ecdsa-with-SHA256", "3f" * 32, "no")
        return (*head, *middle, ca, standing)

    near, far = "2026-12-10T00:00:00+00:00", "2027-12-10T00:00:00+00:00"
    return (
        differ("certificates", [shown("valid", near)], [shown("ending", near)])
        + differ("certificates", [shown("ending", near)], [shown("over", near)])
        + differ("certificates", [], [shown("over", near)]),
        differ("certificates", [shown("ending", near)], [shown("valid", far)])
        + differ("certificates", [shown("over", near)], [])
        + differ("certificates", [], [shown("over", near, "yes")]),
    )


def first(path: str, mode: int) -> Observation:
    """executable.seen of a file of root."""
    found = os.stat_result((0o100000 | mode, 1, 1, 1, 0, 0, 35_000, 0, 0, 0))
    return executables.describe(path, found, executables.Digests("ab" * 32, "cd" * 32))


def started() -> Samples:
    return {
        "executable_setuid_unusual": (
            [first("/opt/tool/run", 0o4755), first("/home/zhang/.cache/x", 0o2755)],
            [first("/usr/bin/passwd", 0o4755), first("/opt/tool/run", 0o755), first("/tmp/a", 0o1777)],
        ),
        "executable_anybody_writes": (
            [first("/opt/app/start.sh", 0o777), first("/srv/bin/job", 0o776)],
            [
                first("/opt/app/start.sh", 0o775),
                first("/usr/bin/passwd", 0o4755),
                first("/var/lib/docker/overlay2/1/merged/bin/x", 0o777),
            ],
        ),
    }


def samples() -> Samples:
    return {
        "inventory_account_privileged": accounts(),
        "inventory_login_key_added": keys(),
        "inventory_usb_storage": usb(),
        "inventory_module_taints": modules(),
        "inventory_service_added": services(),
        "inventory_cron_added": cron(),
        "inventory_certificate_ends": certificates(),
        **started(),
    }


def ordinary() -> list[Observation]:
    """A day of a host that is looked after: nothing of it is worth an alert."""
    old, new = ("openssl", "amd64", "3.0.17-1", "dpkg"), ("openssl", "amd64", "3.0.18-1", "dpkg")
    plain = account("zhang", "1001", "docs")
    unit = ("nginx.service", "enabled", "no", "/usr/sbin/nginx", "")
    return [
        *differ("packages", [old], [new]),
        *differ("packages", [], [("libssl3", "amd64", "3.0.18-1", "dpkg")], while_down=True),
        *differ("accounts", [plain], [account("zhang", "1001", "docs audio")]),
        *differ("sysctl", [("net.ipv4.ip_forward", "1")], [("net.ipv4.ip_forward", "0")]),
        *differ("services", [unit], [(*unit[:2], "yes", *unit[3:])]),
        *differ("modules", [], [("nf_tables", "")]),
        *differ("mounts", [], [("/data", "/dev/vdb1", "ext4", "rw,nosuid")]),
        *certificates()[1],
        first("/usr/bin/openssl", 0o755),
        first("/usr/bin/su", 0o4755),
        first("/opt/app/bin/server", 0o750),
    ]


def write(path: Path, seen: list[Observation]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    for number, one in enumerate(seen, 1):
        event = stamp(replace(one, time=TIME), unit="510100", sensor="web-01", epoch=1, sequence=number)
        lines.append(encode(event) + b"\n")
    path.write_bytes(b"".join(lines))


def main() -> None:
    observe.host_name = lambda: "web-01"  # type: ignore[assignment]
    write(BENIGN, ordinary())
    for rule, (hits, misses) in samples().items():
        write(FOLDER / rule / "hit.ndjson", hits)
        write(FOLDER / rule / "miss.ndjson", misses)


if __name__ == "__main__":
    main()
