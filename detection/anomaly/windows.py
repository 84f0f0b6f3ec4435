"""One-minute windows of hosts and network sources: what is counted in each, in event time.

A window closes when its sensor's newest event is ``lateness_seconds`` past its end; the same events give the
same windows however they are batched. All state is bounded.
"""

from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, Literal, NamedTuple

import msgspec

from crypto.words import Words
from detection.anomaly.peers import UNKNOWN, Peers
from detection.anomaly.refit import RefitParameters
from detection.facts import number_of, texts_of
from detection.parameters import Saying
from detection.special.remembered import Remembered
from sensors.event import Event

Kind = Literal["host", "source"]
KINDS: Final[tuple[Kind, ...]] = ("host", "source")
_EVENTS_KEPT: Final = 5  # newest events of a window, to show in the alert
_FAILED_STATES: Final = frozenset({"S0", "REJ", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR"})

FEATURES: Final[dict[str, Words]] = {
    "events": Words("事件数", "events"),
    "processes": Words("启动进程数", "processes started"),
    "programs": Words("不同程序数", "different programs"),
    "new_programs": Words("首次出现的程序数", "programs never seen before"),
    "logins_failed": Words("登录失败数", "failed logins"),
    "logins": Words("登录成功数", "logins"),
    "files_changed": Words("文件变化数", "file changes"),
    "listeners": Words("新监听端口数", "new listening ports"),
    "flows": Words("连接数", "connections"),
    "flows_failed": Words("失败连接数", "failed connections"),
    "destinations": Words("不同目的地址数", "different destinations"),
    "ports": Words("不同目的端口数", "different destination ports"),
    "bytes_out": Words("发出字节数", "bytes sent"),
    "bytes_in": Words("收到字节数", "bytes received"),
    "dns_queries": Words("域名查询数", "DNS queries"),
    "dns_names": Words("不同域名数", "different DNS names"),
}
_SETS: Final = ("programs", "destinations", "ports", "dns_names")


class GroupParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``groups``: which peer groups have a model of their own beside that of their kind."""

    models_max: int  # of each kind
    rows_min: int  # windows kept of a group, from which it has one
    share_max: float  # a group with more of its kind's windows needs none: the kind's model is its own


class WindowParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file rules/anomaly/windows.toml."""

    window_seconds: int
    lateness_seconds: int
    skew_seconds: int
    windows_open_max: int
    values_max: int
    known_hosts_max: int
    known_programs_max: int
    learning_windows: int
    learning_rows_max: int
    learning_rows_per_time: int
    scale_min: float
    alert_one_in: int
    repeat_seconds: int
    refit: RefitParameters
    groups: GroupParameters
    drift: Saying
    host: Saying
    source: Saying


def span_words(seconds: int) -> Words:
    """How long a window is, as a person says it."""
    if seconds < 60 or seconds % 60:
        return Words(f"{seconds} 秒", f"{seconds} seconds")
    minutes = seconds // 60
    return Words(f"{minutes} 分钟", f"{minutes} minute{'s' if minutes > 1 else ''}")


class Closed(NamedTuple):
    """A finished window: whose, when it began (epoch seconds), its counts and its newest events."""

    kind: Kind
    unit: str
    sensor: str
    entity: str
    start: int
    values: tuple[float, ...]
    events: tuple[Event, ...]
    group: str = ""  # peer group; "" not known


class _Window:
    """A window still open: plain counts and sets of distinct values."""

    __slots__ = ("counts", "distinct", "events", "group", "new_programs")

    def __init__(self, group: str) -> None:
        self.group = group
        self.counts: dict[str, float] = {}
        self.distinct: dict[str, set[str]] = {name: set() for name in _SETS}
        self.new_programs: set[str] = set()
        self.events: deque[Event] = deque(maxlen=_EVENTS_KEPT)

    def values(self) -> tuple[float, ...]:
        sets = {name: float(len(found)) for name, found in self.distinct.items()}
        every = {**self.counts, **sets, "new_programs": float(len(self.new_programs))}
        return tuple(every.get(name, 0.0) for name in FEATURES)


_Key = tuple[int, Kind, str, str, str]  # start, kind, unit, sensor, entity


class Windows:
    """Open windows of all entities; ``add`` an event, then take the windows it closed."""

    def __init__(self, parameters: WindowParameters, peers: Peers | None = None) -> None:
        self._parameters = parameters
        self._peers = peers
        self._open: dict[str, dict[_Key, _Window]] = {}
        self._count = 0
        self._newest: dict[str, float] = {}
        self.closed_until: dict[str, int] = {}  # by sensor: windows that begin before this are closed
        self.known: Remembered[set[str]] = Remembered(
            set, keys_max=parameters.known_hosts_max, weight_max=1 << 30
        )
        self.late = 0
        self.evicted = 0

    def add(self, event: Event) -> Iterator[Closed]:
        """Count the event; yields the windows of its sensor that are over now, oldest first."""
        time = event.time.timestamp()
        received = event.ingested.timestamp() if event.ingested else time
        if time > received + self._parameters.skew_seconds:
            return
        subject = _subject(event)
        width = self._parameters.window_seconds
        start = int(time // width) * width
        if subject is not None:
            if start < self.closed_until.get(event.sensor, 0):
                self.late += 1
            else:
                self._count_in((start, subject[0], event.unit, event.sensor, subject[1]), event)
        newest = self._newest[event.sensor] = max(time, self._newest.get(event.sensor, time))
        until = int((newest - self._parameters.lateness_seconds) // width) * width
        if until > self.closed_until.get(event.sensor, 0):
            self.closed_until[event.sensor] = until
            yield from self._close(event.sensor, until)

    def rest(self) -> Iterator[Closed]:
        """What is still open, closed now."""
        for sensor, table in list(self._open.items()):
            yield from self._close(sensor, max((key[0] for key in table), default=0) + 1)

    def _close(self, sensor: str, until: int) -> Iterator[Closed]:
        table = self._open.get(sensor, {})
        for key in sorted(key for key in table if key[0] < until):
            window = table.pop(key)
            self._count -= 1
            start, kind, unit, _, entity = key
            events = tuple(window.events)
            yield Closed(kind, unit, sensor, entity, start, window.values(), events, window.group)

    def _count_in(self, key: _Key, event: Event) -> None:
        table = self._open.setdefault(event.sensor, {})
        window = table.get(key)
        if window is None:
            if self._count >= self._parameters.windows_open_max:
                self.evicted += 1  # the new window is not opened: those begun are worth more
                return
            window = table[key] = _Window(self._peers.of(key[4], event) if self._peers else UNKNOWN)
            self._count += 1
        window.events.append(event)
        for name, amount in _amounts(event):
            window.counts[name] = window.counts.get(name, 0.0) + amount
        for name, value in _distinct(event):
            found = window.distinct[name]
            if len(found) < self._parameters.values_max:
                found.add(value)
            if name == "programs":
                self._program(window, f"{event.unit}\0{key[4]}", value)

    def _program(self, window: _Window, host: str, program: str) -> None:
        digest = sha256(program.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        known = self.known.touch(host)
        if digest not in known:
            if len(known) < self._parameters.known_programs_max:
                known.add(digest)
            window.new_programs.add(digest)


def _subject(event: Event) -> tuple[Kind, str] | None:
    """Whose window an event counts in; None for the product's own events and periodic probes."""
    dataset = _text(event, "event.dataset")
    if dataset.startswith("net."):
        source = _text(event, "source.ip")
        return ("source", source) if source and dataset != "net.capture" else None
    if dataset.startswith("liuhe.") or dataset == "probe" or not (host := _text(event, "host.name")):
        return None
    return "host", host


def _amounts(event: Event) -> Iterator[tuple[str, float]]:
    yield "events", 1.0
    match _text(event, "event.dataset"):
        case "process.start":
            yield "processes", 1.0
        case "file.change":
            yield "files_changed", 1.0
        case "listener.change":
            yield "listeners", 1.0 if _text(event, "event.action") == "listener-added" else 0.0
        case "net.dns":
            yield "dns_queries", 1.0 if _text(event, "dns.type") != "answer" else 0.0
        case "net.flow":
            yield from _flow_amounts(event)
        case _:
            if _text(event, "event.category") == "authentication":
                outcome = _text(event, "event.outcome")
                yield "logins_failed", 1.0 if outcome == "failure" else 0.0
                yield "logins", 1.0 if outcome == "success" else 0.0


def _flow_amounts(event: Event) -> Iterator[tuple[str, float]]:
    """A flow counts when it ends; its bytes count as they are told, what an update told only once."""
    action = _text(event, "event.action")
    if action == "flow-start":
        return
    if action != "flow-update":
        yield "flows", 1.0
        yield "flows_failed", 1.0 if _text(event, "conn_state") in _FAILED_STATES else 0.0
    for name, side in (("bytes_out", "source"), ("bytes_in", "destination")):
        is_rest = f"gov.flow.new_{side}_bytes" in event.fields
        yield name, _amount(event, f"gov.flow.new_{side}_bytes" if is_rest else f"{side}.bytes")


def _distinct(event: Event) -> Iterator[tuple[str, str]]:
    match _text(event, "event.dataset"):
        case "process.start":
            if program := _text(event, "process.executable") or _text(event, "process.name"):
                yield "programs", program
        case "net.flow":
            yield "destinations", _text(event, "destination.ip")
            yield "ports", _text(event, "destination.port")
        case "net.dns":
            yield "dns_names", _text(event, "dns.question.name").casefold()


def _amount(event: Event, name: str) -> float:
    value = event.fields.get(name)
    number = None if isinstance(value, list) else number_of(value)
    return float(min(max(number or 0, 0), 1e15))


def _text(event: Event, name: str) -> str:
    texts = texts_of(event.fields.get(name, event.native.get(name)))
    return texts[0] if texts else ""
