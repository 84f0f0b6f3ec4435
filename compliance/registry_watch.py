"""What the registry lacks, as tasks: machines nobody registered or nobody sees, clocks that end.

Pure: given what is registered, what sensors see and the day, the tasks that should be open. The store opens
what is new and closes what is mended.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from compliance.grading_process import Deadline
from compliance.registry import Asset, RegistryTask
from crypto.words import Words

SILENT_DAYS: Final = 7  # a registered machine not heard of for so long is gone, or its sensor is
REGISTER_DAYS: Final = 30  # to register a machine that was seen
HOSTS_MAX: Final = 5_000
_KINDS: Final = {
    "filing-expires": Words("备案证明到期", "the filing expires"),
    "assessment-due": Words("等级测评到期", "the assessment is due"),
    "crypto-due": Words("密评到期", "the cryptography assessment is due"),
}


class SeenHost(msgspec.Struct, frozen=True, kw_only=True):
    """A machine a sensor speaks of; ``unit`` is the sensor's."""

    name: str
    unit: str
    last_seen: datetime


def tasks_wanted(
    *,
    assets: Sequence[Asset],
    units: Mapping[str, str],
    seen: Iterable[SeenHost],
    clocks: Iterable[Deadline],
    now: datetime,
) -> tuple[RegistryTask, ...]:
    """Tasks that should be open now; ``units`` maps a system to its unit."""
    hosts = {(host.unit, host.name): host for host in seen}
    by_name: dict[str, list[SeenHost]] = {}
    for host in hosts.values():
        by_name.setdefault(host.name, []).append(host)
    known = {(units.get(asset.system, ""), asset.name) for asset in assets}
    # A machine registered by another unit's system is that unit's: the sensor may stand elsewhere.
    names = {name for _, name in known}
    found = [_unregistered(host, now) for key, host in sorted(hosts.items()) if host.name not in names]
    found += [
        _silent(asset, units.get(asset.system, ""), by_name.get(asset.name, ()), now)
        for asset in assets
        if asset.origin == "sensor" and not _heard(asset, by_name.get(asset.name, ()), now)
    ]
    found += [_clock(one, now) for one in clocks]
    return tuple(found[:HOSTS_MAX])


def _heard(asset: Asset, hosts: Sequence[SeenHost], now: datetime) -> bool:
    last = max((host.last_seen for host in hosts), default=asset.found)
    return last is None or now - last <= timedelta(days=SILENT_DAYS)


def _unregistered(host: SeenHost, now: datetime) -> RegistryTask:
    return RegistryTask(
        kind="unregistered-asset",
        key=f"{host.unit}/{host.name}"[:256],
        unit=host.unit,
        what=Words(
            f"传感器发现未登记的资产 {host.name},请登记到所属定级对象,或说明为何不登记",
            f"a sensor sees {host.name}, which is not registered: register it, or say why not",
        ),
        opened=now,
        due=now.date() + timedelta(days=REGISTER_DAYS),
    )


def _silent(asset: Asset, unit: str, hosts: Sequence[SeenHost], now: datetime) -> RegistryTask:
    last = max((host.last_seen for host in hosts), default=asset.found)
    when = last.date().isoformat() if last else "?"
    return RegistryTask(
        kind="silent-asset",
        key=f"{asset.system}/{asset.name}"[:256],
        unit=unit,
        system=asset.system,
        what=Words(
            f"已登记的资产 {asset.name} 自 {when} 起没有消息,请核对是否仍在用",
            f"{asset.name} is registered, nothing was heard of it since {when}: is it still in use?",
        ),
        opened=now,
    )


def _clock(one: Deadline, now: datetime) -> RegistryTask:
    name = _KINDS[one.kind]
    left = Words(f"还有 {one.days} 天", f"in {one.days} days")
    if one.days < 0:
        left = Words(f"已过 {-one.days} 天", f"{-one.days} days ago")
    return RegistryTask(
        kind=one.kind,
        key=f"{one.system}/{one.due.isoformat()}",
        unit=one.unit,
        system=one.system,
        what=Words(
            f"{one.system} {name.zh}({one.due},{left.zh})", f"{one.system}: {name.en} ({one.due}, {left.en})"
        ),
        opened=now,
        due=one.due,
    )


def day_of(text: str | None) -> date | None:
    """An ISO day as stored."""
    return date.fromisoformat(text) if text else None
