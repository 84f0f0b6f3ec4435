"""Translated rules kept on disk between starts: a file whose bytes are known is not parsed again.

The file holds plain data (MessagePack, checked by type on reading) and only saves time: a damaged one, or one
that another version or other lists wrote, is left aside and written anew.
"""

import os
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec

from detection.correlation.rule import Correlation
from detection.sigma.filters import Filter
from detection.sigma.lists import Lists
from detection.sigma.rule import Rule

KEPT_BYTES_MAX: Final = 256 * 1024 * 1024
_CODE: Final = Path(__file__).resolve().parents[1]  # whatever translates lies below


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one file of rules became; files with errors are not kept."""

    digest: str
    rules: tuple[Rule, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    filters: tuple[Filter, ...] = ()


class _Book(msgspec.Struct):
    maker: str
    files: dict[str, Kept]


class KeptRules:
    """The kept rules of one center or one command."""

    def __init__(self, path: Path, lists: Lists) -> None:
        """Read what ``path`` holds, if it was made by this version with these lists."""
        self._path = path
        self._maker = _maker(lists)
        self._files: dict[str, Kept] = {}
        self._used: dict[str, Kept] = {}
        try:
            if path.stat().st_size <= KEPT_BYTES_MAX:
                book = msgspec.msgpack.decode(path.read_bytes(), type=_Book)
                if book.maker == self._maker:
                    self._files = book.files
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return  # whatever is wrong with it, the rules are translated anew

    def known(self, path: Path, digest: str) -> Kept | None:
        """What the file became when it had these bytes (SHA-256)."""
        kept = self._files.get(str(path))
        if kept is None or kept.digest != digest:
            return None
        self._used[str(path)] = kept
        return kept

    def keep(self, path: Path, kept: Kept) -> None:
        """Remember what the file became."""
        self._used[str(path)] = kept

    def save(self) -> None:
        """Write what was used, if it differs from what was read; a full disk costs time only."""
        if self._used == self._files:
            return
        body = msgspec.msgpack.encode(_Book(self._maker, self._used))
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(body)
            partial.replace(self._path)
        except OSError:
            partial.unlink(missing_ok=True)


def _maker(lists: Lists) -> str:
    """A digest of all that decides what a file becomes, beside its bytes."""
    state = sha256(version("pysigma").encode())
    for source in _sources():
        state.update(source.read_bytes())
    state.update(msgspec.msgpack.encode(sorted(lists.items())))
    return state.hexdigest()


def _sources() -> Iterable[Path]:
    return (*sorted((_CODE / "sigma").glob("*.py")), *sorted((_CODE / "correlation").glob("*.py")), *_TREE)


_TREE: Final = tuple(_CODE / name for name in ("condition.py", "facts.py", "pattern.py"))
