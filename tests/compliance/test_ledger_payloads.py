"""Payloads: packed small ones, large ones as files, deletion, recovery beside the leaves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.evidence import Evidence
from compliance.ledger_files import Damage, Frame
from compliance.ledger_payloads import PACKED_BYTES_MAX, NewPayload, PayloadFolder, Payloads, blank
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused


def record(leaf: int, payload: bytes) -> Evidence:
    return Evidence(
        kind="audit",
        center="c",
        sequence=leaf,
        source="audit",
        number=leaf,
        time=datetime(2026, 11, 22, tzinfo=UTC),
        actor="user:a",
        subject="s",
        summary="s",
        payload_sm3=sm3_hex(payload),
        payload_bytes=len(payload),
    )


def fresh(*payloads: bytes, leaf: int) -> list[NewPayload]:
    return [NewPayload(at, sm3_hex(data), data) for at, data in enumerate(payloads, leaf)]


LARGE = bytes(PACKED_BYTES_MAX) + b"x"


def test_small_and_large_come_back_and_are_deleted(tmp_path: Path) -> None:
    payloads = Payloads(tmp_path, writer=True)
    payloads.write(fresh(b"one", b"", LARGE, b"two", leaf=40))
    reader = Payloads(tmp_path, writer=False)
    for leaf, data in ((40, b"one"), (41, b""), (42, LARGE), (43, b"two")):
        assert reader.read(record(leaf, data)) == data
    assert [path.name for path in (tmp_path / "payload").glob("*/*")] == [sm3_hex(LARGE)]
    payloads.delete(record(40, b"one"))
    payloads.delete(record(42, LARGE))
    with pytest.raises(Refused, match="payload-deleted"):
        reader.read(record(40, b"one"))
    with pytest.raises(LiuheError, match="ledger-damaged"):
        reader.read(record(42, LARGE))
    assert reader.read(record(43, b"two")) == b"two"
    found = reader.packed(record(40, b"one"))
    assert isinstance(found, Frame)
    assert blank(found, 3)
    reader.close()
    payloads.close()


def test_frames_without_leaves_are_cut_and_lost_ones_refused(tmp_path: Path) -> None:
    payloads = Payloads(tmp_path, writer=True)
    payloads.write(fresh(b"a", b"b", b"c", leaf=7))
    payloads.close()
    again = Payloads(tmp_path, writer=True)
    again.recover(7, 9)  # the leaf of "c" was never written
    again.write(fresh(b"C", leaf=9))
    assert [again.read(record(leaf, data)) for leaf, data in ((7, b"a"), (8, b"b"), (9, b"C"))]
    again.write(fresh(b"d", leaf=9))  # the leaf of "C" could not be written either
    assert again.read(record(9, b"d")) == b"d"
    again.close()
    with pytest.raises(LiuheError, match="ledger-damaged"):
        Payloads(tmp_path, writer=True).recover(7, 12)
    last = Payloads(tmp_path, writer=True)
    last.recover(7, 7)
    assert last.first() is None
    last.write(fresh(b"e", leaf=7))
    assert last.read(record(7, b"e")) == b"e"
    last.close()


def test_an_older_ledger_has_no_log_until_it_is_written(tmp_path: Path) -> None:
    PayloadFolder(tmp_path / "payload").write({sm3_hex(b"old"): b"old"})
    reader = Payloads(tmp_path, writer=False)
    assert reader.log() is None
    assert reader.read(record(0, b"old")) == b"old"
    writer = Payloads(tmp_path, writer=True)
    writer.recover(1, 1)
    writer.write(fresh(b"new", leaf=1))
    assert [reader.read(record(0, b"old")), reader.read(record(1, b"new"))] == [b"old", b"new"]
    writer.close()
    reader.close()


def test_a_damaged_first_frame_hides_no_other(tmp_path: Path) -> None:
    payloads = Payloads(tmp_path, writer=True)
    payloads.write(fresh(b"a", b"b", b"c", leaf=3))
    payloads.close()
    path = tmp_path / "payloads.log"
    data = bytearray(path.read_bytes())
    data[16 + 16] ^= 1
    path.write_bytes(data)
    reader = Payloads(tmp_path, writer=False)
    assert reader.read(record(5, b"c")) == b"c"
    assert isinstance(reader.packed(record(3, b"a")), Damage)
    with pytest.raises(LiuheError, match="ledger-damaged"):
        reader.read(record(3, b"a"))
    with pytest.raises(LiuheError, match="ledger-damaged"):
        reader.read(record(4, b"another"))
    reader.close()


def test_a_rotten_payload_is_written_again(tmp_path: Path) -> None:
    payloads, digest = PayloadFolder(tmp_path / "payload"), sm3_hex(b"data")
    payloads.write({digest: b"data"})
    payloads.path(digest).write_bytes(b"dat!")
    with pytest.raises(LiuheError, match="SM3 differs"):
        payloads.read(digest)
    assert payloads.problem(digest, 4) is not None
    assert payloads.problem(digest, 5) is not None
    payloads.write({digest: b"data"})
    assert payloads.read(digest) == b"data"
    assert payloads.problem(digest, 4) is None
