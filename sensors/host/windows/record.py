"""A rendered record (XML, as EvtRender gives it) in the form the reader of EVTX files describes.

Both ways lead to one description (sensors/host/read_evtx.py), so that a rule meets the same names whether a
record was subscribed to or read out of a file. XML carries no types: a number stays text here.
"""

import re
from typing import Any, Final
from xml.parsers import expat

from sensors.event import Observation
from sensors.host.read_evtx import describe_event

RECORD_CHARS_MAX: Final = 1024 * 1024  # a record is at most 64 KiB in the log; as XML it grows
DEPTH_MAX: Final = 16
ELEMENTS_MAX: Final = 4_000
_NANOSECONDS: Final = re.compile(r"(\.\d{6})\d{1,3}(?=\D|$)")


class _Element:
    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Element] = []
        self.text: list[str] = []


class _Refused(Exception):
    """The text has not the form of a record."""


class _Tree:
    """The elements of one text, bounded; nothing is fetched and no entity of its own is declared."""

    def __init__(self) -> None:
        self._open: list[_Element] = []
        self._count = 0
        self.root: _Element | None = None
        parser = self._parser = expat.ParserCreate(encoding="utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._doctype

    def read(self, text: str) -> _Element:
        """The root element. Raises _Refused, or what the parser raises."""
        self._parser.Parse(text.encode("utf-8"), True)
        if self.root is None:
            raise _Refused
        return self.root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > ELEMENTS_MAX or len(self._open) >= DEPTH_MAX:
            raise _Refused
        element = _Element(name.rpartition(":")[2], attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, data: str) -> None:
        if self._open:
            self._open[-1].text.append(data)

    def _doctype(self, *_: object) -> None:
        raise _Refused


def describe_xml(text: str) -> Observation | None:
    """The event of one rendered record; None where it has not the form of one."""
    if len(text) > RECORD_CHARS_MAX:
        return None
    try:
        root = _Tree().read(text)
    except (_Refused, expat.ExpatError, UnicodeEncodeError):
        return None
    if root.name != "Event":
        return None
    event: dict[str, Any] = {}
    for part in root.children:
        if part.name == "EventData":
            event[part.name] = _named(part)
        elif part.name not in event:
            event[part.name] = _plain(part)
    return describe_event(_dated(event))


def record_number(text: str) -> int:
    """EventRecordID of a record; 0 where it cannot be read."""
    _, found, rest = text.partition("<EventRecordID>")
    number = rest[:20].partition("<")[0]
    return int(number) if found and number.isascii() and number.isdecimal() else 0


def _named(data: _Element) -> dict[str, Any]:
    """EventData: ``<Data Name="x">`` by its name; those without a name together, in order."""
    found: dict[str, Any] = {}
    unnamed: list[str] = []
    for element in data.children:
        name = element.attributes.get("Name", "") if element.name == "Data" else element.name
        value = "".join(element.text)
        if name:
            found.setdefault(name, value)
        else:
            unnamed.append(value)
    if unnamed:
        found["Data"] = {"#text": unnamed}
    return found


def _plain(element: _Element) -> Any:
    """An element as a mapping of its children, or as its text, with its attributes beside."""
    text = "".join(element.text)
    if element.children:
        table: dict[str, Any] = {}
        for child in element.children:
            table.setdefault(child.name, _plain(child))
        if element.attributes:
            table["#attributes"] = dict(element.attributes)
        return table
    if element.attributes:
        stripped = {"#text": text} if text.strip() else {}
        return {"#attributes": dict(element.attributes), **stripped}
    return text


def _dated(event: dict[str, Any]) -> dict[str, Any]:
    """Windows writes a time to 100 ns; what stands after the microseconds is cut off."""
    try:
        attributes = event["System"]["TimeCreated"]["#attributes"]
        attributes["SystemTime"] = _NANOSECONDS.sub(r"\1", attributes["SystemTime"][:64])
    except (KeyError, TypeError):
        pass
    return event
