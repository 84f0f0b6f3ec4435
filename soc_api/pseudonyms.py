"""Pseudonyms of people in answers: the same name gives the same pseudonym, and the center can read it back.

``p-`` and base32 of a check of 5 bytes (HMAC-SM3 of the name) and the name under SM4-CTR with that check as
its counter: without the center's key nobody reads or makes one. How long a name is can be seen.
Which fields are personal is told by rules/privacy/personal.toml.
"""

import base64
import binascii
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from crypto.kdf import hkdf
from crypto.sm3 import hmac_sm3, same_digest
from crypto.sm4 import BLOCK_BYTES, Ctr
from detection.query.fields import shipped_fields
from rules import ROOT

NAME_CHARS_MAX: Final = 256
_CHECK_BYTES: Final = 5
TOKEN: Final = re.compile(r"\bp-([a-z2-7]{10,1640})\b")
# A user as alerts name one, wherever it stands: "user:zhang@web-01".
_ENTITY: Final = re.compile(r"\buser:([^\s@\"':,()]{1,256})@")
_WORD: Final = re.compile(r"[A-Za-z0-9_]")
_HEAD: Final = re.compile(r"[A-Za-z0-9_]+|[^A-Za-z0-9_]")  # where a name may begin, and how
# What is no text about people outside: ids, machines, places; and the center's own staff, who act by name.
_MACHINES: Final = {"id", "group", "rule", "sensor", "unit", "host", "host.name", "time", "next", "cursor"}
_STAFF: Final = {"owner", "actor", "author", "decider", "closed_by", "asked_by", "created_by", "person"}
_KEPT: Final = frozenset(_MACHINES | _STAFF)


class Personal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """rules/privacy/personal.toml."""

    fields: frozenset[str]
    system: frozenset[str]

    def hides(self, name: str) -> bool:
        """Whether a value of a personal field names a person."""
        folded = name.strip().casefold()
        return (
            1 < len(folded) <= NAME_CHARS_MAX
            and not folded.isdigit()
            and not folded.endswith("$")
            and folded not in self.system
            and TOKEN.fullmatch(name) is None
        )


@lru_cache(maxsize=1)
def shipped_personal() -> Personal:
    """As shipped."""
    return msgspec.convert(tomllib.loads((ROOT / "privacy" / "personal.toml").read_text("utf-8")), Personal)


class Finder:
    """Hides names in texts, however many they are; of two that fit the longer one is meant.

    A name of Latin letters or digits is found as a word, beside Chinese text too; a Chinese one anywhere.
    """

    def __init__(self, names: Iterable[str], hide: Callable[[str], str]) -> None:
        self._hide = hide
        self._names: dict[str, list[str]] = {}
        for name in sorted(set(names), key=len, reverse=True):
            head = _HEAD.match(name)
            if head is not None:
                self._names.setdefault(head[0], []).append(name)

    def hidden(self, text: str) -> str:
        """The text with pseudonyms for the names in it."""
        parts, done = [], 0
        for found in _HEAD.finditer(text):
            start = found.start()
            for name in self._names.get(found[0], ()) if start >= done else ():
                end = start + len(name)
                if text.startswith(name, start) and not (_WORD.match(name[-1]) and _WORD.match(text, end)):
                    parts += [text[done:start], self._hide(name)]
                    done = end
                    break
        return "".join([*parts, text[done:]]) if parts else text


