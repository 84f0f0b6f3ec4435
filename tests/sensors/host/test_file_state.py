"""State of files: links and folders are not followed, large files not digested."""

import hashlib
import os
from pathlib import Path

import pytest

from sensors.host import file_state
from sensors.host.file_state import read_state


def test_a_file_and_its_digests(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    path.chmod(0o640)
    found = read_state(path)
    assert found is not None
    assert (found.kind, found.size, found.mode) == ("file", 3, 0o640)
    assert found.sm3 == hashlib.new("sm3", b"abc").hexdigest()
    assert found.sha256 == hashlib.sha256(b"abc").hexdigest()


def test_a_link_is_its_target_not_the_file_behind_it(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"secret")
    link = tmp_path / "l"
    link.symlink_to(tmp_path / "a")
    first = read_state(link)
    link.unlink()
    link.symlink_to("/etc/hosts")
    second = read_state(link)
    assert first is not None
    assert second is not None
    assert first.kind == "link"
    assert not first.same_content(second)


def test_a_fifo_is_not_opened_and_nothing_is_none(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    found = read_state(tmp_path / "p")
    assert found is not None
    assert (found.kind, found.sha256) == ("other", "")
    assert read_state(tmp_path / "absent") is None


def test_a_large_file_is_not_digested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_state, "HASHED_BYTES_MAX", 4)
    (tmp_path / "a").write_bytes(b"12345")
    found = read_state(tmp_path / "a")
    assert found is not None
    assert (found.size, found.sm3) == (5, "")
