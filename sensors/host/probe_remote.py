"""Remote access probes: ways in beside ssh, where one may come from, second factors, ways out."""

from typing import Final

from sensors.event import Value
from sensors.host.listeners import scan, scope
from sensors.host.pam import module_lines
from sensors.host.probe import HostFiles, Probe, Reading, raw_of
from sensors.host.probe_access import read_sshd
from sensors.host.tables import table

_CLEAR_PORTS: Final = {
    21: "ftp",
    23: "telnet",
    69: "tftp",
    512: "rexec",
    513: "rlogin",
    514: "rsh",
    873: "rsync",
}
_SCREEN_PORTS: Final = {3389: "rdp", 5900: "vnc", 5901: "vnc", 6000: "x11"}
_SECOND: Final = (
    "pam_google_authenticator.so",
    "pam_oath.so",
    "pam_u2f.so",
    "pam_pkcs11.so",
    "pam_p11.so",
    "pam_yubico.so",
    "pam_radius_auth.so",
    "pam_duo.so",
    "pam_fprintd.so",
    "pam_biometric.so",
    "pam_deepin_authentication.so",
    "pam_gmukey.so",
)
_CRYPTOGRAPHIC: Final = ("pam_u2f.so", "pam_pkcs11.so", "pam_p11.so", "pam_yubico.so", "pam_gmukey.so")
_WIRELESS: Final = ("wl", "ww", "wwan", "ppp", "usb", "rndis")
_TUNNELS: Final = ("tun", "wg", "ppp", "zt", "tailscale")


def management(files: HostFiles) -> Reading:
    """Clear-text and screen-sharing services that listen, and remote control programs that run."""
    if not files.exists("/proc/net/tcp"):
        raise FileNotFoundError("/proc/net/tcp")
    open_ports = {
        one.endpoint.port
        for one in scan({}, files.path("/proc")).values()
        if scope(one.endpoint.address) != "loopback"
    }
    clear = sorted({name for port, name in _CLEAR_PORTS.items() if port in open_ports})
    screen = sorted({name for port, name in _SCREEN_PORTS.items() if port in open_ports})
    facts = table("host_products")["remote_control"]
    running = files.running(facts["processes"])
    left = [folder for folder in facts["folders"] if files.exists(folder)]
    values: dict[str, Value] = {
        "clear_text": [*clear],
        "screen_sharing": [*screen],
        "remote_tools": [*running],
        "installed_tools": [*left],
        "ssh_running": bool(files.running(("sshd",))),
        "only_secure": not clear and not running,
    }
    return Reading(
        values, raw_of(("listening", [*clear, *screen]), ("processes", running), ("folders", left))
    )


def sources_allowed(files: HostFiles) -> Reading:
    """Limits on where administrators may come from: hosts.allow, sshd's users, pam_access, a port rule."""
    allow = [
        line for line in files.lines("/etc/hosts.allow") if line.split(":")[0].strip() in ("sshd", "ALL")
    ]
    deny = [line for line in files.lines("/etc/hosts.deny") if line.split(":")[0].strip() in ("sshd", "ALL")]
    ssh = read_sshd(files)
    users = ssh.values["allowusers"].split() if ssh else []
    bound = [user for user in users if "@" in user]
    addresses = ssh.addresses if ssh else []
    own = [one for one in addresses if one.split(":")[0] not in ("0.0.0.0", "*", "[", "")]  # noqa: S104
    try:
        modules = {line.module for line in module_lines(files)}
    except FileNotFoundError:
        modules = set()
    access = files.lines("/etc/security/access.conf") if "pam_access.so" in modules else []
    rules = [
        line
        for name in ("/etc/nftables.conf", "/etc/sysconfig/iptables", "/etc/iptables/rules.v4")
        for line in files.lines(name)
        if "22" in line.split() and ("saddr" in line or "-s " in line)
    ]
    zones = [
        line
        for name in files.names("/etc/firewalld/zones", ".xml")
        for line in files.lines(name)
        if "<source " in line
    ]
    ways = {
        "hosts.allow": bool(allow and deny),
        "sshd users": bool(bound),
        "sshd address": bool(own),
        "pam_access": bool(access),
        "packet filter": bool(rules or zones),
    }
    values: dict[str, Value] = {
        "ways": [name for name, used in ways.items() if used],
        "restricted": any(ways.values()),
        "ssh_installed": ssh is not None,
    }
    return Reading(values, raw_of(("hosts.allow", allow), ("AllowUsers", bound), ("rules", [*rules, *zones])))


def second_factor(files: HostFiles) -> Reading:
    """PAM modules that ask for a second factor, and sshd's AuthenticationMethods."""
    stack = [line for line in module_lines(files) if line.kind == "auth" and line.module in _SECOND]
    ssh = read_sshd(files)
    methods = [line for line in ssh.lines if line.lower().startswith("authenticationmethods")] if ssh else []
    several = any("," in word for line in methods for word in line.split()[1:])
    found = sorted({line.module.removesuffix(".so") for line in stack})
    values: dict[str, Value] = {
        "modules": [*found],
        "cryptographic": any(line.module in _CRYPTOGRAPHIC for line in stack)
        or "publickey" in " ".join(methods),
        "ssh_several_methods": several,
        "second_factor": bool(stack) or several,
    }
    return Reading(
        values, raw_of(("/etc/pam.d auth", [line.text for line in stack]), ("sshd_config", methods))
    )


def ways_out(files: HostFiles) -> Reading:
    """Default routes, wireless and tunnel interfaces, configured proxies: what a forbidden way out needs."""
    routes: set[str] = set()
    for line in files.lines("/proc/net/route")[1:]:
        words = line.split()
        if len(words) > 7 and words[1] == "00000000" and words[7] == "00000000":
            routes.add(words[0])
    folder = files.path("/sys/class/net")
    names = sorted(one.name for one in folder.iterdir()) if folder.exists() else []
    up = [name for name in names if _up(files, name)]
    wireless = [
        name for name in up if name.startswith(_WIRELESS) or files.exists(f"/sys/class/net/{name}/wireless")
    ]
    tunnels = [name for name in up if name.startswith(_TUNNELS)]
    files_read = [
        "/etc/environment",
        "/etc/profile",
        *files.names("/etc/profile.d", ".sh"),
        "/etc/apt/apt.conf",
    ]
    proxies = [
        line.partition("=")[0].removeprefix("export ").strip()
        for name in files_read
        for line in files.lines(name)
        if "proxy" in line.partition("=")[0].lower() and "=" in line
    ]
    values: dict[str, Value] = {
        "default_routes": len(routes),
        "default_interfaces": [*sorted(routes)],
        "wireless": [*wireless],
        "tunnels": [*tunnels],
        "proxies": [*sorted(set(proxies))],
        "forwarding": files.text_or_empty("/proc/sys/net/ipv4/ip_forward").strip() == "1",
        "suspicious": len(routes) > 1 or bool(wireless),
    }
    return Reading(values, raw_of(("default routes", sorted(routes)), ("interfaces up", up)))


def _up(files: HostFiles, name: str) -> bool:
    try:
        return (
            files.text_or_empty(f"/sys/class/net/{name}/operstate").strip() in ("up", "unknown")
            and name != "lo"
        )
    except OSError:
        return False


PROBES: Final = (
    Probe("remote.management", "/proc/net, process list, file", management),
    Probe("access.sources", "file", sources_allowed),
    Probe("authentication.factors", "file", second_factor),
    Probe("network.exits", "/proc/net, /sys/class/net, file", ways_out),
)
