"""The subscription of Windows' own event library (wevtapi.dll), pulled: no thread of the system calls us.

Text crosses the border as UTF-16 LE bytes, whatever width ``wchar_t`` has here, so that the same code runs
against a library of a test. Handles are closed on every path: one left open per record would end the service.
"""

import ctypes
import os
from collections.abc import Callable
from ctypes import POINTER, byref, c_uint32, c_void_p
from typing import Any, Final, NamedTuple, Protocol

BATCH_MAX: Final = 64
RENDER_BYTES_MAX: Final = 4 * 1024 * 1024
_RENDER_BYTES: Final = 64 * 1024

NO_MORE_ITEMS: Final = 259
TIMEOUT: Final = 1460
INSUFFICIENT_BUFFER: Final = 122
ACCESS_DENIED: Final = 5
NOT_FOUND: Final = 1168
CHANNEL_NOT_FOUND: Final = 15007
RESULT_STALE: Final = 15011
_STALE: Final = frozenset({RESULT_STALE, NOT_FOUND})

_QUERY_CHANNEL: Final = 0x1
_QUERY_NEWEST_FIRST: Final = 0x200
_FROM_OLDEST: Final = 2
_AFTER_BOOKMARK: Final = 3
_STRICT: Final = 0x10000  # fail where the bookmarked record is gone, instead of going on at the next
_RENDER_XML: Final = 1
_RENDER_BOOKMARK: Final = 2
_MILLISECONDS_MAX: Final = 60_000

# Each call's result, and its arguments.
EVENT_CALLS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "EvtSubscribe": (
        c_void_p,
        (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_uint32),
    ),
    "EvtQuery": (c_void_p, (c_void_p, c_void_p, c_void_p, c_uint32)),
    "EvtNext": (c_uint32, (c_void_p, c_uint32, POINTER(c_void_p), c_uint32, c_uint32, POINTER(c_uint32))),
    "EvtRender": (
        c_uint32,
        (c_void_p, c_void_p, c_uint32, c_uint32, c_void_p, POINTER(c_uint32), POINTER(c_uint32)),
    ),
    "EvtCreateBookmark": (c_void_p, (c_void_p,)),
    "EvtUpdateBookmark": (c_uint32, (c_void_p, c_void_p)),
    "EvtClose": (c_uint32, (c_void_p,)),
}
KERNEL_CALLS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "CreateEventW": (c_void_p, (c_void_p, c_uint32, c_uint32, c_void_p)),
    "ResetEvent": (c_uint32, (c_void_p,)),
    "WaitForSingleObject": (c_uint32, (c_void_p, c_uint32)),
    "CloseHandle": (c_uint32, (c_void_p,)),
}


class Libraries(NamedTuple):
    """What is called: ``events`` has EVENT_CALLS, ``kernel`` KERNEL_CALLS; ``last_error`` of this thread."""

    events: Any
    kernel: Any
    last_error: Callable[[], int]


class EventLogError(OSError):
    """A call failed; ``code`` is the system's."""

    def __init__(self, call: str, code: int) -> None:
        super().__init__(f"{call} failed with error {code}")
        self.code = code

    @property
    def stale(self) -> bool:
        """Whether the records to go on after are gone: the log was cleared, or ran over them."""
        return self.code in _STALE


class Subscription(Protocol):
    """Records of one channel, from a place on."""

    def next(self) -> list[str | None]:
        """The next records as XML; None for one that cannot be rendered; empty where there is none now."""
        ...

    def bookmark(self) -> str:
        """The place after the last record given, to be saved."""
        ...

    def close(self) -> None:
        """Release what the system holds for it."""
        ...


class EventLog(Protocol):
    """The system's event logs."""

    def newest(self, channel: str) -> tuple[str, str]:
        """Bookmark and XML of the newest record; both empty where there is none."""
        ...

    def subscribe(self, channel: str, bookmark: str) -> Subscription:
        """Records after ``bookmark``; where it is empty, all. Raises EventLogError."""
        ...

    def wait(self, seconds: float) -> None:
        """Return when a record came, at the latest after ``seconds``."""
        ...

    def close(self) -> None:
        """Release what the system holds for it."""
        ...


def windows_libraries() -> Libraries | None:
    """The system's own; None where this is no Windows."""
    load: Any = getattr(ctypes, "WinDLL", None)
    if os.name != "nt" or load is None:
        return None
    last_error: Callable[[], int] = getattr(ctypes, "get_last_error")  # noqa: B009 (absent elsewhere)
    return Libraries(load("wevtapi", use_last_error=True), load("kernel32", use_last_error=True), last_error)


