"""Source ``windows-events``: the event logs of the Windows host it runs on, by subscription.

Each channel has a bookmark of its own, saved once what it stands after is durable: after a restart, or a
kill, reading goes on there. Where the bookmarked record is gone (the log was cleared, or ran over it), or
record numbers leave a hole, a gap event says so.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final

import msgspec

from crypto.words import Words
from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.observe import gap
from sensors.host.windows.event_log import (
    ACCESS_DENIED,
    CHANNEL_NOT_FOUND,
    EventLog,
    EventLogError,
    Subscription,
    WindowsEventLog,
    windows_libraries,
)
from sensors.host.windows.record import describe_xml, record_number

Emit = Callable[[Sequence[Observation]], None]

_WAIT_SECONDS: Final = 0.5
_LOOK_AGAIN_SECONDS: Final = 60.0  # for a channel that was not there, or not ours to read
_ROUNDS_MAX: Final = 16  # batches of one channel before the next has its turn


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where reading of one channel goes on: the system's own bookmark, and the last record's number."""

    bookmark: str = ""
    record: int = 0


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Places by channel, as the cursor keeps them."""

    channels: dict[str, Place] = {}


def open_windows_log() -> EventLog | None:
    """The system's event log; None where this is no Windows."""
    libraries = windows_libraries()
    return None if libraries is None else WindowsEventLog(libraries)


class WindowsEventSource:
    """Source ``windows-events``; ``channels`` by the names Windows gives them."""

    name = "windows-events"
    resumes = True

    def __init__(
        self,
        channels: Sequence[str],
        cursor: Cursor,
        *,
        open_log: Callable[[], EventLog | None] = open_windows_log,
        wait_seconds: float = _WAIT_SECONDS,
        look_again_seconds: float = _LOOK_AGAIN_SECONDS,
    ) -> None:
        self.reduced: Words | None = None
        self._channels = tuple(dict.fromkeys(channels))
        self._cursor = cursor
        self._open_log = open_log
        self._wait_seconds = wait_seconds
        self._look_again_seconds = look_again_seconds
        self._places: dict[str, Place] = {}

    def missing(self) -> Words | None:
        """The event log must be there to open."""
        try:
            log = self._open_log()
        except OSError as error:
            return Words(
                f"无法打开 Windows 事件日志:{error}", f"Windows' event log cannot be opened: {error}"
            )
        if log is None:
            return Words("本机不是 Windows", "this host is no Windows")
        log.close()
        return None

    def pressing(self) -> bool:
        """Windows keeps its records; how long is each channel's own setting."""
        return False

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit one event per record until ``stop``. Raises OSError where the log cannot be opened."""
        kept = self._cursor.load(Places)
        self._places = dict(kept.channels) if kept else {}
        log = self._open_log()
        if log is None:
            return
        with ExitStack() as stack:
            stack.callback(log.close)
            opened: dict[str, Subscription] = {}
            stack.callback(_close_all, opened)
            look_again = 0.0
            while not stop.is_set():
                if time.monotonic() >= look_again:
                    self._open_channels(log, opened, emit)
                    look_again = time.monotonic() + self._look_again_seconds
                busy = [self._drain(log, channel, opened, emit, stop) for channel in list(opened)]
                if not any(busy):
                    log.wait(self._wait_seconds)

    def _open_channels(self, log: EventLog, opened: dict[str, Subscription], emit: Emit) -> None:
        """Subscribe to what is not yet; tell what cannot be read."""
        absent: list[str] = []
        denied: list[str] = []
        for channel in self._channels:
            if channel in opened:
                continue
            try:
                opened[channel] = self._subscribe(log, channel, emit)
            except EventLogError as error:
                if error.code == CHANNEL_NOT_FOUND:
                    absent.append(channel)
                elif error.code == ACCESS_DENIED:
                    denied.append(channel)
                else:
                    raise
        self.reduced = _reduced(absent, denied)

    def _subscribe(self, log: EventLog, channel: str, emit: Emit) -> Subscription:
        place = self._places.get(channel)
        if place is None:  # first sight: what was written before is not ours to tell
            bookmark, newest = log.newest(channel)
            place = Place(bookmark=bookmark, record=record_number(newest))
            self._save(channel, place)
        try:
            return log.subscribe(channel, place.bookmark)
        except EventLogError as error:
            if not error.stale:
                raise
            return self._start_over(log, channel, emit)

    def _start_over(self, log: EventLog, channel: str, emit: Emit) -> Subscription:
        """From the oldest record there is: those between are gone, nobody knows how many."""
        emit([gap(self.name, f"{channel}: records are gone: the log was cleared, or ran over them")])
        self._save(channel, Place())
        return log.subscribe(channel, "")

    def _drain(
        self,
        log: EventLog,
        channel: str,
        opened: dict[str, Subscription],
        emit: Emit,
        stop: threading.Event,
    ) -> bool:
        """Emit what waits in a channel; whether there was anything."""
        subscription = opened[channel]
        for turn in range(_ROUNDS_MAX):
            try:
                records = subscription.next()
            except EventLogError as error:
                if not error.stale:
                    raise
                del opened[channel]
                subscription.close()
                opened[channel] = self._start_over(log, channel, emit)
                return True
            if not records:
                return turn > 0
            seen, last = self._describe(channel, records)
            emit(seen)
            self._save(channel, Place(bookmark=subscription.bookmark(), record=last))
            if stop.is_set():
                break
        return True

    def _describe(self, channel: str, records: Sequence[str | None]) -> tuple[list[Observation], int]:
        """Their events, gaps among them, and the number of the last."""
        last = self._places.get(channel, Place()).record
        seen: list[Observation] = []
        unreadable = 0
        for text in records:
            number = record_number(text) if text else 0
            event = describe_xml(text) if text else None
            if event is None:
                unreadable += 1
                last = number or last + 1
                continue
            if last and number > last + 1:
                seen.append(gap(self.name, f"{channel}: record numbers are missing", count=number - last - 1))
            elif number and number <= last:
                seen.append(gap(self.name, f"{channel}: record numbers began anew"))
            last = number or last
            seen.append(event)
        if unreadable:
            seen.append(gap(self.name, f"{channel}: records that cannot be read", count=unreadable))
        return seen, last

    def _save(self, channel: str, place: Place) -> None:
        self._places[channel] = place
        self._cursor.save(Places(channels=self._places))


def _close_all(opened: dict[str, Subscription]) -> None:
    for one in opened.values():
        one.close()


def _reduced(absent: Sequence[str], denied: Sequence[str]) -> Words | None:
    """What is not read, and why; None where all is."""
    zh, en = [], []
    if denied:
        zh.append(f"无权读取:{'、'.join(denied)}(须加入 Event Log Readers 组)")
        en.append(f"no permission to read {', '.join(denied)} (join the group Event Log Readers)")
    if absent:
        zh.append(f"没有这些通道:{'、'.join(absent)}")
        en.append(f"no such channels: {', '.join(absent)}")
    return Words(";".join(zh), "; ".join(en)) if zh else None
