"""What happened to incidents, notices and orders, as programs are told of it; read from the acts.

An act is written with what it does, so that none is lost and none told twice. Told is what was opened, what
changed, and what is overdue; no text that people typed and no person's name.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal

import msgspec

from compliance.acts_store import ActsStore, TakenAct
from compliance.incident import STEPS
from compliance.notice import OUT
from crypto.words import BadInput, Words
from detection.condition import Condition, fields
from detection.evaluate import matches
from detection.query.fields import Fields, read_fields
from detection.query.parse import parse_query
from rules import ROOT
from sensors.event import Event, LogSource, Observation, stamp

CaseEvent = Literal["incidents", "notices", "orders"]
KINDS: Final[Mapping[str, CaseEvent]] = {"incident": "incidents", "notice": "notices", "order": "orders"}
_SAID: Final[Mapping[CaseEvent, tuple[str, ...]]] = {
    "incidents": ("number", "state", "unit", "system", "category", "kind", "grade", "discovered", "closed"),
    "notices": ("id", "number", "state", "kind", "unit", "receiver", "receiver_state", "due"),
    "orders": ("number", "state", "unit", "system", "object", "check", "severity", "issued", "deadline"),
}
_ALWAYS: Final = ("act", "step", "time")
_QUIET: Final = frozenset({"reminded", "escalated"})  # but for what is overdue
_PERCENT: Final = re.compile(r"(\d{1,3}) %$")


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell: ``data`` is what is sent, ``units`` whose it is.

    Who sees one of ``whole`` is told of it as a whole, by another happening.
    """

    event: CaseEvent
    about: str
    data: dict[str, Any]
    units: frozenset[str]
    whole: frozenset[str] = frozenset()

    def within(self, units: frozenset[str] | None) -> bool:
        """Whether it is told to who sees these units; None sees all."""
        if units is None:
            return not self.whole
        return bool(self.units & units) and not self.whole & units


class CaseFeed:
    """The acts of one center as happenings; ``unit_of`` names the unit of a graded system, '' if none."""

    def __init__(self, acts: ActsStore, unit_of: Callable[[str], str]) -> None:
        self._acts = acts
        self._unit_of = unit_of

    def last(self) -> int:
        """The last act there is."""
        return self._acts.last()

    def after(self, position: int) -> tuple[list[Happening], int]:
        """What happened after an act, and how far that goes."""
        taken = self._acts.after(position)
        found = [told for act in taken for told in self._told(act)]
        return found, taken[-1].id if taken else position

    def _told(self, act: TakenAct) -> Sequence[Happening]:
        event = KINDS.get(act.kind)
        if event is None:
            return ()
        payload = msgspec.json.decode(act.payload)
        kept, step = payload[act.kind], payload["action"]
        known = {"step": step, "time": act.time, "act": _happened(event, step, payload.get("note", ""))}
        if event == "notices":
            return self._notice(kept, payload.get("receipt"), known)
        if not known["act"]:
            return ()
        unit = kept["unit"] if event == "incidents" else self._unit_of(kept["system"])
        return [_one(event, kept["number"], kept | known | {"unit": unit}, {unit})]

    def _notice(self, kept: Any, receipt: Any, known: dict[str, Any]) -> list[Happening]:
        """Of a paper that is out: to the issuer once, to each receiver what is its own."""
        if not known["act"] or kept["state"] not in OUT or "issuer" not in kept:
            return []
        known |= {"unit": kept["issuer"]} | {name: kept[name] for name in ("id", "number", "state", "kind")}
        issuer, about = kept["issuer"], str(kept["id"])
        if receipt is not None:
            return [_one("notices", about, known | _part(receipt), {issuer, receipt["unit"]})]
        parts = [
            _one("notices", about, known | _part(one), {one["unit"]}, {issuer}) for one in kept["receipts"]
        ]
        return [_one("notices", about, known, {issuer}), *parts]


class CaseQuery:
    """A query text over happenings; '' finds every one. Raises BadInput (query-syntax, case-query)."""

    def __init__(self, text: str, events: Sequence[CaseEvent]) -> None:
        self._condition: Condition | None = None
        if not text.strip():
            return
        self._condition = parse_query(text, case_fields())
        for name in sorted(fields(self._condition)):
            for event in events:
                if name not in (*_SAID[event], *_ALWAYS):
                    raise _unknown(name, event)

    def finds(self, told: Happening) -> bool:
        """Whether it is one of those asked for."""
        if self._condition is None:
            return True
        return matches(self._condition, _document(told))


@cache
def case_fields() -> Fields:
    """The names a query may use."""
    return read_fields(ROOT / "query" / "case_fields.toml")


def _happened(event: CaseEvent, step: str, note: str) -> str:
    """opened, changed or overdue; '' where nobody outside need know."""
    if step in _QUIET:
        reached = _PERCENT.search(note) if step == "reminded" else None
        return "overdue" if reached is not None and int(reached[1]) >= 100 else ""
    if step in ("opened", "issued", "issue"):
        return "opened"
    if event == "incidents":
        return "changed" if step in STEPS or step in ("merged", "changed") else ""
    return "changed"


def _one(
    event: CaseEvent, about: str, values: Mapping[str, Any], units: set[str], whole: Iterable[str] = ()
) -> Happening:
    data = {name: values.get(name) for name in (*_ALWAYS, *_SAID[event])}
    return Happening(event=event, about=about, data=data, units=frozenset(units), whole=frozenset(whole))


def _part(receipt: Mapping[str, Any]) -> dict[str, Any]:
    return {"receiver": receipt["unit"], "receiver_state": receipt["state"], "due": receipt["due"]}


def _document(told: Happening) -> Event:
    """A happening in the form conditions are asked of."""
    shown = {name: _plain(value) for name, value in told.data.items()}
    seen = Observation(time=told.data["time"], logsource=LogSource(), fields=shown)
    return stamp(seen, unit="", sensor="", epoch=0, sequence=0)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _unknown(name: str, event: CaseEvent) -> BadInput:
    known = ", ".join((*_ALWAYS, *_SAID[event]))
    return BadInput(
        "case-query",
        Words(f"{event} 没有字段 {name}", f"{event} have no field {name}"),
        Words(
            f"可用:{known};不同事件要用不同条件时请分别订阅",
            f"use {known}; make one webhook each where events need different conditions",
        ),
        field="query",
    )
