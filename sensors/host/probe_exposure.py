"""Exposure probes: what listens, and whether a packet filter stands before it."""

import shutil
import subprocess
from typing import Final

from sensors.event import Value
from sensors.host.listeners import scan, scope
from sensors.host.probe import HostFiles, Probe, Reading, raw_of
from sensors.host.tables import table

_TOOL_SECONDS: Final = 5.0
_TOOL_BYTES_MAX: Final = 1024 * 1024
_SERVICES: Final = ("firewalld", "ufw", "nftables")


def listeners(files: HostFiles) -> Reading:
    """Listening sockets from /proc/net with their owners."""
    if not files.exists("/proc/net/tcp"):
        raise FileNotFoundError("/proc/net/tcp")
    found = sorted(scan({}, files.path("/proc")).values())
    exposed = [one for one in found if scope(one.endpoint.address) != "loopback"]
    lines = []
    for one in found:
        owner = one.process.executable if one.process else "?"
        lines.append(f"{one.endpoint.transport} {one.endpoint.address}:{one.endpoint.port} {owner}")
    risky = {one.endpoint.port for one in exposed} & set(table("high_risk_ports")["ports"])
    names = {f"{one.endpoint.transport}/{one.endpoint.port}" for one in exposed}
    values: dict[str, Value] = {
        "listeners": len(found),
        "exposed": [*sorted(names)],
        "exposed_count": len(names),
        "loopback_count": len(found) - len(exposed),
        "high_risk_ports": [*sorted(risky)],
        "unowned": len([one for one in exposed if one.process is None]),
    }
    return Reading(values, raw_of(("/proc/net", lines)))


def firewall(files: HostFiles) -> Reading:
    """Rules by nft or iptables-save where installed, and the services that manage them."""
    services = [name for name in _SERVICES if files.running((name,))]
    if any("ENABLED=yes" in line for line in files.lines("/etc/ufw/ufw.conf")):
        services.append("ufw.conf")
    tool, text = "none", ""
    for command in (("nft", "list", "ruleset"), ("iptables-save",)):
        if shutil.which(command[0]) is not None:
            tool, text = command[0], _output(command)
            if text.strip():
                break
    rules, policy = count_rules(tool, text)
    values: dict[str, Value] = {
        "tool": tool,
        "services": list(services),
        "rules": rules,
        "input_policy": policy,
        "active": rules > 0 or policy == "drop" or bool(services),
    }
    return Reading(values, raw_of((tool, text.splitlines()), ("services", services)))


def count_rules(tool: str, text: str) -> tuple[int, str]:
    """(rules, policy of the input chain: accept, drop or unknown) of nft's or iptables-save's output."""
    rules, policy = 0, "unknown"
    for line in text.splitlines():
        stripped = line.strip()
        if tool == "iptables-save":
            if stripped.startswith("-A "):
                rules += 1
            elif stripped.startswith(":INPUT "):
                policy = "drop" if stripped.split()[1] in ("DROP", "REJECT") else "accept"
        elif "hook input" in stripped and "policy " in stripped:
            policy = stripped.partition("policy ")[2].rstrip("; ").split(";")[0].strip()
        elif stripped and not stripped.startswith(
            ("table ", "chain ", "type ", "}", "set ", "elements", "#")
        ):
            rules += 1
    return rules, policy


def _output(command: tuple[str, ...]) -> str:
    """A read-only tool's output. Raises OSError where it refuses, for example without rights."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_TOOL_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{command[0]} did not answer in {_TOOL_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise OSError(f"{command[0]}: {done.stderr[:200].decode('utf-8', 'replace').strip()}")
    return done.stdout[:_TOOL_BYTES_MAX].decode("utf-8", "replace")


PROBES: Final = (
    Probe("listeners.inventory", "/proc/net", listeners),
    Probe("firewall.state", "nft, iptables-save, process list", firewall),
)
