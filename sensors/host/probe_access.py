"""Access probes: lockout after failures, session timeout, the SSH service."""

from typing import Final

from sensors.event import Value
from sensors.host.pam import module_lines, options
from sensors.host.probe import HostFiles, Probe, Reading, number, raw_of
from sensors.host.sshd_config import SshdConfig, read_config

_LOCKOUT: Final = ("pam_faillock.so", "pam_tally2.so", "pam_tally.so")
_WEAK_CIPHERS: Final = ("3des", "arcfour", "blowfish", "cast128", "-cbc")


def lockout(files: HostFiles) -> Reading:
    """pam_faillock (with faillock.conf) or pam_tally2 in the login stacks."""
    stack = module_lines(files)
    used = [line for line in stack if line.module in _LOCKOUT and line.kind == "auth"]
    settings = options(files.lines("/etc/security/faillock.conf"))
    for line in used:
        settings |= {name: value for name, value in line.arguments.items() if name not in settings or value}
    tally = bool(used) and used[0].module != "pam_faillock.so"
    values: dict[str, Value] = {
        "enabled": bool(used),
        "module": used[0].module.removesuffix(".so") if used else "none",
        # the modules' own defaults: faillock 3 and 600 s, pam_tally2 none
        "deny": number(settings.get("deny", ""), 0 if tally else 3) if used else 0,
        "unlock_seconds": number(settings.get("unlock_time", ""), 0 if tally else 600) if used else 0,
        "root_included": bool(used) and "even_deny_root" in settings,
    }
    shown = [f"{name} = {value}" if value else name for name, value in settings.items()]
    lines = [line.text for line in stack if line.kind == "auth"]
    return Reading(values, raw_of(("/etc/pam.d auth", lines), ("/etc/security/faillock.conf", shown)))


def session_timeout(files: HostFiles) -> Reading:
    """TMOUT of the shells' start files and ClientAlive of sshd."""
    names = ["/etc/profile", "/etc/bash.bashrc", "/etc/bashrc", "/etc/environment"]
    names += files.names("/etc/profile.d", ".sh")
    seconds, readonly, used = 0, False, []
    for name in names:
        for line in files.lines(name):
            if "TMOUT" not in line:
                continue
            used.append(f"{name}: {line}")
            readonly = readonly or line.startswith(("readonly", "declare -r", "typeset -r"))
            value = line.partition("TMOUT=")[2].split(";")[0].split()[:1]
            seconds = number(value[0].strip("\"'"), seconds) if value else seconds
    ssh = read_sshd(files)
    interval = seconds_of(ssh.values["clientaliveinterval"], 0) if ssh else 0
    count = number(ssh.values["clientalivecountmax"], 3) if ssh else 0
    values: dict[str, Value] = {
        "shell_seconds": seconds,
        "shell_readonly": readonly,
        "ssh_installed": ssh is not None,
        "ssh_interval_seconds": interval,
        "ssh_count_max": count,
        "ssh_seconds": interval * count,
    }
    lines = [line for line in ssh.lines if line.lower().startswith("clientalive")] if ssh else []
    return Reading(values, raw_of(("TMOUT", used), ("sshd_config", lines)))


def ssh_service(files: HostFiles) -> Reading:
    """Effective values of sshd_config; only ``state`` and ``installed`` where sshd is not installed."""
    ssh = read_sshd(files)
    if ssh is None:
        return Reading({"state": "absent", "installed": False, "running": False}, "sshd is not installed")
    said = ssh.values
    ciphers = [one for one in said["ciphers"].lstrip("+-^").split(",") if one]
    values: dict[str, Value] = {
        "state": "present",
        "installed": True,
        "running": bool(files.running(("sshd",))),
        "ports": list(ssh.ports),
        "listen_addresses": list(ssh.addresses),
        "permit_root_login": said["permitrootlogin"].lower(),
        "password_authentication": said["passwordauthentication"].lower() == "yes",
        "permit_empty_passwords": said["permitemptypasswords"].lower() == "yes",
        "max_auth_tries": number(said["maxauthtries"], 6),
        "login_grace_seconds": seconds_of(said["logingracetime"], 120),
        "client_alive_interval": seconds_of(said["clientaliveinterval"], 0),
        "client_alive_count_max": number(said["clientalivecountmax"], 3),
        "x11_forwarding": said["x11forwarding"].lower() == "yes",
        "tcp_forwarding": said["allowtcpforwarding"].lower() != "no",
        "use_pam": said["usepam"].lower() == "yes",
        "log_level": said["loglevel"].upper(),
        "restricted_users": bool(said["allowusers"] or said["allowgroups"]),
        "ciphers": list(ciphers),
        "weak_ciphers": [one for one in ciphers if any(weak in one for weak in _WEAK_CIPHERS)],
        "match_blocks": ssh.match_blocks,
    }
    return Reading(values, raw_of(("/etc/ssh/sshd_config (effective)", ssh.lines)))


def seconds_of(text: str, default: int) -> int:
    """sshd's time form: a sum of numbers with s, m, h, d or w, for example 1h30m."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    total, digits = 0, ""
    for letter in text.strip().lower():
        if letter.isascii() and letter.isdecimal() and len(digits) < 9:
            digits += letter
        elif letter in units and digits:
            total, digits = total + int(digits) * units[letter], ""
        else:
            return default
    return total + int(digits) if digits else (total if text.strip() else default)


def read_sshd(files: HostFiles) -> SshdConfig | None:
    """sshd's effective configuration; None where it is not installed."""
    if not files.installed("sshd") and not files.exists("/etc/ssh/sshd_config"):
        return None
    return read_config(files)


PROBES: Final = (
    Probe("pam.lockout", "file", lockout),
    Probe("session.timeout", "file", session_timeout),
    Probe("sshd.config", "file", ssh_service),
)
