"""The host's distribution: what os-release says, and what is known of domestic systems beside it."""

from typing import Any, Final, NamedTuple

from sensors.host.pam import options
from sensors.host.probe import HostFiles
from sensors.host.tables import table

_RELEASE: Final = ("/etc/os-release", "/usr/lib/os-release")


class Distribution(NamedTuple):
    """``family`` is ``debian``, ``rhel`` or ''; ``domestic`` the title of a domestic system or ''."""

    id: str
    version: str
    name: str
    family: str
    domestic: str
    facts: dict[str, Any]  # the system's entry of domestic_systems.toml


def read_distribution(files: HostFiles) -> Distribution:
    """What runs here; unknown parts are ''. Raises OSError where os-release is there but unreadable."""
    said = options(next((text for name in _RELEASE if (text := files.text_or_empty(name))), "").splitlines())
    release = {name: value.strip("\"'") for name, value in said.items()}
    own = release.get("ID", "").lower()
    like = release.get("ID_LIKE", "").lower().split()
    facts = _domestic(own, files)
    return Distribution(
        id=own,
        version=release.get("VERSION_ID", ""),
        name=release.get("PRETTY_NAME", ""),
        family=_family(own, like, facts, files),
        domestic=str(facts.get("title", "")),
        facts=facts,
    )


def _domestic(own: str, files: HostFiles) -> dict[str, Any]:
    systems: dict[str, dict[str, Any]] = table("domestic_systems")["systems"]
    for facts in systems.values():
        if own in facts["ids"]:
            return facts
    for facts in systems.values():
        if any(files.exists(name) for name in facts["folders"]):
            return facts
    return {}


def _family(own: str, like: list[str], facts: dict[str, Any], files: HostFiles) -> str:
    """By the package database that is there: editions of one system differ in it."""
    if files.exists("/var/lib/dpkg/status"):
        return "debian"
    if files.exists("/var/lib/rpm") or files.exists("/usr/lib/sysimage/rpm"):
        return "rhel"
    known = (own, *like) if like else (own, *facts.get("like", ()))
    return "debian" if "debian" in known else "rhel" if {"rhel", "fedora", "centos"} & set(known) else ""
