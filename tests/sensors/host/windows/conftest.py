"""A double of wevtapi.dll and the four calls of kernel32: real C function pointers, called through ctypes.

It answers as Microsoft documents the calls; it is not Windows. Records are the XML of public EVTX files with
record numbers of the double's own, as a channel of one machine would hold them.
"""

import ctypes
import re
import threading
from collections.abc import Callable
from ctypes import CFUNCTYPE, c_uint32
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sensors.host.windows.event_log import EVENT_CALLS, KERNEL_CALLS, Libraries, WindowsEventLog

CASES = Path(__file__).resolve().parents[5] / "shared/data/sigma/regression_data"
_NO_MORE, _SMALL, _DENIED, _HANDLE, _ABSENT, _STALE = 259, 122, 5, 6, 15007, 15011
_BOOKMARK = re.compile(r"<Bookmark Channel='([^']*)' RecordId='(\d+)' IsCurrent='true'/>")


class Machine:
    """Channels of a pretended Windows host: what is written, what is asked, which handles are open."""

    def __init__(self) -> None:
        self.channels: dict[str, list[tuple[int, str]]] = {}
        self.denied: set[str] = set()
        self.handles: dict[int, dict[str, Any]] = {}
        self._error = threading.local()
        self._next_handle = 0x7FFF_0000_0000  # wider than 32 bits, as handles may be
        self._signal = threading.Event()
        self._calls = {name: self._pointer(name, call) for name, call in self._table().items()}

    @property
    def libraries(self) -> Libraries:
        calls = SimpleNamespace(**self._calls)
        return Libraries(calls, calls, lambda: int(getattr(self._error, "code", 0)))

    def open(self) -> WindowsEventLog:
        return WindowsEventLog(self.libraries)

    def write(self, channel: str, xml: str) -> int:
        """A record appended; its number."""
        kept = self.channels.setdefault(channel, [])
        number = kept[-1][0] + 1 if kept else 101
        told = re.sub(r"<EventRecordID>\d+<", f"<EventRecordID>{number}<", xml, count=1)
        kept.append((number, told))
        self._signal.set()
        return number

    def _pointer(self, name: str, call: Callable[..., int | None]) -> Any:
        result, arguments = (EVENT_CALLS | KERNEL_CALLS)[name]
        return CFUNCTYPE(result, *arguments)(call)

    def _table(self) -> dict[str, Callable[..., int | None]]:
        return {
            "EvtSubscribe": self._subscribe,
            "EvtQuery": self._query,
            "EvtNext": self._next,
            "EvtRender": self._render,
            "EvtCreateBookmark": self._create_bookmark,
            "EvtUpdateBookmark": self._update_bookmark,
            "EvtClose": self._close,
            "CreateEventW": lambda *_: self._handle(kind="signal"),
            "ResetEvent": lambda _: self._signal.clear() or 1,
            "WaitForSingleObject": lambda _, ms: 0 if self._signal.wait(ms / 1000) else 258,
            "CloseHandle": self._close,
        }

    def _fail(self, code: int) -> int:
        self._error.code = code
        return 0

    def _handle(self, **state: Any) -> int:
        self._next_handle += 4
        self.handles[self._next_handle] = state
        return self._next_handle

    def _subscribe(self, *given: Any) -> int:
        _session, signal, path, query, bookmark, _context, callback, flags = given
        assert self.handles[signal]["kind"] == "signal"
        assert callback is None
        assert _text(query) == "*"
        channel = _text(path)
        if channel not in self.channels:
            return self._fail(_ABSENT)
        if channel in self.denied:
            return self._fail(_DENIED)
        after = 0
        if flags & 0xFFFF == 3:
            after = self.handles[bookmark]["record"]
            if flags & 0x10000 and after not in [number for number, _ in self.channels[channel]]:
                return self._fail(_STALE)
        return self._handle(kind="results", channel=channel, after=after)

    def _query(self, _session: Any, path: int, _query: int, flags: int) -> int:
        assert flags == 0x201
        channel = _text(path)
        if channel not in self.channels:
            return self._fail(_ABSENT)
        return self._fail(_DENIED) if channel in self.denied else self._handle(kind="newest", channel=channel)

    def _next(self, results: int, size: int, events: Any, _timeout: int, _flags: int, returned: Any) -> int:
        state = self.handles[results]
        kept = self.channels[state["channel"]]
        if state["kind"] == "newest":
            given = kept[-1:]
        else:
            given = [one for one in kept if one[0] > state["after"]][:size]
        if not given:
            return self._fail(_NO_MORE)
        for index, (number, xml) in enumerate(given):
            handle = self._handle(kind="event", channel=state["channel"], record=number, xml=xml)
            events[index] = handle
            state["after"] = number
        returned[0] = c_uint32(len(given))
        return 1

    def _render(self, _context: Any, handle: int, flags: int, size: int, *out: Any) -> int:
        buffer, used, count = out
        state = self.handles[handle]
        if flags == 1:
            text = state["xml"]
        else:
            channel, record = state["channel"], state["record"]
            one = f"  <Bookmark Channel='{channel}' RecordId='{record}' IsCurrent='true'/>\r\n"
            text = f"<BookmarkList>\r\n{one if record else ''}</BookmarkList>"
        data = text.encode("utf-16-le") + b"\0\0"
        used[0], count[0] = c_uint32(len(data)), c_uint32(0)
        if len(data) > size:
            return self._fail(_SMALL)
        ctypes.memmove(buffer, data, len(data))
        return 1

    def _create_bookmark(self, text: int | None) -> int:
        found = _BOOKMARK.search(_text(text)) if text else None
        if text and found is None:
            return self._fail(13)
        channel, record = (found[1], int(found[2])) if found else ("", 0)
        return self._handle(kind="bookmark", channel=channel, record=record)

    def _update_bookmark(self, bookmark: int, event: int) -> int:
        self.handles[bookmark] |= {key: self.handles[event][key] for key in ("channel", "record")}
        return 1

    def _close(self, handle: int) -> int:
        return 1 if self.handles.pop(handle, None) else self._fail(_HANDLE)


def _text(address: int | None) -> str:
    """The UTF-16 text at an address, up to its zero."""
    data = b""
    while address and (pair := ctypes.string_at(address + len(data), 2)) != b"\0\0":
        data += pair
    return data.decode("utf-16-le")


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture(scope="session")
def public_records() -> list[tuple[str, str]]:
    """XML and JSON of every record of the public regression files."""
    files = sorted(CASES.rglob("*.evtx"))
    if not files:
        pytest.skip("the regression cases of SigmaHQ are not at hand")
    evtx = pytest.importorskip("evtx")
    found: list[tuple[str, str]] = []
    for path in files:
        xml = [one["data"] for one in evtx.PyEvtxParser(str(path)).records()]
        json = [one["data"] for one in evtx.PyEvtxParser(str(path)).records_json()]
        found += zip(xml, json, strict=True)
    return found
