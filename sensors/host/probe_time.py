"""Time probe: who keeps the clock, from which servers, and whether the kernel calls it synchronised."""

import ctypes
import os
from typing import Final

from sensors.event import Value
from sensors.host.probe import HostFiles, Probe, Reading, raw_of

_DAEMONS: Final = ("chronyd", "ntpd", "systemd-timesyncd", "ptp4l", "openntpd")
_CHRONY: Final = ("/etc/chrony.conf", "/etc/chrony/chrony.conf", "/etc/ntp.conf", "/etc/ntpsec/ntp.conf")
_UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC of adjtimex(2)


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read; the rest is room the kernel may write to."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_byte * 512),
    )


def time_sync(files: HostFiles) -> Reading:
    """Configured servers, the running daemon, and the kernel's own word (modes 0: read only)."""
    servers: list[str] = []
    used: list[str] = []
    below = ("/etc/chrony/conf.d", "/etc/chrony/sources.d", "/etc/chrony.d")
    extra = [name for folder in below for name in files.names(folder)]
    for name in [*_CHRONY, *extra]:
        for line in files.lines(name):
            words = line.split()
            if words[0] in ("server", "pool", "peer", "refclock") and len(words) > 1:
                servers.append(words[1])
                used.append(f"{name}: {line}")
    timesyncd = ["/etc/systemd/timesyncd.conf", *files.names("/etc/systemd/timesyncd.conf.d", ".conf")]
    for name in timesyncd:
        for line in files.lines(name):
            if line.startswith("NTP="):
                servers += line[4:].split()
                used.append(f"{name}: {line}")
    running = files.running(_DAEMONS)
    values: dict[str, Value] = {
        "configured": bool(servers),
        "servers": list(servers),
        "daemon": running[0] if running else "none",
        "running": bool(running),
        **_kernel(),
    }
    kernel = f"adjtimex: synchronised={values['synchronised']} maximum error {values['error_max_ms']} ms"
    return Reading(values, raw_of(("servers", used), ("kernel", [kernel])))


def _kernel() -> dict[str, Value]:
    state = _Timex()
    library = ctypes.CDLL(None, use_errno=True)
    if library.adjtimex(ctypes.byref(state)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "adjtimex")
    return {
        "synchronised": not state.status & _UNSYNCHRONISED,
        "error_max_ms": state.maxerror // 1000,
    }


PROBES: Final = (Probe("time.sync", "file, process list, adjtimex(2)", time_sync),)