class WindowsEventLog:
    """EventLog over the system's libraries, or over ones that answer like them."""

    def __init__(self, libraries: Libraries) -> None:
        self.calls = libraries.events
        self.last_error = libraries.last_error
        self._kernel = libraries.kernel
        _declare(self.calls, EVENT_CALLS)
        _declare(self._kernel, KERNEL_CALLS)
        self._signal = self._kernel.CreateEventW(None, 1, 0, None)
        if not self._signal:
            raise EventLogError("CreateEventW", self.last_error())

    def newest(self, channel: str) -> tuple[str, str]:
        """Bookmark and XML of the newest record; both empty where there is none."""
        flags = _QUERY_CHANNEL | _QUERY_NEWEST_FIRST
        results = self.calls.EvtQuery(None, _wide(channel), _wide("*"), flags)
        if not results:
            raise EventLogError("EvtQuery", self.last_error())
        subscription = WindowsSubscription(self, results, "")
        try:
            records = subscription.next(1)
            return (subscription.bookmark(), records[0] or "") if records else ("", "")
        finally:
            subscription.close()

    def subscribe(self, channel: str, bookmark: str) -> "WindowsSubscription":
        """Records after ``bookmark``; where it is empty, all. Raises EventLogError."""
        mark = self.create_bookmark(bookmark) if bookmark else None
        flags = _AFTER_BOOKMARK | _STRICT if bookmark else _FROM_OLDEST
        try:
            results = self.calls.EvtSubscribe(
                None, self._signal, _wide(channel), _wide("*"), mark, None, None, flags
            )
            code = self.last_error()
        finally:
            if mark:
                self.calls.EvtClose(mark)
        if not results:
            raise EventLogError("EvtSubscribe", code)
        return WindowsSubscription(self, results, bookmark)

    def wait(self, seconds: float) -> None:
        """Return when a record came; the signal is taken back first, so that none is missed in between."""
        self._kernel.WaitForSingleObject(self._signal, min(int(seconds * 1000), _MILLISECONDS_MAX))
        self._kernel.ResetEvent(self._signal)

    def close(self) -> None:
        """Release the signal."""
        if self._signal:
            self._kernel.CloseHandle(self._signal)
            self._signal = None

    def create_bookmark(self, text: str) -> int:
        """A bookmark's handle, of the XML ``text`` or empty. Raises EventLogError."""
        handle: int | None = self.calls.EvtCreateBookmark(_wide(text) if text else None)
        if not handle:
            raise EventLogError("EvtCreateBookmark", self.last_error())
        return handle

    def render(self, handle: int, flags: int) -> str:
        """The text of a record or bookmark. Raises EventLogError."""
        size = _RENDER_BYTES
        while True:
            buffer = ctypes.create_string_buffer(size)
            used, count = c_uint32(), c_uint32()
            if self.calls.EvtRender(None, handle, flags, size, buffer, byref(used), byref(count)):
                return buffer.raw[: min(used.value, size)].decode("utf-16-le", "replace").rstrip("\0")
            code = self.last_error()
            if code != INSUFFICIENT_BUFFER or not size < used.value <= RENDER_BYTES_MAX:
                raise EventLogError("EvtRender", code)
            size = used.value


class WindowsSubscription:
    """Subscription over handles of the system."""

    def __init__(self, log: WindowsEventLog, results: int, bookmark: str) -> None:
        self._log = log
        self._results = results
        self._bookmark = log.create_bookmark(bookmark)

    def next(self, limit: int = BATCH_MAX) -> list[str | None]:
        """The next records as XML; None for one that cannot be rendered; empty where there is none now."""
        handles = (c_void_p * limit)()
        returned = c_uint32()
        if not self._log.calls.EvtNext(self._results, limit, handles, 0, 0, byref(returned)):
            code = self._log.last_error()
            if code in (NO_MORE_ITEMS, TIMEOUT):
                return []
            raise EventLogError("EvtNext", code)
        given = [handle for handle in handles[: min(returned.value, limit)] if handle]
        try:
            if given and not self._log.calls.EvtUpdateBookmark(self._bookmark, given[-1]):
                raise EventLogError("EvtUpdateBookmark", self._log.last_error())
            return [self._render(handle) for handle in given]
        finally:
            for handle in given:
                self._log.calls.EvtClose(handle)

    def bookmark(self) -> str:
        """The place after the last record given, to be saved."""
        return self._log.render(self._bookmark, _RENDER_BOOKMARK)

    def close(self) -> None:
        """Release what the system holds for it."""
        for handle in (self._bookmark, self._results):
            if handle:
                self._log.calls.EvtClose(handle)
        self._bookmark = self._results = 0

    def _render(self, handle: int) -> str | None:
        try:
            return self._log.render(handle, _RENDER_XML)
        except EventLogError:
            return None


def _declare(library: Any, calls: dict[str, tuple[Any, tuple[Any, ...]]]) -> None:
    for name, (result, arguments) in calls.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = list(arguments)


def _wide(text: str) -> Any:
    """A string of the system: UTF-16 LE with two zero bytes at its end (one is the buffer's own)."""
    return ctypes.create_string_buffer(text.encode("utf-16-le") + b"\0")
