"""Files by content: captures, compressed ones, Events, text, and what is none of them."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from struct import pack

import pytest

from crypto.words import BadInput
from sensors.event import LogSource, Observation, encode, stamp
from sensors.read import read_file

QUERY = pack("!6H", 7, 0x0100, 1, 0, 0, 0) + b"\x01a\x07example\x00" + pack("!HH", 1, 1)


def capture() -> bytes:
    datagram = pack("!HHHH", 40_000, 53, 8 + len(QUERY), 0) + QUERY
    head = pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(datagram), 1, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    frame = head + datagram
    start = pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)
    return start + pack("<4I", 1_000, 0, len(frame), len(frame)) + frame


def datasets(path: Path) -> list[object]:
    return [one.fields["event.dataset"] for one in read_file(path)]


@pytest.mark.parametrize("packed", [False, True])
def test_captures_whatever_their_name(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "evidence.txt"
    path.write_bytes(gzip.compress(capture()) if packed else capture())
    assert datasets(path) == ["net.dns", "net.flow"]


def test_events_pass_through(tmp_path: Path) -> None:
    seen = Observation(
        time=datetime(2026, 11, 22, tzinfo=UTC),
        logsource=LogSource(product="zeek", service="dns"),
        fields={"event.dataset": "net.dns", "n": 1},
        native={"query": "a"},
    )
    lines = [encode(stamp(seen, unit="u", sensor="s", epoch=1, sequence=n)) for n in (1, 2)]
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join([lines[0], b"", lines[1]]) + b"\r\n")
    assert list(read_file(path)) == [seen, seen]


def test_a_broken_event_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b'{"id": 1}\n')
    with pytest.raises(BadInput) as caught:
        list(read_file(path))
    assert caught.value.field.startswith(f"{path}:1")


def test_text_logs_are_read_as_authentication_logs(tmp_path: Path) -> None:
    line = "Nov 22 01:02:03 gw sshd[99]: Failed password for root from 192.0.2.7 port 4242 ssh2\n"
    for name, raw in (("auth.log", line.encode()), ("auth.log.gz", gzip.compress(line.encode()))):
        path = tmp_path / name
        path.write_bytes(raw)
        (one,) = [one for one in read_file(path) if one.logsource.service == "sshd"]
        assert one.fields["source.ip"] == "192.0.2.7"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "file-kind-unknown"),
        (b"\x7fELF\0\0\0\1", "file-kind-unknown"),
        (gzip.compress(b"\x7fELF\0\0", mtime=0), "file-kind-unknown"),
        (gzip.compress(capture(), mtime=0)[:-12], "file-unreadable"),
        (b"\x1f\x8bnonsense", "file-unreadable"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, raw: bytes, code: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(raw)
    with pytest.raises(BadInput) as caught:
        list(read_file(path))
    assert caught.value.code == code
    assert str(path) in caught.value.field


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        read_file(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "line", "dataset"),
    [
        ("eve.json", '{"timestamp":"2026-11-22T09:08:07+0800","event_type":"dns","dns":{}}', "net.dns"),
        ("conn.log", '{"ts":1795309687.5,"uid":"C1","proto":"tcp"}', "net.flow"),
        ("fw.log", "<13>Nov 22 09:08:07 fw CEF:0|v|p|1|1|n|1|act=Deny", "device.cef"),
        ("received.log", "<13>1 2026-11-22T09:08:07Z h app - - - words", "syslog"),
    ],
)
def test_logs_of_devices_in_their_own_forms(tmp_path: Path, name: str, line: str, dataset: str) -> None:
    path = tmp_path / name
    path.write_text(f"{line}\n\n{line}\n")
    assert datasets(path) == [dataset, dataset]
