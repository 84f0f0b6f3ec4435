"""Channels between networks (跨网交换): what goes over them, when, to whom, what comes back or is refused.

Reads the center's own events of transfers; each carries the number of its audit line, so that an act told
twice counts once.
"""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import msgspec

from detection.alert import Alert
from detection.calendar import Calendar
from detection.detector import feed_each
from detection.parameters import Saying
from detection.special.reading import number, shown, text
from detection.special.remembered import Remembered
from detection.special.told import Told
from sensors.event import Event

_DAY: Final = 86_400
_SHOWN: Final = (
    "gov.transfer.channel",
    "gov.transfer.package",
    "gov.transfer.receiver",
    "gov.transfer.reason",
    "user.name",
)
_DAYS_MAX: Final = 180
_WAITING_MAX: Final = 2_000


class TransferChannelParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``transfer_channel`` of rules/anomaly/special.toml."""

    learning_days: int
    day_bytes: int
    times_usual: float
    refusals: int
    refusal_seconds: float
    replay_reasons: frozenset[str]
    duplicates: int
    receipt_seconds: float
    repeat_seconds: int
    channels_max: int
    volume: Saying
    hours: Saying
    refused: Saying
    replay: Saying
    receipt: Saying
    receiver: Saying


class Channel(msgspec.Struct):
    """What is known of one direction of a channel; days and hours are local to the site's calendar."""

    begun: float = 0.0
    bytes: dict[int, int] = {}  # by day
    slots: dict[int, int] = {}  # exports and imports by hour of a working day or a day off
    refused: list[float] = []
    again: dict[str, int] = {}  # packages that came more than once
    waiting: dict[str, float] = {}  # exported, without a receipt


class Memory(msgspec.Struct):
    """What outlives the process."""

    channels: dict[str, Channel]
    receivers: dict[str, float]
    lines: dict[str, int]
    told: dict[str, float]


