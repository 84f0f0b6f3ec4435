"""All device sources, in one place: listeners, and the log files of other programs."""

import os
import threading
from datetime import datetime
from pathlib import Path
from typing import Final

from crypto.words import Words
from sensors.device.receive import StreamSource, flow_datagrams, syslog_datagrams, zone_of
from sensors.device.record import Origin, describe_record
from sensors.device.settings import FLOW_SCHEMES, SYSLOG_SCHEMES, DeviceSettings, endpoint
from sensors.host.cursor import Cursor
from sensors.host.follow import FollowedFile, follow_lines
from sensors.source import Emit, Source

_POLL_SECONDS: Final = 0.5
_LINE_BYTES_MAX: Final = 256 * 1024  # an EVE record with a packet in it


def device_sources(settings: DeviceSettings, cursors: Path) -> list[Source]:
    """The sources named in the settings; cursors lie in the folder ``cursors``. Raises BadInput."""
    sources: list[Source] = []
    for text in settings.syslog:
        where = endpoint(text, SYSLOG_SCHEMES)
        udp = where.scheme == "udp"
        sources.append(syslog_datagrams(where, settings) if udp else StreamSource(where, settings))
    sources += [flow_datagrams(endpoint(text, FLOW_SCHEMES), settings) for text in settings.flows]
    sources += [RecordFileSource(Path(text), settings, cursors) for text in settings.files]
    return sources


class RecordFileSource:
    """Source ``file:<path>``: one event a line, resumed where it stopped; its form is found line by line."""

    def __init__(self, path: Path, settings: DeviceSettings, cursors: Path) -> None:
        self.name: Final = f"file:{path}"
        self._path = path
        self._zone = zone_of(settings)
        self._cursor = Cursor(cursors, f"file-{str(path).strip('/').replace('/', '_')}")
        self._followed: FollowedFile | None = None

    def missing(self) -> Words | None:
        """A file that does not exist yet is waited for; one that may not be read is not."""
        if self._path.exists() and not os.access(self._path, os.R_OK):
            return Words(f"无权读取 {self._path}", f"no permission to read {self._path}")
        return None

    def pressing(self) -> bool:
        """A rotated file is not left waiting: it may be deleted."""
        return self._followed is not None and self._followed.left_behind()

    def run(self, emit: Emit, stop: threading.Event) -> None:
        """Emit one event a line until ``stop``."""
        followed = self._followed = FollowedFile(self._path, self._cursor)

        def take(lines: list[bytes]) -> None:
            origin = Origin(datetime.now().astimezone(self._zone), name=self._path.name, zone=self._zone)
            seen = [one for one in (describe_record(line, origin) for line in lines) if one is not None]
            if seen:
                emit(seen)

        follow_lines(followed, take, stop, _POLL_SECONDS, _LINE_BYTES_MAX)