class Pseudonyms:
    """Hides and reads back names under one key; safe to share between threads."""

    def __init__(self, key: bytes, personal: Personal | None = None) -> None:
        self.personal = personal or shipped_personal()
        self._check = bytes(hkdf(key, b"", b"liuhe pseudonym check", 32))
        self._key = bytes(hkdf(key, b"", b"liuhe pseudonym", 16))
        known = [field for field in shipped_fields().known if field.name in self.personal.fields]
        words = {word for field in known for word in (field.name, *field.aliases)} | self.personal.fields
        words -= {"user"}  # "user:zhang@web-01" is an entity
        self._fields = self.personal.fields | {field.name for field in known}
        either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
        self._asked = re.compile(rf"(?:(?<![\w.])(?:{either})\s*:\s*\"?)([^\s\"'():,]{{2,256}})")
        self._placed = re.compile(rf"((?<![\w.])(?:{either})\s*:\s*\"?|\buser:){TOKEN.pattern}")
        self._ending = re.compile(rf"(?<![\w.])({either})\s*:\s*\"?$")
        self.hide = lru_cache(maxsize=10_000)(self._hide)

    def _hide(self, name: str) -> str:
        """The pseudonym of a name."""
        data = name.encode()
        check = hmac_sm3(self._check, data)[:_CHECK_BYTES]
        return f"p-{base64.b32encode(check + self._under(check, data)).decode().rstrip('=').lower()}"

    def shown(self, name: str) -> str:
        """A person's pseudonym; other names as they are."""
        return self.hide(name) if self.personal.hides(name) else name

    def name(self, token: str) -> str | None:
        """The name behind the part of a pseudonym after its ``p-``; None where it is none of ours."""
        try:
            raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
        except binascii.Error:
            return None
        check, data = raw[:_CHECK_BYTES], self._under(raw[:_CHECK_BYTES], raw[_CHECK_BYTES:])
        if not same_digest(check, hmac_sm3(self._check, data)[:_CHECK_BYTES]):
            return None
        return data.decode()

    def field_asked(self, query: str) -> str:
        """'user.name' where a query ends by asking for a personal field; else ''."""
        return "user.name" if self._ending.search(query) else ""

    def read_back(self, text: str, seen: set[str], *, placed: bool = False) -> str:
        """The text with names for pseudonyms, those noted in ``seen``.

        ``placed``: only after a personal field or ``user:``, where the answer hides them again.
        """

        def real(found: re.Match[str]) -> str:
            before, token = (found[1], found[2]) if placed else ("", found[1])
            name = self.name(token)
            if name is None:
                return found[0]
            seen.add(name)
            return before + name

        return (self._placed if placed else TOKEN).sub(real, text)

    def veiled(self, document: Any, more: Iterable[str] = ()) -> Any:
        """A decoded answer with pseudonyms for the names it tells of, and for those in ``more``."""
        names = set(more)
        for name in self._names(document, ""):
            if self.personal.hides(name):
                names.add(name)
        return self._replaced(document, "", self.finder(names)) if names else document

    def finder(self, names: Iterable[str]) -> "Finder":
        """What puts pseudonyms for any of the names."""
        return Finder(names, self.hide)

    def _under(self, check: bytes, data: bytes) -> bytes:
        return Ctr(self._key, check.ljust(BLOCK_BYTES, b"\0")).update(data)

    def _names(self, value: Any, key: str) -> Iterator[str]:
        """Values of personal fields, wherever a document tells them."""
        if isinstance(value, str):
            if key in self._fields:
                yield value
            elif key == "entity" and value.startswith("user:"):
                yield value[5:].partition("@")[0]
            yield from _ENTITY.findall(value)
            if ":" in value:
                yield from self._asked.findall(value)
        elif isinstance(value, Mapping):
            yield from self._told(value)
            for name, inner in value.items():
                yield from self._names(inner, name)
        elif isinstance(value, list):
            for inner in value:
                yield from self._names(inner, key)

    def _told(self, row: Mapping[str, Any]) -> Iterator[str]:
        """A field and its values side by side: of a match, the side bar, a session, an entity."""
        field = row.get("field", row.get("session_field", row.get("name")))
        if isinstance(field, str) and field in self._fields:
            for name in ("value", "session_value", "values", "rows"):
                yield from _texts(row.get(name))
        if row.get("kind") == "user" and isinstance(row.get("name"), str):
            yield row["name"].partition("@")[0]

    def _replaced(self, value: Any, key: str, finder: "Finder") -> Any:
        if isinstance(value, str):
            return value if key in _KEPT else finder.hidden(value)
        if isinstance(value, Mapping):
            return {name: self._replaced(inner, name, finder) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._replaced(inner, key, finder) for inner in value]
        return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner.get("value") if isinstance(inner, Mapping) else inner)
