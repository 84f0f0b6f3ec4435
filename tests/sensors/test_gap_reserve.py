"""Slots are there before they are needed, survive a restart, and a torn one counts as empty."""

import os
from pathlib import Path

import pytest

from sensors.disk import REAL
from sensors.gap_reserve import NAME, SLOT_BYTES, SLOTS, GapReserve, Reserved, fits


def record(n: int) -> Reserved:
    return Reserved(fields={"gov.gap.first": n}, sequence=n, lane="bulk", last=n)


def test_records_survive_until_they_are_cleared(tmp_path: Path) -> None:
    reserve = GapReserve(tmp_path)
    assert (tmp_path / NAME).stat().st_size == SLOT_BYTES * SLOTS
    assert os.stat(tmp_path / NAME).st_blocks * 512 >= SLOT_BYTES * SLOTS  # noqa: PTH116
    reserve.put([record(1), record(2)])
    reserve.put([record(3)])
    reserve.clear([1])
    reserve.change(0, record(9))
    again = GapReserve(tmp_path, REAL)
    assert again.held() == {1: record(9), 2: record(3)} == reserve.held()
    assert again.free == SLOTS - 2


def test_a_damaged_slot_is_empty(tmp_path: Path) -> None:
    GapReserve(tmp_path).put([record(1), record(2)])
    path = tmp_path / NAME
    blob = bytearray(path.read_bytes())
    blob[20] ^= 1
    path.write_bytes(blob[: SLOT_BYTES * 3 + 5])
    reserve = GapReserve(tmp_path)
    assert list(reserve.held()) == [1]
    assert path.stat().st_size == SLOT_BYTES * SLOTS


def test_no_room_for_the_file_is_no_reason_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, offset: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", full)
        reserve = GapReserve(tmp_path)
    reserve.put([record(1)])
    assert GapReserve(tmp_path).held() == {0: record(1)}
    assert fits(record(1))
    assert not fits(Reserved(fields={"x": "y" * SLOT_BYTES}, sequence=1))
