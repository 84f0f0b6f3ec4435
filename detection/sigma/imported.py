"""Rules of others in a center's data folder: ``rules/imported/<digest>/``, and which of them may speak.

A release is written whole beside the one before and becomes current by one small file; the last but one stays
for going back. Authors stay in the rules and in every alert, the licence in the folder.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from crypto.words import BadInput, Words
from detection.alert import SEVERITIES, Severity
from detection.correlation.rule import Correlation
from detection.sigma.archive import Release
from detection.sigma.lists import Lists
from detection.sigma.load import Loaded, load_all
from detection.sigma.rule import Rule
from rules import ROOT
from sensors.segment_checkpoint import write_durably

CURRENT: Final = "current"
MANIFEST: Final = "release.json"
LICENCE: Final = ROOT / "licences" / "DRL-1.1.txt"
Status = Literal["stable", "test", "experimental"]
_STATUSES: Final[tuple[Status, ...]] = ("stable", "test", "experimental")
_DIGEST_CHARS: Final = 64
_MANIFEST_BYTES_MAX: Final = 64 * 1024 * 1024


class Entry(msgspec.Struct, frozen=True):
    """One rule of a release."""

    title: str
    author: str
    level: str
    status: str
    path: str  # below the release's folder
    digest: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a release holds; its own digest names the folder."""

    digest: str
    archive: str  # name of the file it came from
    imported: datetime
    licence: str = "DRL-1.1"
    rules: dict[str, Entry]
    unusable: tuple[str, ...] = ()  # "file:line: why", by path below the folder


class Change(msgspec.Struct, frozen=True):
    """One rule that the release before had otherwise, or had not, or alone has."""

    change: Literal["added", "changed", "removed"]
    id: str
    entry: Entry


class Speaking(msgspec.Struct, frozen=True, kw_only=True):
    """Which imported rules raise alerts: from this level on, and at least this mature."""

    level: Severity = "high"
    status: Status = "test"

    def takes(self, rule: Rule | Correlation) -> bool:
        """Whether the rule may speak; one without a status counts as experimental."""
        status = rule.status if rule.status in _STATUSES else "" if rule.status else "experimental"
        if status not in _STATUSES:  # deprecated, unsupported
            return False
        mature = _STATUSES.index(status) <= _STATUSES.index(self.status)
        return mature and SEVERITIES.index(rule.level) >= SEVERITIES.index(self.level)


DEFAULT: Final = Speaking()


def current_folder(folder: Path) -> Path | None:
    """The release in force below ``rules/imported``; None where none was imported."""
    try:
        digest = (folder / CURRENT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    named = folder / digest
    known = len(digest) == _DIGEST_CHARS and digest.isalnum() and named.is_dir() and not named.is_symlink()
    return named if known else None


def manifest_of(folder: Path | None) -> Manifest | None:
    """What the release in that folder said of itself; None where it cannot be read."""
    try:
        path = folder / MANIFEST if folder else None
        if path is None or path.stat().st_size > _MANIFEST_BYTES_MAX:
            return None
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError):
        return None


def take_in(
    folder: Path, release: Release, name: str, now: datetime, lists: Lists | None = None
) -> tuple[Manifest, list[Change]]:
    """Make the release the current one below ``folder``; what changed against the one before.

    Nothing changes where this fails. Raises BadInput where the folder cannot be written or no rule is usable.
    """
    before = current_folder(folder)
    target = folder / release.digest
    fresh = folder / f".{release.digest}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _write(fresh, release)
            manifest = _described(load_all([fresh / "rules"], lists), fresh, release.digest, name, now)
            if not manifest.rules:
                raise _unwritable(folder, "no usable rule in the archive")
            write_durably(fresh / MANIFEST, msgspec.json.encode(manifest))
            if target.exists():
                shutil.rmtree(target)
            fresh.replace(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        changes = changes_between(manifest_of(before) if before != target else manifest, manifest)
        write_durably(folder / CURRENT, release.digest.encode())
        _forget(folder, {target, before})
    except OSError as error:
        raise _unwritable(folder, str(error.strerror)) from None
    return manifest, changes


def changes_between(before: Manifest | None, after: Manifest) -> list[Change]:
    """Added, changed and removed rules, each kind by path."""
    old: Mapping[str, Entry] = before.rules if before else {}
    new = after.rules
    found = [Change("added", one, new[one]) for one in new.keys() - old.keys()]
    found += [
        Change("changed", one, new[one])
        for one in new.keys() & old.keys()
        if new[one].digest != old[one].digest
    ]
    found += [Change("removed", one, old[one]) for one in old.keys() - new.keys()]
    return sorted(found, key=lambda one: (one.change, one.entry.path, one.id))


def speaking(loaded: Loaded, folder: Path, choice: Speaking) -> Loaded:
    """Without the rules below ``folder`` that may not speak; those that may carry their authors' names.

    A rule that a correlation stands on stays.
    """
    needed = {name for one in loaded.correlations for name in one.rules}
    return msgspec.structs.replace(
        loaded,
        rules=tuple(_credited(loaded.rules, folder, choice, needed)),
        correlations=tuple(_credited(loaded.correlations, folder, choice, needed)),
    )


def _credited(rules: Iterable[Any], folder: Path, choice: Speaking, needed: set[str]) -> Iterable[Any]:
    below = f"{folder}{os.sep}"
    for rule in rules:
        if not rule.path.startswith(below):
            yield rule
        elif choice.takes(rule) or rule.id in needed:
            yield msgspec.structs.replace(rule, credit=rule.author)


def _write(fresh: Path, release: Release) -> None:
    for path, data in release.rules.items():
        _write_file(fresh / "rules" / path, data)
    for path, data in release.licences.items():
        _write_file(fresh / path, data)
    _write_file(fresh / LICENCE.name, LICENCE.read_bytes())


def _write_file(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)


def _described(loaded: Loaded, fresh: Path, digest: str, name: str, now: datetime) -> Manifest:
    def below(path: str) -> str:
        return str(Path(path).relative_to(fresh))

    every = (*loaded.rules, *loaded.correlations)
    return Manifest(
        digest=digest,
        archive=name,
        imported=now,
        rules={
            one.id: Entry(one.title.en, one.author, one.level, one.status, below(one.path), one.digest)
            for one in every
        },
        unusable=tuple(f"{below(one.path)}:{one.line}: {one.what}" for one in loaded.errors),
    )


def _forget(folder: Path, kept: set[Path | None]) -> None:
    for one in folder.iterdir():
        if one.is_dir() and one not in kept and not one.is_symlink():
            shutil.rmtree(one, ignore_errors=True)


def _unwritable(folder: Path, reason: str) -> BadInput:
    return BadInput(
        "rules-import",
        Words(f"规则未能导入:{reason}", f"the rules were not imported: {reason}"),
        Words("请检查规则包、目录权限和磁盘空间", "check the archive, the folder's permissions and the disk"),
        field=str(folder),
    )
