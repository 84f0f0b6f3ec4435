"""Files somebody uploads before asking for a transfer: bounded, private to the person, gone after an hour.

They lie under names of the center's own making; the name a person gave is checked and only remembered.
"""

import os
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from crypto.package_names import flaw_of_name, flaw_of_names
from crypto.sm3 import Sm3
from crypto.words import BadInput, Refused, Words
from soc_api.transfer_port import StagedFile

BYTES_MAX: Final = 64 << 20  # of one person, and of one imported package; larger ones by the command line
FILES_MAX: Final = 64
CENTER_BYTES_MAX: Final = 8 * BYTES_MAX
AGE_MAX: Final = timedelta(hours=1)


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """An uploaded file; ``id`` is a secret of its owner's session."""

    id: str
    owner: str
    since: datetime
    name: str
    size: int
    sm3: str
    path: Path

    @property
    def staged(self) -> StagedFile:
        """As the transfer side takes it."""
        return StagedFile(name=self.name, size=self.size, sm3=self.sm3, path=self.path)


class Uploads:
    """The waiting files of a center, in a folder of its own that is emptied when the center starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: dict[str, Upload] = {}
        self._writing: dict[str, tuple[str, int]] = {}  # id -> (owner, bytes so far)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in folder.iterdir():
            left.unlink()

    def begin(self, owner: str, name: str, now: datetime) -> "Writing":
        """Start an upload. Raises BadInput (transfer-file-name), Refused (transfer-uploads-full)."""
        if flaw := flaw_of_name(name):
            raise _bad_name(flaw)
        self._forget(now)
        id_ = secrets.token_hex(16)
        with self._lock:
            waiting = sum(one.owner == owner for one in self._kept.values())
            waiting += sum(of == owner for of, _ in self._writing.values())
            if waiting >= FILES_MAX:
                raise _full()
            self._writing[id_] = owner, 0
        try:
            return Writing(self, id_, name, now, self._folder / id_)
        except OSError:
            self._end(id_)
            raise

    def take(self, owner: str, ids: Sequence[str]) -> list[Upload]:
        """The person's uploads of these ids. Raises BadInput (transfer-files)."""
        with self._lock:
            found = [self._kept.get(id_) for id_ in ids]
        uploads = [one for one in found if one is not None and one.owner == owner]
        flaw = flaw_of_names(one.name for one in uploads)
        if flaw or len(uploads) != len(ids):
            raise BadInput(
                "transfer-files",
                Words("文件已过期、重复或不是本人上传的", "a file is gone, given twice or not yours"),
                Words("请重新选择文件后提交", "choose the files again and submit"),
                field="body.files",
            )
        return uploads

    def drop(self, uploads: Sequence[Upload]) -> None:
        """Forget these and delete their bytes."""
        with self._lock:
            for one in uploads:
                self._kept.pop(one.id, None)
        for one in uploads:
            one.path.unlink(missing_ok=True)

    def _forget(self, now: datetime) -> None:
        with self._lock:
            old = [one for one in self._kept.values() if now - one.since > AGE_MAX]
        self.drop(old)

    def _grow(self, id_: str, by: int) -> None:
        with self._lock:
            owner, size = self._writing[id_]
            self._writing[id_] = owner, size + by
            kept = [(one.owner, one.size) for one in self._kept.values()]
            sizes = [*kept, *self._writing.values()]
        if sum(size for of, size in sizes if of == owner) > BYTES_MAX:
            raise _full()
        if sum(size for _, size in sizes) > CENTER_BYTES_MAX:
            raise _full()

    def _end(self, id_: str, name: str = "", sm3: str = "", since: datetime | None = None) -> Upload | None:
        with self._lock:
            owner, size = self._writing.pop(id_)
            if since is None:
                return None
            path = self._folder / id_
            made = Upload(id=id_, owner=owner, since=since, name=name, size=size, sm3=sm3, path=path)
            self._kept[id_] = made
            return made


class Writing:
    """One upload on its way; ``finish`` or ``abandon`` ends it."""

    def __init__(self, uploads: Uploads, id_: str, name: str, now: datetime, path: Path) -> None:
        self._uploads, self._id, self._name, self._now, self._path = uploads, id_, name, now, path
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file: BinaryIO = os.fdopen(number, "wb")
        self._sm3 = Sm3()
        self._size = 0

    def write(self, data: bytes) -> None:
        """Add bytes. Raises Refused (transfer-uploads-full)."""
        self._uploads._grow(self._id, len(data))
        self._sm3.update(data)
        self._size += len(data)
        self._file.write(data)

    def finish(self) -> Upload:
        """The whole file. Raises BadInput (transfer-file-empty)."""
        self._file.close()
        if not self._size:
            raise BadInput(
                "transfer-file-empty",
                Words("文件是空的", "the file is empty"),
                Words("请选择有内容的文件", "choose a file that has content"),
                field="body",
            )
        made = self._uploads._end(self._id, self._name, self._sm3.hexdigest(), self._now)
        assert made is not None
        return made

    def abandon(self) -> None:
        """Delete what was written."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._uploads._end(self._id)


def _bad_name(flaw: str) -> BadInput:
    return BadInput(
        "transfer-file-name",
        Words(f"文件名不合要求:{flaw}", f"the file name is refused: {flaw}"),
        Words("请改名后重新上传", "rename the file and upload it again"),
        field="query.name",
    )


def _full() -> Refused:
    return Refused(
        "transfer-uploads-full",
        Words(
            "待申请的文件超过控制台限额(每人 64 MiB、64 个)",
            "the files waiting exceed the console's limit (64 MiB and 64 files a person)",
        ),
        Words(
            "请减少文件,或用命令行 liuhe transfer request",
            "take fewer files, or use the command line: liuhe transfer request",
        ),
    )
