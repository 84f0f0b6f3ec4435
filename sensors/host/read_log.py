"""Reading a saved authentication or audit log (auth.log, secure, audit.log) from beginning to end."""

import gzip
from collections.abc import Iterator
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Final

from crypto.words import BadInput, Words
from sensors.event import Observation
from sensors.host.audit.read import is_audit, read_audit
from sensors.host.auth_event import describe_line
from sensors.host.observe import gap

LINE_BYTES_MAX: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"


def read_auth_log(path: Path) -> Iterator[Observation]:
    """Every line's event, UTF-8 or GB 18030, plain or gzip; the year of RFC 3164 times is the file's.

    Lines of unknown form are counted and told as one gap event at the end. Raises BadInput where the file
    cannot be read or none of its lines is a log line.
    """
    known = unknown = 0
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
        with _open(path) as lines:
            first = lines.readline(LINE_BYTES_MAX)
            lines.seek(0)
            if is_audit(first):
                yield from read_audit(iter(lambda: lines.readline(LINE_BYTES_MAX), b""), path.name)
                return
            while line := lines.readline(LINE_BYTES_MAX):
                if not line.strip():
                    continue
                event = describe_line(line, written)
                if event is None:
                    unknown += 1
                    continue
                known += 1
                yield event
    except (OSError, EOFError) as error:
        raise _bad(path, str(error)) from error
    if unknown and not known:
        raise _bad(path, f"none of {unknown} lines has the form of a syslog line")
    if unknown:
        yield gap("read", f"{path.name}: lines of unknown form", count=unknown)


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP
    return gzip.open(path, "rb") if compressed else path.open("rb")


def _bad(path: Path, reason: str) -> BadInput:
    return BadInput(
        "log-malformed",
        Words(f"不能作为认证日志读取:{reason}", f"cannot be read as an authentication log: {reason}"),
        Words(
            "请给出 auth.log、secure 或 syslog 格式的文件", "give a file in the form of auth.log or secure"
        ),
        field=str(path),
    )
