"""The fields of the query bar as data: their Chinese names, kinds and meanings (rules/query/fields.toml)."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from crypto.words import BadInput, Words
from detection.query.characters import plain
from rules import ROOT

SHIPPED: Final = ROOT / "query" / "fields.toml"
_FILE_BYTES_MAX: Final = 1 << 20

FieldKind = Literal["text", "number", "address", "flag"]


class QueryField(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field: its name in events, what its values are, what it means, and what else it is called."""

    name: str
    kind: FieldKind
    zh: str
    en: str
    aliases: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fields: tuple[QueryField, ...]


class Fields:
    """Known fields, and which of them a name in a query means."""

    def __init__(self, known: Iterable[QueryField]) -> None:
        self.known = tuple(known)
        meant: dict[str, list[str]] = {}
        for field in self.known:
            for alias in field.aliases:
                meant.setdefault(_key(alias), []).append(field.name)
        self._meant: Mapping[str, tuple[str, ...]] = {key: tuple(names) for key, names in meant.items()}

    def knows(self, name: str) -> bool:
        """Whether a name is one of these fields or their aliases."""
        return _key(name) in self._meant or any(field.name == name for field in self.known)

    def meant(self, name: str) -> tuple[str, ...]:
        """The fields of events a name in a query means; a name that is no alias means itself."""
        return self._meant.get(_key(name), (name,))


@cache
def shipped_fields() -> Fields:
    """The fields that come with the product."""
    return read_fields(SHIPPED)


def read_fields(path: Path) -> Fields:
    """The fields in a file. Raises BadInput (query-fields) naming file and reason."""
    try:
        data = path.read_bytes()
        if len(data) > _FILE_BYTES_MAX:
            raise _bad(path, f"> {_FILE_BYTES_MAX} bytes")
        found = msgspec.convert(tomllib.loads(data.decode()), _File).fields
    except (OSError, ValueError, msgspec.ValidationError, RecursionError) as error:
        raise _bad(path, str(error)) from None
    names = [field.name for field in found]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise _bad(path, f"twice: {', '.join(sorted(doubled))}")
    return Fields(found)


def _key(name: str) -> str:
    return plain(name).casefold()


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "query-fields",
        Words(f"字段别名文件不能用:{reason}", f"the file of field names cannot be used: {reason}"),
        Words(
            "请按 docs/reference/query-language.md 改正", "correct it, see docs/reference/query-language.md"
        ),
        field=str(path),
    )
