"""Inventory of how one gets in: sshd's effective configuration and every module line of PAM."""

from collections.abc import Iterator
from typing import Final

from sensors.host.inventory.kind import Kind
from sensors.host.probe import HostFiles
from sensors.host.sshd_config import read_config


def sshd(files: HostFiles) -> Iterator[tuple[str, str]]:
    """Keywords with their effective values; nothing where there is no sshd."""
    if not files.exists("/etc/ssh/sshd_config"):
        return
    found = read_config(files)
    yield from found.values.items()
    yield "port", " ".join(str(port) for port in found.ports)
    yield "listenaddress", " ".join(found.addresses)
    yield "match_blocks", str(found.match_blocks)


def pam(files: HostFiles) -> Iterator[tuple[str, str]]:
    """The lines of /etc/pam.d and of the modules' own files."""
    for name in files.names("/etc/pam.d"):
        for line in files.lines(name):
            yield name, " ".join(line.split())
    for name in [
        *files.names("/etc/security", ".conf"),
        *files.names("/etc/security/pwquality.conf.d", ".conf"),
    ]:
        for line in files.lines(name):
            yield name, " ".join(line.split())


KINDS: Final = (
    Kind(
        "sshd",
        ("keyword", "value"),
        sshd,
        "file:/etc/ssh/sshd_config with its includes",
        watch=("/etc/ssh", "/etc/ssh/sshd_config.d"),
    ),
    Kind(
        "pam",
        ("file", "line"),
        pam,
        "file:/etc/pam.d, /etc/security/*.conf",
        keys=2,
        watch=("/etc/pam.d", "/etc/security", "/etc/security/pwquality.conf.d"),
    ),
)
