"""Login source: successful logins of wtmp and failed ones of btmp, record by record.

Works where there is neither syslog nor journald: login, sshd and su write btmp themselves.
"""

import os
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from crypto.words import Words
from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.follow import FollowedFile
from sensors.host.observe import gap
from sensors.host.utmp import describe, layout, parse_record

Emit = Callable[[Sequence[Observation]], None]

_POLL_SECONDS: Final = 1.0


class LoginSource:
    """Source ``logins:wtmp`` or ``logins:btmp``; ``failed`` says that the file holds failures."""

    def __init__(
        self, path: Path, cursor: Cursor, *, failed: bool, poll_seconds: float = _POLL_SECONDS
    ) -> None:
        self.name = "logins:btmp" if failed else "logins:wtmp"
        self._path = path
        self._cursor = cursor
        self._failed = failed
        self._poll_seconds = poll_seconds
        self._followed: FollowedFile | None = None
        self._form: struct.Struct = layout()

    def missing(self) -> Words | None:
        """The file must exist (programs append, they do not create it) and be readable."""
        if not self._path.exists():
            return Words(
                f"没有 {self._path},登录程序不会创建它",
                f"{self._path} does not exist and login programs do not create it",
            )
        if not os.access(self._path, os.R_OK):
            return Words(f"无权读取 {self._path}", f"no permission to read {self._path}")
        return None

    def pressing(self) -> bool:
        """A rotated file is not left waiting: it may be deleted."""
        return self._followed is not None and self._followed.left_behind()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit login events until ``stop``."""
        followed = self._followed = FollowedFile(self._path, self._cursor)
        try:
            while True:
                more = self._take(followed, emit)
                if stop.wait(0 if more else self._poll_seconds):
                    return
        finally:
            followed.close()

    def _take(self, followed: FollowedFile, emit: Emit) -> bool:
        """Emit the next whole records; whether there were any."""
        data = followed.read()
        size = self._form.size
        whole = len(data) - len(data) % size
        if whole == 0:
            return False
        records = [parse_record(data[at : at + size], self._form) for at in range(0, whole, size)]
        seen = [event for one in records if one and (event := describe(one, failed=self._failed))]
        unknown = sum(one is None for one in records)
        if unknown:
            seen.append(gap(self.name, f"records of unknown form in {self._path}", count=unknown))
        if seen:
            emit(seen)
        followed.advance(whole)
        return True
