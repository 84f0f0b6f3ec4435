"""Inventory of what starts by itself: services, timed jobs, containers, and what listens."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from sensors.host.inventory.kind import Kind
from sensors.host.listeners import scan, scope
from sensors.host.probe import HostFiles
from sensors.host.procfs import mask_secrets, user_name

_UNIT_FOLDERS: Final = (
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
)
_UNITS: Final = (".service", ".socket", ".timer")
_UNITS_MAX: Final = 4_000
_SLICES: Final = ("/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice")
_CRON_SPOOLS: Final = ("/var/spool/cron/crontabs", "/var/spool/cron")
_CRON_DAYS: Final = ("hourly", "daily", "weekly", "monthly")
_CONTAINERS_MAX: Final = 2_000
_IMAGE_CHARS: Final = 12


def services(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """(name, enabled, running, command, user) of units that are enabled, masked or run."""
    wanted = _enabled(files)
    runs = _running(files)
    for name in sorted({*wanted, *runs})[:_UNITS_MAX]:
        said = _unit(files, name)
        yield (
            name,
            wanted.get(name, "no"),
            "yes" if name in runs else "no",
            masked(said.get("ExecStart", "").lstrip("-@:+!")),
            said.get("User", ""),
        )
    yield from _system_v(files, {one.partition(".")[0] for one in {*wanted, *runs}})


def _enabled(files: HostFiles) -> dict[str, str]:
    """Units linked into a target (``enabled``) or to nothing (``masked``)."""
    found: dict[str, str] = {}
    root = files.path("/etc/systemd/system")
    try:
        entries = sorted(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return {}
    for one in entries:
        if one.is_symlink() and one.name.endswith(_UNITS) and str(one.readlink()) == "/dev/null":
            found[one.name] = "masked"
        elif one.name.endswith((".wants", ".requires")) and one.is_dir():
            for unit in sorted(one.iterdir()):
                if unit.name.endswith(_UNITS):
                    found.setdefault(unit.name, "enabled")
    return found


def _running(files: HostFiles) -> set[str]:
    for folder in _SLICES:
        try:
            return {one.name for one in files.path(folder).iterdir() if one.name.endswith(".service")}
        except (FileNotFoundError, NotADirectoryError):
            continue
    return set()


def _unit(files: HostFiles, name: str) -> dict[str, str]:
    """First ExecStart and User of a unit's file; a template's instance is read from the template."""
    stem, at, rest = name.partition("@")
    names = [name, f"{stem}@{rest[rest.rfind('.') :]}"] if at else [name]
    for folder in _UNIT_FOLDERS:
        for one in names:
            try:
                lines = files.lines(f"{folder}/{one}")
            except OSError:
                continue
            said: dict[str, str] = {}
            for line in lines:
                key, equals, value = line.partition("=")
                if equals:
                    said.setdefault(key.strip(), value.strip())
            if said:
                return said
    return {}


def _system_v(files: HostFiles, known: set[str]) -> Iterator[tuple[str, ...]]:
    for level in ("3", "5"):
        for folder in (f"/etc/rc{level}.d", f"/etc/rc.d/rc{level}.d"):
            for name in files.names(folder):
                script = name.rpartition("/")[2]
                if script[:1] == "S" and script[1:3].isdecimal() and script[3:] not in known:
                    yield f"{script[3:]} (rc{level})", "enabled", "", name, ""


def masked(command: str) -> str:
    """A command with the secrets on it replaced."""
    return " ".join(mask_secrets(tuple(command.split())))


def jobs(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """(file, schedule, user, command) of cron's tables and folders and of anacron."""
    for name in ["/etc/crontab", *files.names("/etc/cron.d")]:
        yield from _table(files, name, "")
    for folder in _CRON_SPOOLS:
        for name in files.names(folder):
            yield from _table(files, name, name.rpartition("/")[2])
    for period in _CRON_DAYS:
        for name in files.names(f"/etc/cron.{period}"):
            if not name.endswith("/.placeholder"):
                yield name, period, "root", name
    for line in files.lines("/etc/anacrontab"):
        words = line.split(None, 3)
        if len(words) == 4 and "=" not in words[0]:
            yield "/etc/anacrontab", f"every {words[0]} days", "root", masked(words[3])


