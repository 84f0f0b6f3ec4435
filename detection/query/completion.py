"""What may stand at the cursor of a query text: fields, their Chinese names, operators, recent values.

The store is asked through a port, so that completion needs no database to be tested. The JSON form is in
docs/reference/query-language.md.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, Protocol

import msgspec

from crypto.words import Words
from detection.query.characters import plain
from detection.query.fields import FieldKind, Fields, shipped_fields
from detection.query.parse import AND, NOT, OR, QUERY_CHARS_MAX, SIGNS

ITEMS_MAX: Final = 50
VALUE_CHARS_MAX: Final = 200  # a longer value is offered to nobody

Expects = Literal["field", "operator", "value", "connective"]


class RecentValues(Protocol):
    """What events brought lately (detection.store.event_store)."""

    def recent_names(self) -> Sequence[tuple[str, int]]:
        """Names of fields with how many recent events have them, most frequent first."""
        ...

    def recent_values(self, names: Sequence[str]) -> Sequence[tuple[str, int]]:
        """Values of any of the fields with their number in recent events, most frequent first."""
        ...


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to choose."""

    insert: str
    kind: Literal["field", "alias", "operator", "value", "connective"]
    zh: str
    en: str
    field: str = ""
    count: int = 0


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand at the cursor; a chosen item replaces the characters from ``start`` to ``end``."""

    start: int
    end: int
    expects: Expects
    items: tuple[Item, ...]


_MEANINGS: Final[dict[str, Words]] = {
    ":": Words("等于", "equals"),
    "!=": Words("不等于", "does not equal"),
    ">": Words("大于", "greater than"),
    ">=": Words("大于等于", "greater than or equal"),
    "<": Words("小于", "less than"),
    "<=": Words("小于等于", "less than or equal"),
    "~": Words("匹配正则", "matches a regular expression"),
    "!~": Words("不匹配正则", "does not match a regular expression"),
    ":[": Words("范围,如 [1 TO 9]", "a range, as in [1 TO 9]"),
    ":*": Words("存在", "is there"),
}
_OPERATORS: Final[dict[FieldKind, tuple[str, ...]]] = {
    "text": (":", "!=", "~", "!~", ":*"),
    "number": (":", "!=", ">", ">=", "<", "<=", ":[", ":*"),
    "address": (":", "!=", ":[", ":*"),
    "flag": (":", "!=", ":*"),
}
_CONNECTIVES: Final[dict[str, Words]] = {
    "and": Words("且", "both"),
    "or": Words("或", "either"),
    "and not": Words("且非", "and not"),
}
_SPACE: Final = frozenset(" \t\r\n")
_NAMED: Final = frozenset("._-@")


class _Place(msgspec.Struct, frozen=True):
    """Where the cursor stands: the word around it, and the field and sign before, if it is a value."""

    start: int
    end: int
    expects: Expects
    typed: str
    name: str = ""


def complete(
    text: str, cursor: int, store: RecentValues | None = None, fields: Fields | None = None
) -> Completion:
    """What may stand at the character ``cursor`` of the text; any text is taken, right or wrong."""
    text = text[:QUERY_CHARS_MAX]
    cursor = max(0, min(cursor, len(text)))
    known = fields or shipped_fields()
    place = _place(text, cursor, known)
    if place.expects == "field":
        items = _names(place.typed, known, store)
    elif place.expects == "operator":
        items = _operators(known.meant(place.name), known)
    elif place.expects == "value":
        items = _values(place.typed, known.meant(place.name), known, store)
    else:
        items = (
            Item(insert=f"{word} ", kind="connective", zh=said.zh, en=said.en)
            for word, said in _CONNECTIVES.items()
        )
    unique: dict[str, Item] = {}
    for item in items:
        unique.setdefault(item.insert, item)  # a name of several fields is told of the first
    chosen = tuple(unique.values())[:ITEMS_MAX]
    return Completion(start=place.start, end=place.end, expects=place.expects, items=chosen)


def _place(text: str, cursor: int, fields: Fields) -> _Place:
    """Read the text up to the cursor, loosely: words, quotations, parentheses after a field."""
    signs = plain(text)
    at, name, listed = 0, "", 0
    before: Expects = "field"  # what may begin behind what was read
    while True:
        while at < cursor and (signs[at] in _SPACE or (listed and signs[at] == ",")):
            at += 1
        if at >= cursor:
            return _Place(cursor, cursor, "value" if listed else before, "", name)
        if signs[at] in "()":
            listed = _depth(listed, signs[at], named=before == "value")
            before = "connective" if signs[at] == ")" and not listed else "value" if listed else "field"
            at += 1
            continue
        start, at = at, _word_end(signs, at, _ends(bool(listed), before))
        word = signs[start : min(at, cursor)]
        if listed or before == "value":
            if at >= cursor:
                return _Place(start, max(at, cursor), "value", text[start:cursor], name)
            before = "connective" if not listed else "value"
            continue
        if word.lower() in (*AND, *OR, *NOT) and at < cursor:
            before = "field"
            continue
        if sign := _sign_at(signs, at, cursor):
            name, at, before = word.lstrip("-!+"), at + len(sign), "value"
            continue
        if at >= cursor:
            lead = len(word) - len(word.lstrip("-!+"))
            return _Place(start + lead, max(at, cursor), "field", text[start + lead : cursor])
        name = word
        following = signs[at:cursor].lstrip()
        spaces = len(signs[at:cursor]) - len(following)
        if sign := _sign_at(signs, at + spaces, cursor):
            at, before = at + spaces + len(sign), "value"
        elif spaces and not following and fields.knows(word):
            return _Place(cursor, cursor, "operator", "", word)
        else:
            before = "connective"


def _depth(listed: int, sign: str, *, named: bool) -> int:
    """How deep in a list of values; parentheses that group terms do not count."""
    if sign == "(":
        return listed + 1 if listed or named else 0
    return max(0, listed - 1)


def _ends(listed: bool, before: Expects) -> str | None:
    """Signs that end a value beside spaces, parentheses and quotations; None where a name is read."""
    return "," if listed else "" if before == "value" else None


def _word_end(signs: str, at: int, ends: str | None) -> int:
    if signs[at] == '"':
        end = at + 1
        while end < len(signs) and signs[end] != '"':
            end += 2 if signs[end] == "\\" else 1
        return min(end + 1, len(signs))
    end = at
    while end < len(signs) and signs[end] not in _SPACE and signs[end] not in '()"':
        if ends is None and end > at and not (signs[end].isalnum() or signs[end] in _NAMED):
            break
        if ends and signs[end] in ends:
            break
        end += 1
    return max(end, at + 1)


def _sign_at(signs: str, at: int, cursor: int) -> str:
    for sign, _ in SIGNS:
        if signs.startswith(sign, at) and at + len(sign) <= cursor:
            return sign
    return ""


def _names(typed: str, fields: Fields, store: RecentValues | None) -> Iterable[Item]:
    """Names that begin with what is typed, then those that hold it; Chinese names beside the others."""
    sought = plain(typed).casefold()
    recent = dict(store.recent_names()) if store else {}
    offered: list[tuple[tuple[bool, bool, int, int, str], Item]] = []
    for place, field in enumerate(fields.known):
        for name in (*field.aliases[: None if sought else 1], field.name):
            at = plain(name).casefold().find(sought)
            if at >= 0:
                kind: Literal["field", "alias"] = "field" if name == field.name else "alias"
                item = Item(insert=f"{name}:", kind=kind, zh=field.zh, en=field.en, field=field.name)
                frequent = -recent.get(field.name, 0)
                offered.append(((at > 0, kind == "field", frequent, place, name), item))
    known = {field.name for field in fields.known}
    for name, count in recent.items():
        at = name.casefold().find(sought)
        if at >= 0 and name not in known and all(one.isalnum() or one in _NAMED for one in name):
            item = Item(insert=f"{name}:", kind="field", zh="字段", en="field", field=name)
            offered.append(((at > 0, True, -count, len(known), name), item))
    return [item for _, item in sorted(offered, key=lambda one: one[0])]


def _operators(names: Sequence[str], fields: Fields) -> Iterable[Item]:
    kinds = [field.kind for field in fields.known if field.name in names] or ["text"]
    for sign in _OPERATORS[kinds[0]]:
        said = _MEANINGS[sign]
        yield Item(insert=sign, kind="operator", zh=said.zh, en=said.en)


def _values(typed: str, names: Sequence[str], fields: Fields, store: RecentValues | None) -> Iterable[Item]:
    """Recent values that begin with what is typed, then those that hold it."""
    sought = typed.strip('"“”').casefold()
    label = next((field for field in fields.known if field.name == names[0]), None)
    zh, en = (label.zh, label.en) if label else (names[0], names[0])
    flags = any(field.kind == "flag" for field in fields.known if field.name in names)
    found = list(store.recent_values(names)) if store else []
    if flags:
        found += [(text, 0) for text in ("true", "false") if text not in dict(found)]
    matching = [
        (text.casefold().find(sought), -count, text)
        for text, count in found
        if len(text) <= VALUE_CHARS_MAX and sought in text.casefold()
    ]
    for _, less, text in sorted(matching, key=lambda one: (one[0] > 0, one[1], one[2])):
        yield Item(insert=quoted(text), kind="value", zh=zh, en=en, field=names[0], count=-less)


def quoted(text: str) -> str:
    """The text as a value of a query that means it literally, quoted where it must be."""
    easy = bool(text) and all((one.isalnum() and one == plain(one)) or one in "._-/@:%" for one in text)
    if easy and not text.startswith(("-", ":")) and text.lower() not in (*AND, *OR, *NOT):
        return text
    escaped = text.replace("\\", "\\\\")
    for mark in '"“”＂':
        escaped = escaped.replace(mark, f"\\{mark}")
    return f'"{escaped}"'
