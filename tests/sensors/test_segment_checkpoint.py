"""A checkpoint is whole or absent; other files are left alone."""

from pathlib import Path

import pytest

from sensors.segment_checkpoint import read_checkpoint, write_checkpoint, write_durably


def test_the_last_checkpoint_comes_back(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None
    write_checkpoint(tmp_path, 5, b"five\nlines")
    write_checkpoint(tmp_path, 6, b"")
    assert read_checkpoint(tmp_path) == (6, b"")


@pytest.mark.parametrize(
    "data", [b"", b"garbage", b"liuhe-checkpoint 1 9 00\nstate", b"liuhe-checkpoint 1 -1 x\n"]
)
def test_a_damaged_checkpoint_holds_everything(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "checkpoint").write_bytes(data)
    assert read_checkpoint(tmp_path) == (0, b"")


@pytest.mark.parametrize("sync", [True, False])
def test_a_durable_file_replaces_the_old_one(tmp_path: Path, sync: bool) -> None:
    for content in (b"long content", b"short"):
        write_durably(tmp_path / "file", content, sync=sync)
    assert (tmp_path / "file").read_bytes() == b"short"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
