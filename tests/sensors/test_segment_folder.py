"""Only files named as segments are segments; a folder has one writer; refusals are one line for a person."""

import errno
import os
from pathlib import Path

import pytest

from crypto.words import LiuheError
from sensors.disk import REAL
from sensors.segment_folder import (
    clear_empty,
    clear_partial,
    lock_folder,
    raise_refused,
    segment_at,
    segments_of,
    sizes_of,
)


def test_segments_are_known_by_their_names(tmp_path: Path) -> None:
    for name in ("1.seg", f"{7:020d}.seg", f"{3:020d}.seg", f"{5:020d}.seg.partial", f"{9:020d}", "x" * 20):
        (tmp_path / name).write_bytes(b"12345")
    assert segments_of(tmp_path) == [segment_at(tmp_path, 3), segment_at(tmp_path, 7)]
    assert sizes_of(tmp_path) == {3: 5, 7: 5}
    clear_partial(tmp_path, REAL)
    assert len(list(tmp_path.iterdir())) == 5
    assert segments_of(tmp_path / "absent") == []


def test_files_that_hold_nothing_are_removed_and_their_numbers_kept(tmp_path: Path) -> None:
    for first in (1, 5, 9):
        segment_at(tmp_path, first).path.write_bytes(b"")
    assert clear_empty(tmp_path, 1, REAL) == 8
    assert segments_of(tmp_path) == [segment_at(tmp_path, 1)]
    assert clear_empty(tmp_path, 1, REAL) == 0


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    held = lock_folder(tmp_path, REAL)
    with pytest.raises(LiuheError) as caught:
        lock_folder(tmp_path, REAL)
    assert caught.value.code == "log-in-use"
    REAL.close(held)


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EIO, "log-write-failed")],
)
def test_refusals_are_said_in_words(tmp_path: Path, number: int, code: str) -> None:
    with pytest.raises(LiuheError) as caught:
        raise_refused(OSError(number, os.strerror(number)), tmp_path)
    assert caught.value.code == code
    assert "\n" not in str(caught.value)
