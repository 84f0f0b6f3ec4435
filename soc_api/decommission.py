"""Taking a center out of service: every key is overwritten and removed, so what they sealed is lost (P-27).

Second factors, webhook secrets, packets, the evidence locker and pseudonyms are sealed under ``keys/``; the
ledger stays checkable, since its checkpoints carry signatures. Copies elsewhere (backups, blocks an SSD has
moved) are not reached: destroy the backups of the keys too.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import Refused, Words
from soc_api.audit import SYSTEM_SOURCE, entry
from soc_api.folders import Folders, audit_of, state_engine
from soc_api.settings import load_settings

RECORD: Final = "decommissioned.json"
_FOLDERS: Final = ("keys", "sensors", "transfer", "witness")
_SECRETS: Final = frozenset({".pem", ".key", ".hex", ".token"})


def wipe_keys(data: Path, center: str, *, actor: str) -> list[str]:
    """The names of the files wiped; on record in the audit log first. The center must not run.

    Raises Refused (decommission-name) where ``center`` is not its id.
    """
    settings, folders = load_settings(data), Folders(data)
    if center != settings.center.id:
        raise Refused(
            "decommission-name",
            Words("中心编号不符,什么也没有清除", "that is not this center's id; nothing was wiped"),
            Words("请核对目录与 center.toml 的 center.id", "check the folder and center.id in center.toml"),
            field=center,
        )
    now = datetime.now(UTC)
    engine = state_engine(folders, settings)
    line = entry(
        time=now,
        actor=actor,
        source=SYSTEM_SOURCE,
        action="center.decommission",
        about=f"center:{center}",
        result="accepted",
    )
    audit_of(engine).record(line)
    engine.dispose()
    wiped = []
    for path in _secrets(data):
        _overwrite(path)
        wiped.append(str(path.relative_to(data)))
    record = {"center": center, "time": now, "actor": actor, "wiped": wiped}
    (data / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))
    return wiped


def _secrets(data: Path) -> Iterator[Path]:
    """Everything in ``keys``, and private keys in the folders of sensors, transfers and witnessing."""
    for name in _FOLDERS:
        for path in sorted((data / name).rglob("*")):
            if path.is_file() and not path.is_symlink() and (name == "keys" or path.suffix in _SECRETS):
                yield path


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        for content in (os.urandom(size), bytes(size)):
            file.seek(0)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    path.unlink()