def _table(files: HostFiles, name: str, user: str) -> Iterator[tuple[str, ...]]:
    try:
        lines = files.lines(name)
    except OSError:
        return
    for line in lines:
        first = line.split(None, 1)[0]
        fields = 1 if first.startswith("@") else 5
        words = line.split(None, fields if user else fields + 1)
        if len(words) <= (fields if user else fields + 1) or "=" in first:
            continue
        owner = user or words[fields]
        yield name, " ".join(words[:fields]), owner, masked(words[-1])


def ports(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """(transport, address, port, scope, process, executable, user) of what can be connected to."""
    if not files.exists("/proc/net/tcp"):
        raise FileNotFoundError("/proc/net/tcp")
    for one in scan({}, files.path("/proc")).values():
        process, at = one.process, one.endpoint
        yield (
            at.transport,
            at.address,
            str(at.port),
            scope(at.address),
            (process.executable.rpartition("/")[2] or process.name) if process else "",
            process.executable if process else "",
            user_name(one.user),
        )


def containers(files: HostFiles) -> Iterator[tuple[str, ...]]:
    """(id, name, image, state, runtime) from the files of docker, podman and containerd."""
    yield from _docker(files)
    yield from _podman(files)
    for place in _folders(files, "/run/containerd/io.containerd.runtime.v2.task"):
        if place.rpartition("/")[2] != "moby":  # docker's own, told above
            for task in _folders(files, place):
                yield task.rpartition("/")[2], "", "", "running", "containerd"


def _docker(files: HostFiles) -> Iterator[tuple[str, ...]]:
    for folder in _folders(files, "/var/lib/docker/containers"):
        said = _json(files, f"{folder}/config.v2.json")
        state = said.get("State")
        running = isinstance(state, dict) and state.get("Running") is True
        config = said.get("Config")
        image = config.get("Image") if isinstance(config, dict) else ""
        name = str(said.get("Name", "")).lstrip("/")
        yield folder.rpartition("/")[2], name, str(image), "running" if running else "stopped", "docker"


def _podman(files: HostFiles) -> Iterator[tuple[str, ...]]:
    try:
        raw = files.text_or_empty("/var/lib/containers/storage/overlay-containers/containers.json")
        listed = msgspec.json.decode(raw) if raw else []
    except (msgspec.DecodeError, OSError):
        listed = []
    for one in listed[:_CONTAINERS_MAX] if isinstance(listed, list) else []:
        if isinstance(one, dict):
            names = one.get("names")
            name = str(names[0]) if isinstance(names, list) and names else ""
            yield str(one.get("id", "")), name, str(one.get("image", ""))[:_IMAGE_CHARS], "", "podman"


def _json(files: HostFiles, name: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(files.text(name))
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _folders(files: HostFiles, folder: str) -> list[str]:
    try:
        entries = sorted(files.path(folder).iterdir())[:_CONTAINERS_MAX]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [f"{folder}/{one.name}" for one in entries if one.is_dir()]


KINDS: Final = (
    Kind(
        "services",
        ("name", "enabled", "running", "command", "user"),
        services,
        "file:/etc/systemd/system, unit files, /sys/fs/cgroup/system.slice, /etc/rc?.d",
    ),
    Kind(
        "cron",
        ("file", "schedule", "user", "command"),
        jobs,
        "file:/etc/crontab, /etc/cron.*, /var/spool/cron, /etc/anacrontab",
        keys=4,
    ),
    Kind(
        "ports",
        ("transport", "address", "port", "scope", "process", "executable", "user"),
        ports,
        "file:/proc/net",
        keys=3,
        diffed=False,
    ),
    Kind(
        "containers",
        ("id", "name", "image", "state", "runtime"),
        containers,
        "file:/var/lib/docker/containers, podman's containers.json, /run/containerd",
    ),
)
