"""Logins that do not fit their account: odd hours, long sleep before, a new network, two far places."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.calendar import SLOTS, Calendar
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.networks import Inside, network
from detection.special.reading import host_of, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_DAY: Final = 86_400.0
_DAYS_KEPT: Final = 64
_NETWORKS_KEPT: Final = 64
_EARTH_KILOMETRES: Final = 6_371.0


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a network is, as the site says."""

    network: str
    name: str
    latitude: float
    longitude: float


class OddLoginParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``odd_login`` of rules/anomaly/special.toml."""

    learning_days: int
    dormant_days: int
    shared_accounts: frozenset[str]
    speed_kmh: float
    distance_km: float
    repeat_seconds: int
    accounts_max: int
    places: tuple[Place, ...]
    hours: Saying
    dormant: Saying
    network: Saying
    travel: Saying


class Account(msgspec.Struct):
    """What is usual for an account: days seen, logins by hour, networks, the last login and its place."""

    days: dict[int, None] = {}
    slots: list[int] = msgspec.field(default_factory=lambda: [0] * SLOTS)
    networks: dict[str, None] = {}
    last: float = 0.0
    place: str = ""
    placed: float = 0.0


class Memory(msgspec.Struct):
    """What outlives the process."""

    accounts: dict[str, Account]
    told: dict[str, float]


class OddLoginDetector:
    """Claims about successful logins, each kind on its own."""

    name = "odd_login"
    datasets: frozenset[str] | None = None

    def __init__(self, parameters: OddLoginParameters, calendar: Calendar, inside: Inside) -> None:
        self._parameters = parameters
        self._calendar = calendar
        self._inside = inside
        self._networks = sorted(
            ((network(one.network), one) for one in parameters.places), key=lambda pair: -pair[0].prefixlen
        )
        self._places = {one.name: one for one in parameters.places}
        self._place_of = lru_cache(maxsize=65_536)(self._locate)
        self._told = Told(parameters.repeat_seconds, parameters.accounts_max)
        self._accounts: Remembered[Account] = self._none()

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """At most one alert of a kind per account and ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """All accounts."""
        return Memory(dict(self._accounts.items()), dict(self._told.times))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned; an account of another shape is left out."""
        self._accounts = self._none()
        for key, account in memory.accounts.items():
            if len(account.slots) == SLOTS:
                self._accounts.put(key, account, 1)
        self._told.recall(memory.told)

    def _none(self) -> Remembered[Account]:
        accounts_max = self._parameters.accounts_max
        return Remembered(Account, keys_max=accounts_max, weight_max=accounts_max)

    def _take(self, event: Event) -> list[Alert]:
        fields = event.fields
        if fields.get("event.category") != "authentication" or fields.get("event.outcome") != "success":
            return []
        user = text(event, "user.name")
        if not user:
            return []
        host = host_of(event)
        account = self._accounts.touch(f"{event.unit}\0{user}\0{host}")
        time = event.time.timestamp()
        found = [
            self._hours(event, account),
            self._dormant(account, time),
            self._network(event, account),
        ]
        if user not in self._parameters.shared_accounts:
            found.append(self._travel(event, self._accounts.touch(f"{event.unit}\0{user}\0"), time))
        self._learn(event, account, time)
        who = f"{event.unit}\0{user}@{host}"
        return [
            self._alert(event, saying, numbers, user, host)
            for saying, numbers in filter(None, found)
            if self._told.due(f"{who}\0{saying.rule}", time)
        ]

    def _learn(self, event: Event, account: Account, time: float) -> None:
        account.days[int(time // _DAY)] = None
        if len(account.days) > _DAYS_KEPT:
            del account.days[next(iter(account.days))]
        account.slots[self._calendar.slot(event.time)] += 1
        if near := _network_of(text(event, "source.ip")):
            account.networks.pop(near, None)
            account.networks[near] = None
            if len(account.networks) > _NETWORKS_KEPT:
                del account.networks[next(iter(account.networks))]
        account.last = max(account.last, time)

    def _hours(self, event: Event, account: Account) -> tuple[Saying, dict[str, Any]] | None:
        if len(account.days) < self._parameters.learning_days or not self._calendar.is_off_hours(event.time):
            return None
        slot = self._calendar.slot(event.time)
        first = slot - slot % 24
        if any(account.slots[first + (slot + step) % 24] for step in (-1, 0, 1)):
            return None
        usual = [hour for hour in range(24) if account.slots[hour] or account.slots[24 + hour]]
        return self._parameters.hours, {"days": len(account.days), "usual": f"{usual[0]}–{usual[-1] + 1}"}

    def _dormant(self, account: Account, time: float) -> tuple[Saying, dict[str, Any]] | None:
        days = (time - account.last) / _DAY
        if not account.last or days < self._parameters.dormant_days:
            return None
        last = datetime.fromtimestamp(account.last, UTC).date().isoformat()
        return self._parameters.dormant, {"days": int(days), "last": last}

    def _network(self, event: Event, account: Account) -> tuple[Saying, dict[str, Any]] | None:
        source = text(event, "source.ip")
        known = len(account.days) >= self._parameters.learning_days
        if not known or not self._inside.outside(source) or _network_of(source) in account.networks:
            return None
        return self._parameters.network, {"days": len(account.days), "networks": len(account.networks)}

    def _travel(self, event: Event, account: Account, time: float) -> tuple[Saying, dict[str, Any]] | None:
        place = self._place_of(text(event, "source.ip"))
        if place is None:
            return None
        before, since = self._places.get(account.place), account.placed
        account.place, account.placed = place.name, time
        if before is None or before.name == place.name:
            return None
        distance = _kilometres(before, place)
        hours = max(abs(time - since) / 3_600, 1 / 60)
        if distance < self._parameters.distance_km or distance / hours < self._parameters.speed_kmh:
            return None
        numbers = {"from": before.name, "to": place.name, "km": f"{distance:.0f}", "hours": f"{hours:.1f}"}
        return self._parameters.travel, numbers

    def _locate(self, address: str) -> Place | None:
        try:
            parsed = ip_address(address)
        except ValueError:
            return None
        return next((place for where, place in self._networks if parsed in where), None)

    def _alert(self, event: Event, saying: Saying, numbers: dict[str, Any], user: str, host: str) -> Alert:
        return saying.alert(
            "special",
            entity=f"user:{user}@{host}",
            numbers={"user": user, "host": host, **numbers},
            events=(event,),
            matched=shown(event, ("user.name", "source.ip", "host.name"), "login"),
        )


def _network_of(address: str) -> str:
    """The /24 or /48 of an address; '' for what is none."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    width = 24 if parsed.version == 4 else 48
    return str(ip_network(f"{parsed}/{width}", strict=False))


def _kilometres(one: Place, other: Place) -> float:
    """The great-circle distance."""
    north, south = radians(one.latitude), radians(other.latitude)
    half = sin((south - north) / 2) ** 2
    half += cos(north) * cos(south) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_KILOMETRES * asin(sqrt(half))
