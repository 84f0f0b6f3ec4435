"""Playbooks: what to do when a rule speaks, step by step, read from rules/playbooks/*.toml."""

import tomllib
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import BadInput, Words
from rules import ROOT

SHIPPED: Final = ROOT / "playbooks"
OTHER: Final = "drill"  # the file that is no playbook
_FILE_BYTES_MAX: Final = 256 * 1024
STEPS_MAX: Final = 50


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step; its id is a digest of its words, so that a mark never stands beside another text."""

    id: str
    text: Words


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """The steps in order, and the rules they are for; ``id`` is the file's name."""

    id: str
    title: Words
    steps: tuple[Step, ...]
    rules: tuple[str, ...]


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    zh: str
    en: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    title: _Said
    steps: list[_Said]
    rules: list[str]


class Playbooks:
    """All of them, and the one of a rule."""

    def __init__(self, every: Iterable[Playbook]) -> None:
        self.every = tuple(every)
        self._of = {rule: one for one in self.every for rule in one.rules}

    def of(self, rule: str) -> Playbook | None:
        """The playbook of a rule; None where nobody wrote one."""
        return self._of.get(rule)


@cache
def shipped_playbooks() -> Playbooks:
    """Those that come with the product. Raises BadInput (playbook-malformed) naming the file."""
    return read_playbooks(SHIPPED)


def read_playbooks(folder: Path) -> Playbooks:
    """The playbooks of a folder. Raises BadInput (playbook-malformed) naming the file."""
    return Playbooks(_read(path) for path in sorted(folder.glob("*.toml")) if path.stem != OTHER)


def _read(path: Path) -> Playbook:
    try:
        data = path.read_bytes()
        if len(data) > _FILE_BYTES_MAX:
            raise _bad(path, f"> {_FILE_BYTES_MAX} bytes")
        found = msgspec.convert(tomllib.loads(data.decode()), _File)
    except (OSError, ValueError, msgspec.ValidationError, RecursionError) as error:
        raise _bad(path, str(error)) from None
    if not 1 <= len(found.steps) <= STEPS_MAX:
        raise _bad(path, f"{len(found.steps)} steps")
    return Playbook(
        id=path.stem,
        title=Words(found.title.zh, found.title.en),
        steps=tuple(_step(path.stem, said) for said in found.steps),
        rules=tuple(found.rules),
    )


def _step(playbook: str, said: _Said) -> Step:
    digest = sha256(f"{playbook}\x00{said.zh}\x00{said.en}".encode()).hexdigest()
    return Step(id=digest[:16], text=Words(said.zh, said.en))


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "playbook-malformed",
        Words(f"预案文件不能用:{reason}", f"the playbook cannot be used: {reason}"),
        Words("请对照其他预案改正", "correct it after the others"),
        field=str(path),
    )
