"""Authentication log source: auth.log or secure, followed line by line."""

import os
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from crypto.words import Words
from sensors.event import Observation
from sensors.host.auth_event import describe_line
from sensors.host.cursor import Cursor
from sensors.host.follow import FollowedFile, follow_lines
from sensors.host.observe import gap

Emit = Callable[[Sequence[Observation]], None]

_POLL_SECONDS: Final = 1.0


class AuthLogSource:
    """Source ``auth-log:<file name>``."""

    def __init__(self, path: Path, cursor: Cursor, *, poll_seconds: float = _POLL_SECONDS) -> None:
        self.name = f"auth-log:{path.name}"
        self._path = path
        self._cursor = cursor
        self._poll_seconds = poll_seconds
        self._followed: FollowedFile | None = None

    def missing(self) -> Words | None:
        """The log must exist and be readable."""
        if not self._path.exists():
            return Words(
                f"没有 {self._path}(未运行 syslog 服务)",
                f"{self._path} does not exist (no syslog service runs)",
            )
        if not os.access(self._path, os.R_OK):
            return Words(f"无权读取 {self._path}", f"no permission to read {self._path}")
        return None

    def pressing(self) -> bool:
        """A rotated file is not left waiting: it may be deleted."""
        return self._followed is not None and self._followed.left_behind()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit one event per line until ``stop``."""
        followed = self._followed = FollowedFile(self._path, self._cursor)

        def take(lines: list[bytes]) -> None:
            now = datetime.now().astimezone()
            seen = [describe_line(line, now) for line in lines]
            known = [one for one in seen if one is not None]
            if len(known) < len(seen):
                unknown = len(seen) - len(known)
                known.append(gap(self.name, f"lines of unknown form in {self._path}", count=unknown))
            emit(known)

        follow_lines(followed, take, stop, self._poll_seconds)
