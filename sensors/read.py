"""Files of any kind the sensors understand, read with the parsers of the live sources.

The kind is found from the content, not from the name: capture files (pcap, pcapng, also gzip-compressed),
Windows event logs (EVTX), Events as NDJSON, Suricata's EVE and Zeek's logs as JSON, CEF, LEEF and syslog as
received, and text logs of authentication (also gzip-compressed).
"""

import gzip
import io
import socket
import zlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

from crypto.words import BadInput, Words
from sensors.event import EVENT_BYTES_MAX, Observation, decode
from sensors.network.capture_file import is_capture, read_packets
from sensors.network.inspection import Inspection
from sensors.network.observation import Reporter
from sensors.network.settings import NetworkSettings

SNIFF_BYTES: Final = 4 * 1024
UNPACKED_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024  # of a gzip-compressed file
_GZIP: Final = b"\x1f\x8b"
_EVTX: Final = b"ElfFile\x00"
_TAKE_PACKETS: Final = 1_024  # observations are handed on at least this often


def read_file(path: Path) -> Iterator[Observation]:
    """What the file tells, in file order. Raises BadInput naming the file and where it is wrong."""
    try:
        with path.open("rb") as stream:
            head = stream.read(SNIFF_BYTES)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _bad(path, "file-unreadable", f"无法读取:{reason}", f"cannot be read: {reason}") from error
    if head[:2] == _GZIP:
        return _read_compressed(path)
    if is_capture(head):
        return _read_plain_capture(path)
    if head.startswith(_EVTX):
        from sensors.host.read_evtx import read_evtx

        return read_evtx(path)
    if head.lstrip().startswith(b"{"):
        return _read_records(path) if _is_record(head) else _read_events(path)
    if b"CEF:" in head or b"LEEF:" in head or head.startswith(b"<"):
        return _read_records(path)
    if _is_text(head):
        from sensors.host.read_log import read_auth_log

        return read_auth_log(path)
    raise _bad(path, "file-kind-unknown", "不认识的文件类型", "a file of unknown kind")


def read_capture(stream: BinaryIO, path: Path) -> Iterator[Observation]:
    """The observations of an opened capture file; the flows still open at its end are reported as stopped."""
    settings = NetworkSettings()
    inspection = Inspection(settings, Reporter(socket.gethostname(), path.name), live=False)
    advanced = 0.0
    for number, (data, link_type, time) in enumerate(read_packets(stream, path), start=1):
        inspection.see(data, link_type, time)
        if time >= advanced + 1.0:  # a second of the capture has passed
            advanced = time
            inspection.advance(time)
        if number % _TAKE_PACKETS == 0:
            yield from inspection.take()
    inspection.finish()
    yield from inspection.take()


def _read_plain_capture(path: Path) -> Iterator[Observation]:
    with path.open("rb") as stream:
        yield from read_capture(stream, path)


def _read_compressed(path: Path) -> Iterator[Observation]:
    try:
        with path.open("rb") as packed, gzip.GzipFile(fileobj=packed) as unpacked:
            stream = io.BufferedReader(_Bounded(unpacked), SNIFF_BYTES)
            head = stream.peek(SNIFF_BYTES)
            if is_capture(head):
                yield from read_capture(cast("BinaryIO", stream), path)
                return
    except (EOFError, zlib.error, OSError) as error:
        raise _bad(
            path, "file-unreadable", f"gzip 数据损坏:{error}", f"damaged gzip data: {error}"
        ) from error
    if not _is_text(head):
        raise _bad(path, "file-kind-unknown", "不认识的文件类型", "a file of unknown kind")
    from sensors.host.read_log import read_auth_log

    yield from read_auth_log(path)


class _Bounded(io.RawIOBase):
    """A stream that ends in an error instead of unpacking without limit."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source = source
        self._left = UNPACKED_BYTES_MAX

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        part = self._source.read(len(buffer))
        self._left -= len(part)
        if self._left < 0:
            raise OSError(f"more than {UNPACKED_BYTES_MAX} bytes when unpacked")
        buffer[: len(part)] = part
        return len(part)


def _read_events(path: Path) -> Iterator[Observation]:
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(EVENT_BYTES_MAX + 2):
            number += 1
            if not line.strip():
                continue
            try:
                event = decode(line.rstrip(b"\r\n"))
            except BadInput as error:
                raise BadInput(
                    error.code, error.what, error.fix, field=f"{path}:{number}: {error.field}"
                ) from error
            yield Observation(
                time=event.time, logsource=event.logsource, fields=event.fields, native=event.native
            )


def _read_records(path: Path) -> Iterator[Observation]:
    """A saved log of a device or program, in any form that the adapters know."""
    from sensors.device.record import Origin, describe_record
    from sensors.device.syslog import MESSAGE_BYTES_MAX

    written = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    origin = Origin(written, name=path.name)
    with path.open("rb") as stream:
        while line := stream.readline(MESSAGE_BYTES_MAX * 4):
            seen = describe_record(line, origin)
            if seen is not None:
                yield seen


def _is_record(head: bytes) -> bool:
    """Whether JSON lines are Suricata's or Zeek's, by names that the envelope of an Event has not."""
    line = head.lstrip().partition(b"\n")[0]
    return b'"logsource"' not in line and (b'"event_type"' in line or b'"ts"' in line)


def _is_text(head: bytes) -> bool:
    if not head.strip() or b"\x00" in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 4 and len(head) == SNIFF_BYTES  # a character cut by the sniffing
    return True


def _bad(path: Path, code: str, zh: str, en: str) -> BadInput:
    return BadInput(
        code,
        Words(zh, en),
        Words(
            "支持 pcap、pcapng、EVTX、NDJSON 事件、Suricata 与 Zeek 的 JSON 日志、CEF、LEEF 与文本日志",
            "understood are pcap, pcapng, EVTX, events, JSON logs of Suricata and Zeek, CEF, LEEF, text logs",
        ),
        field=str(path),
    )
