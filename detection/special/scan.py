"""Port and host scans: many distinct targets of one source, most of them refused or unanswered.

Event time is cut into slots; a window is a run of slots. Late events (an unanswered connection is reported
when it times out) fall into the slot of their own time, so the claim does not depend on when they came.
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec

from detection.alert import Alert, Match
from detection.detector import feed_each
from detection.facts import number_of, texts_of
from detection.parameters import Saying
from detection.special.remembered import Remembered
from sensors.event import Event

_EVENTS_KEPT: Final = 4  # of one source, to show in the alert beside the one that completed it
Target = tuple[str, int]


class ScanParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``scan`` of rules/anomaly/special.toml."""

    window_seconds: int
    slot_seconds: int
    lateness_seconds: int
    failed_targets: int
    failed_share: float
    spread_slots: int
    repeat_seconds: int
    failed_states: frozenset[str]
    sources_max: int
    targets_max: int
    slot_targets_max: int
    alert: Saying


class _Source:
    """Targets of one source by slot: those that failed and the others."""

    __slots__ = ("events", "failed", "others", "raised")

    def __init__(self) -> None:
        self.failed: dict[int, set[Target]] = {}
        self.others: dict[int, set[Target]] = {}
        self.events: deque[Event] = deque(maxlen=_EVENTS_KEPT)
        self.raised: float | None = None

    def size(self) -> int:
        return sum(map(len, self.failed.values())) + sum(map(len, self.others.values()))


class ScanDetector:
    """Claims a scan when a window of one source holds enough distinct failed targets."""

    def __init__(self, parameters: ScanParameters, name: str = "scan") -> None:
        self.name = name
        self._parameters = parameters
        self._slots = parameters.window_seconds // parameters.slot_seconds
        self._kept = self._slots + parameters.lateness_seconds // parameters.slot_seconds
        self._sources: Remembered[_Source] = Remembered(
            _Source, keys_max=parameters.sources_max, weight_max=parameters.targets_max
        )
        self.late = 0  # events older than the lateness allowed

    @property
    def evicted(self) -> int:
        """Sources forgotten because the bounds were reached."""
        return self._sources.evicted

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """One alert when a source becomes a scanner, and again after ``repeat_seconds`` of event time."""
        return feed_each(self._take, events)

    def _take(self, event: Event) -> list[Alert]:
        if event.fields.get("event.dataset") != "net.flow":
            return []
        address = _text(event, "source.ip")
        target = _target(event)
        if not address or target is None:
            return []
        failed = _text(event, "conn_state") in self._parameters.failed_states
        source = self._sources.touch(f"{event.unit}\0{event.sensor}\0{address}")
        slot = int(event.time.timestamp()) // self._parameters.slot_seconds
        if not self._keep(source, slot, target, failed=failed):
            return []
        self._sources.weigh(f"{event.unit}\0{event.sensor}\0{address}", source.size())
        if not failed:
            return []
        alert = self._claim(source, slot, event, address)
        source.events.append(event)
        return [alert] if alert else []

    def _keep(self, source: _Source, slot: int, target: Target, *, failed: bool) -> bool:
        """Put the target into its slot and drop old slots; False where it adds nothing."""
        newest = max(slot, *source.failed, *source.others) if source.failed or source.others else slot
        if slot <= newest - self._kept:
            self.late += 1
            return False
        table = source.failed if failed else source.others
        targets = table.setdefault(slot, set())
        if target in targets or len(targets) >= self._parameters.slot_targets_max:
            return False
        targets.add(target)
        if slot == newest:
            for slots in (source.failed, source.others):
                for old in [one for one in slots if one <= newest - self._kept]:
                    del slots[old]
        return True

    def _claim(self, source: _Source, slot: int, event: Event, address: str) -> Alert | None:
        parameters = self._parameters
        time = event.time.timestamp()
        if source.raised is not None and abs(time - source.raised) < parameters.repeat_seconds:
            return None
        nearby = range(slot - self._slots + 1, slot + self._slots)
        if sum(len(source.failed.get(one, ())) for one in nearby) < parameters.failed_targets:
            return None
        for first in range(slot - self._slots + 1, slot + 1):
            window = range(first, first + self._slots)
            failed = _union(source.failed, window)
            if len(failed) < parameters.failed_targets:
                continue
            if sum(bool(source.failed.get(one)) for one in window) < parameters.spread_slots:
                continue
            targets = failed | _union(source.others, window)
            if len(failed) >= parameters.failed_share * len(targets):
                source.raised = time
                return self._alert(source, event, address, failed, targets)
        return None

    def _alert(
        self, source: _Source, event: Event, address: str, failed: set[Target], targets: set[Target]
    ) -> Alert:
        hosts = {host for host, _ in targets}
        ports = {port for _, port in targets}
        matched = tuple(
            Match(event=event.id, field=field, value=value, selection="scan")
            for field, value in (
                ("source.ip", address),
                ("destination.ip", _text(event, "destination.ip")),
                ("conn_state", _text(event, "conn_state")),
            )
        )
        return self._parameters.alert.alert(
            "special",
            entity=f"source:{address}",
            numbers={
                "seconds": self._parameters.window_seconds,
                "minutes": f"{self._parameters.window_seconds / 60:g}",
                "targets": len(targets),
                "failed": len(failed),
                "hosts": len(hosts),
                "ports": len(ports),
            },
            events=(*source.events, event),
            matched=matched,
        )


def _union(slots: dict[int, set[Target]], window: range) -> set[Target]:
    return set().union(*(slots[one] for one in window if one in slots))


def _target(event: Event) -> Target | None:
    address = _text(event, "destination.ip")
    port = event.fields.get("destination.port")
    number = None if isinstance(port, list) else number_of(port)
    return (address, int(number or 0)) if address else None


def _text(event: Event, name: str) -> str:
    texts = texts_of(event.native.get(name, event.fields.get(name)))
    return texts[0] if texts else ""
