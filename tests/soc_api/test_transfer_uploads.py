"""Tests of soc_api.transfer_uploads."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused
from soc_api.transfer_uploads import AGE_MAX, FILES_MAX, Upload, Uploads

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def kept(uploads: Uploads, owner: str = "user:a", name: str = "a.txt", now: datetime = NOW) -> Upload:
    writing = uploads.begin(owner, name, now)
    writing.write(b"ab")
    writing.write(b"c")
    return writing.finish()


def test_an_upload_is_kept_privately_and_taken_by_its_owner(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "up")
    made = kept(uploads)
    assert (made.size, made.sm3, made.path.read_bytes()) == (3, sm3_hex(b"abc"), b"abc")
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert uploads.take("user:a", [made.id]) == [made]
    for owner, ids in (("user:b", [made.id]), ("user:a", [made.id, made.id]), ("user:a", ["0" * 32])):
        with pytest.raises(BadInput):
            uploads.take(owner, ids)
    uploads.drop([made])
    assert not list((tmp_path / "up").iterdir())


def test_what_is_old_goes_and_a_start_begins_empty(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    old = kept(uploads)
    kept(uploads, name="b.txt", now=NOW + AGE_MAX * 2)
    assert not old.path.exists()
    Uploads(tmp_path)
    assert not list(tmp_path.iterdir())


def test_files_are_counted_and_an_abandoned_one_frees_its_place(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    for number in range(FILES_MAX - 1):
        kept(uploads, name=f"{number}.txt")
    last = uploads.begin("user:a", "last.txt", NOW)
    with pytest.raises(Refused):
        uploads.begin("user:a", "more.txt", NOW)
    kept(uploads, owner="user:b")
    last.abandon()
    kept(uploads, name="last.txt")
