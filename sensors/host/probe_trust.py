"""Trust probes: measured start, mandatory access control, encryption and integrity of what is stored."""

from typing import Final

from sensors.event import Value
from sensors.host.distribution import read_distribution
from sensors.host.inventory.system import security_module
from sensors.host.probe import HostFiles, Probe, Reading, raw_of

_SECURE_BOOT: Final = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
_MEASURED: Final = "/sys/kernel/security/ima/runtime_measurements_count"
_POLICIES: Final = ("/etc/crypto-policies/config", "/etc/crypto-policies/state/current")
_INTEGRITY: Final = ("aide", "tripwire", "samhain")
_OPENSSL: Final = ("/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf")


def trusted_start(files: HostFiles) -> Reading:
    """TPM or TCM, secure boot, IMA measurements, and whether they are sent on as audit records."""
    folder = files.path("/sys/class/tpm")
    chips = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    chips += [name for name in ("tcm0", "tcm1") if files.exists(f"/dev/{name}")]
    secure = _secure_boot(files)
    try:
        measured = int(files.text_or_empty(_MEASURED).strip() or 0)
    except (PermissionError, ValueError):
        measured = 0
    command = files.text_or_empty("/proc/cmdline").split()
    ima = [word for word in command if word.startswith(("ima", "evm", "lockdown"))]
    values: dict[str, Value] = {
        "chip": bool(chips),
        "chips": [*chips],
        "secure_boot": secure,
        "measurements": measured,
        "appraisal": any(word.startswith("ima_appraise=enforce") for word in ima),
        "audited": any("ima_policy" in word or word.startswith("ima_audit") for word in ima),
        "trusted": bool(chips) and (secure == "on" or measured > 1),
    }
    return Reading(values, raw_of(("chips", chips), ("kernel command line", ima)))


def _secure_boot(files: HostFiles) -> str:
    """``on``, ``off``, or ``absent`` where the firmware is none or has no such word."""
    path = files.path(_SECURE_BOOT)
    if not path.exists():
        return "absent"
    data = path.read_bytes()[:8]  # four bytes of attributes, then the value
    return "on" if data[4:5] == b"\1" else "off"


def labels(files: HostFiles) -> Reading:
    """The mandatory access control at work: SELinux, AppArmor, or what a domestic system brings."""
    module = security_module(files)
    facts = read_distribution(files)
    own: list[str] = []
    for name, enforcing in facts.facts.get("mandatory", {}).items():
        try:
            if files.text_or_empty(name).strip().lower() in enforcing:
                own.append(name)
        except OSError:
            continue
    selinux = {
        key: value
        for key, _, value in (line.partition("=") for line in files.lines("/etc/selinux/config"))
        if key in ("SELINUX", "SELINUXTYPE")
    }
    values: dict[str, Value] = {
        "module": module or "none",
        "enforcing": module == "selinux:enforcing" or bool(own),
        "configured": selinux.get("SELINUX", "").lower(),
        "policy": selinux.get("SELINUXTYPE", "").lower(),
        "multilevel": selinux.get("SELINUXTYPE", "").lower() == "mls",
        "domestic": facts.domestic,
    }
    return Reading(values, raw_of(("security module", [module or "none"]), ("domestic", own)))


def stored_secrets(files: HostFiles) -> Reading:
    """Encrypted block devices, system-wide cryptographic policy, weak protocol floors."""
    folder = files.path("/sys/block")
    disks = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    mapped = {name: files.text_or_empty(f"/sys/block/{name}/dm/uuid").strip() for name in disks}
    encrypted = [name for name, uuid in mapped.items() if uuid.startswith("CRYPT-")]
    policy = next((text for name in _POLICIES if (text := " ".join(files.lines(name)))), "")
    floor = [
        line
        for name in _OPENSSL
        for line in files.lines(name)
        if line.startswith(("MinProtocol", "CipherString"))
    ]
    swaps = [line.split()[0] for line in files.lines("/proc/swaps")[1:]]
    values: dict[str, Value] = {
        "encrypted_devices": [*encrypted],
        "encrypted": bool(encrypted),
        "policy": policy or "none",
        "legacy_policy": "LEGACY" in policy.upper(),
        "openssl_floor": [*floor],
        "swap_encrypted": bool(swaps) and all("dm-" in name or "crypt" in name for name in swaps),
        "swaps": [*swaps],
    }
    return Reading(
        values, raw_of(("device mapper", [f"{n} {u}" for n, u in mapped.items() if u]), ("openssl", floor))
    )


def stored_integrity(files: HostFiles) -> Reading:
    """Tools that watch files for change, verified devices, file system checks by fs-verity's kin."""
    tools = [name for name in _INTEGRITY if files.installed(name)]
    bases = [
        name
        for name in (
            "/var/lib/aide/aide.db",
            "/var/lib/aide/aide.db.gz",
            "/var/lib/tripwire",
            "/var/lib/samhain",
        )
        if files.exists(name)
    ]
    folder = files.path("/sys/block")
    disks = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    verified = [
        name
        for name in disks
        if files.text_or_empty(f"/sys/block/{name}/dm/uuid").startswith(("CRYPT-VERITY", "CRYPT-INTEGRITY"))
    ]
    values: dict[str, Value] = {
        "tools": [*tools],
        "bases": [*bases],
        "verified_devices": [*verified],
        "watched": bool(bases or verified),
    }
    return Reading(values, raw_of(("tools", tools), ("bases", bases), ("devices", verified)))


PROBES: Final = (
    Probe("trusted.start", "/sys, /proc/cmdline, /dev", trusted_start),
    Probe("security.labels", "/sys/fs/selinux, /sys/kernel/security, file", labels),
    Probe("storage.encryption", "/sys/block, /proc/swaps, file", stored_secrets),
    Probe("storage.integrity", "file, /sys/block", stored_integrity),
)