class TransferChannelDetector:
    """Claims each kind of oddity of a channel on its own."""

    name = "transfer_channel"
    datasets: frozenset[str] | None = frozenset({"gov.transfer", "liuhe.heartbeat"})

    def __init__(self, parameters: TransferChannelParameters, calendar: Calendar) -> None:
        self._parameters = parameters
        self._calendar = calendar
        self._told = Told(parameters.repeat_seconds, parameters.channels_max * 8)
        self._channels = self._none()
        self._receivers: dict[str, float] = {}  # receiver and zone -> first export
        self._lines: dict[str, int] = {}  # newest audit line told, by center

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert of a kind per channel or package, again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Everything."""
        told = dict(self._told.times)
        return Memory(dict(self._channels.items()), dict(self._receivers), dict(self._lines), told)

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        self._channels = self._none()
        for key, channel in memory.channels.items():
            self._channels.put(key, channel, 1)
        self._receivers, self._lines = memory.receivers, memory.lines
        self._told.recall(memory.told)

    def _none(self) -> Remembered[Channel]:
        channels_max = self._parameters.channels_max
        return Remembered(Channel, keys_max=channels_max, weight_max=channels_max)

    def _take(self, event: Event) -> list[Alert]:
        if event.fields["event.dataset"] == "liuhe.heartbeat":
            return self._overdue(event)
        line, center = int(number(event, "gov.transfer.line")), f"{event.unit}\0{event.sensor}"
        if line <= self._lines.get(center, 0):
            return []
        self._lines[center] = line
        name, direction = text(event, "gov.transfer.channel"), text(event, "gov.transfer.direction")
        channel = self._channels.touch(f"{event.unit}\0{name}\0{direction}")
        channel.begun = channel.begun or event.time.timestamp()
        action = text(event, "event.action")
        found: list[Alert | None] = []
        if text(event, "event.outcome") == "failure" or text(event, "gov.transfer.verdict") == "refused":
            found.append(self._refused(event, channel, name))
        elif action == "transfer-duplicate":
            found.append(self._again(event, channel, name))
        elif action in ("transfer-export", "transfer-import"):
            found += [self._volume(event, channel, name), self._hours(event, channel, name)]
            if action == "transfer-export":
                found.append(self._receiver(event, name))
        self._await(event, channel, action)
        return [alert for alert in (*found, *self._overdue(event)) if alert is not None]

    def _await(self, event: Event, channel: Channel, action: str) -> None:
        """Who waits for a receipt, and who has one."""
        package = text(event, "gov.transfer.package")
        if action == "transfer-receipt":
            channel.waiting.pop(package, None)
        sent = (
            action in ("transfer-export", "transfer-heartbeat") and text(event, "event.outcome") == "success"
        )
        if sent and package and event.fields.get("gov.transfer.one_way") is False:
            channel.waiting.setdefault(package, event.time.timestamp())
            if len(channel.waiting) > _WAITING_MAX:
                del channel.waiting[next(iter(channel.waiting))]

    def _learned(self, event: Event, channel: Channel) -> bool:
        return event.time.timestamp() - channel.begun >= self._parameters.learning_days * _DAY

    def _volume(self, event: Event, channel: Channel, name: str) -> Alert | None:
        day = int(event.time.timestamp()) // _DAY
        channel.bytes[day] = channel.bytes.get(day, 0) + int(number(event, "gov.transfer.bytes"))
        if len(channel.bytes) > _DAYS_MAX:
            del channel.bytes[min(channel.bytes)]
        before = [value for one, value in channel.bytes.items() if one < day]
        usual = median(before) if before else 0.0
        out, parameters = channel.bytes[day], self._parameters
        limit = max(parameters.day_bytes, parameters.times_usual * usual, max(before, default=0))
        if not self._learned(event, channel) or out <= limit:
            return None
        numbers = {"megabytes": f"{out / 1e6:,.1f}", "usual": f"{usual / 1e6:,.1f}", "days": len(before)}
        return self._tell(parameters.volume, event, name, numbers)

    def _hours(self, event: Event, channel: Channel, name: str) -> Alert | None:
        slot = self._calendar.slot(event.time)
        near = sum(channel.slots.get(slot - slot % 24 + (slot + step) % 24, 0) for step in (-1, 0, 1))
        channel.slots[slot] = channel.slots.get(slot, 0) + 1
        odd = self._calendar.is_off_hours(event.time) and not near
        if not odd or not self._learned(event, channel) or not text(event, "user.name"):
            return None
        numbers = {"user": text(event, "user.name"), "transfers": sum(channel.slots.values()) - 1}
        return self._tell(self._parameters.hours, event, name, numbers)

    def _receiver(self, event: Event, name: str) -> Alert | None:
        receiver, zone = text(event, "gov.transfer.receiver"), text(event, "gov.transfer.to_zone")
        key, time = f"{event.unit}\0{receiver}\0{zone}", event.time.timestamp()
        is_new = key not in self._receivers
        known = [first for one, first in self._receivers.items() if one.startswith(f"{event.unit}\0")]
        self._receivers.setdefault(key, time)
        if len(self._receivers) > self._parameters.channels_max:
            del self._receivers[next(iter(self._receivers))]
        learned = known and time - min(known) >= self._parameters.learning_days * _DAY
        if not receiver or not is_new or not learned:
            return None
        numbers = {"receiver": receiver, "zone": zone or "—", "known": len(known)}
        return self._tell(self._parameters.receiver, event, name, numbers, subject=key)

    def _refused(self, event: Event, channel: Channel, name: str) -> Alert | None:
        parameters, time = self._parameters, event.time.timestamp()
        reason = text(event, "gov.transfer.reason") or text(event, "gov.transfer.verdict")
        package = text(event, "gov.transfer.package")
        if reason in parameters.replay_reasons:
            replay = {"package": package[:32] or "—", "reason": reason}
            return self._tell(parameters.replay, event, name, replay, subject=f"{name}\0{package}")
        channel.refused = [one for one in channel.refused if abs(time - one) <= parameters.refusal_seconds]
        channel.refused = [*channel.refused[-255:], time]
        if len(channel.refused) < parameters.refusals:
            return None
        numbers: dict[str, Any] = {
            "refusals": len(channel.refused),
            "hours": f"{parameters.refusal_seconds / 3_600:g}",
            "reason": reason,
        }
        return self._tell(parameters.refused, event, name, numbers)

    def _again(self, event: Event, channel: Channel, name: str) -> Alert | None:
        package = text(event, "gov.transfer.package")
        channel.again[package] = channel.again.get(package, 0) + 1
        if len(channel.again) > 256:
            del channel.again[next(iter(channel.again))]
        if channel.again[package] < self._parameters.duplicates:
            return None
        numbers = {"package": package[:32], "reason": f"transfer-duplicate ×{channel.again[package]}"}
        return self._tell(self._parameters.replay, event, name, numbers, subject=f"{name}\0{package}")

    def _overdue(self, event: Event) -> list[Alert]:
        """Receipts that did not come, each told once; looked for at every event of the unit."""
        time = event.time.timestamp()
        found: list[Alert] = []
        for key, channel in self._channels.items():
            unit, name, direction = key.split("\0")
            if unit != event.unit or direction != "out" or not channel.waiting:
                continue
            late = [
                package
                for package, since in channel.waiting.items()
                if time - since > self._parameters.receipt_seconds
            ]
            if not late:
                continue
            numbers = {
                "packages": len(late),
                "hours": round((time - min(channel.waiting[one] for one in late)) / 3_600, 1),
                "example": late[0][:32],
            }
            if alert := self._tell(self._parameters.receipt, event, name, numbers):
                found.append(alert)
                channel.waiting = {one: since for one, since in channel.waiting.items() if one not in late}
        return found

    def _tell(
        self, saying: Saying, event: Event, name: str, numbers: dict[str, Any], subject: str = ""
    ) -> Alert | None:
        told = f"{event.unit}\0{saying.rule}\0{subject or name}"
        if not self._told.due(told, event.time.timestamp()):
            return None
        return saying.alert(
            "special",
            entity=f"channel:{name or 'unknown'}",
            numbers={"channel": name or "—", **numbers},
            events=(event,),
            matched=shown(event, _SHOWN, "transfer"),
        )
