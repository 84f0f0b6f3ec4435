"""Framed logs, hash file and payloads: whatever the bytes, entries come back whole or not at all."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.ledger_files import MAGIC_BYTES, Damage, Frame, FramedLog, HashFile, Lock
from crypto.words import LiuheError

MAGIC = b"test-log/1\n\0\0\0\0\0"


def opened(folder: Path, *, writer: bool = True) -> FramedLog:
    return FramedLog(folder, "log", MAGIC, data_bytes_max=3_000_000, writer=writer)


def test_entries_come_back_by_number_by_offset_and_in_order(tmp_path: Path) -> None:
    log = opened(tmp_path)
    entries = [(number, bytes([number]) * number * 700) for number in range(200)]  # more than one window
    entries.append((200, b"x" * 2_500_000))
    log.append(entries[:50])
    log.append(entries[50:])
    reader = opened(tmp_path, writer=False)
    found = [frame for frame in reader.scan() if isinstance(frame, Frame)]
    assert [(frame.sequence, frame.data) for frame in found] == entries
    assert [reader.frame(number) for number in range(201)] == found
    assert reader.indexed() == 201
    assert isinstance(reader.frame(201), Damage)
    log.close()
    reader.close()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 60))
def test_arbitrary_bytes_never_become_entries(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, keep: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = opened(folder)
    log.append([(0, b"first"), (1, b"second")])
    log.close()
    whole = (folder / "log.log").read_bytes()
    (folder / "log.log").write_bytes(whole[: MAGIC_BYTES + keep] + noise)
    reader = opened(folder, writer=False)
    found = list(reader.scan())
    texts = [frame.data for frame in found if isinstance(frame, Frame)]
    assert texts == [b"first", b"second"][: len(texts)]
    assert all(isinstance(frame, Frame) for frame in found[:-1])
    reader.close()
    shutil.rmtree(folder)


def test_a_wrong_beginning_is_damage(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "log.log").write_bytes(b"something else entirely")
    reader = opened(tmp_path, writer=False)
    assert list(reader.scan()) == [Damage(0, "the file does not begin as it should")]
    reader.close()


def test_an_absurd_length_is_damage(tmp_path: Path) -> None:
    log = opened(tmp_path)
    log.append([(0, b"x")])
    path = tmp_path / "log.log"
    data = bytearray(path.read_bytes())
    data[MAGIC_BYTES : MAGIC_BYTES + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    for found in (log.frame(0), next(log.scan())):
        assert isinstance(found, Damage)
        assert "length" in found.reason
    log.close()


def test_a_hash_file_too_short_is_damage(tmp_path: Path) -> None:
    hashes = HashFile(tmp_path / "hashes", writer=True)
    hashes.write(0, [b"a" * 32])
    hashes.sync()
    assert hashes.node(0, 0) == b"a" * 32
    with pytest.raises(LiuheError, match="ledger-damaged"):
        hashes.node(0, 1)
    hashes.close()


def test_the_lock_admits_one(tmp_path: Path) -> None:
    with Lock(tmp_path / "lock"), pytest.raises(LiuheError, match="ledger-locked"):
        Lock(tmp_path / "lock")
    Lock(tmp_path / "lock").release()
