"""Folders: links and devices are not sent, a quarantine is seen whole or not at all."""

import os
from pathlib import Path
from typing import Any

import pytest

from crypto import package
from crypto.package_files import FolderQuarantine, file_source, folder_sources
from crypto.package_format import FileEntry
from crypto.words import BadInput, LiuheError, Refused

Road = Any
ENTRY = FileEntry(name="a/b", size=1, sm3="00" * 32)


def _folder(path: Path) -> Path:
    (path / "内").mkdir(parents=True)
    (path / "内/二.txt").write_bytes(b"two")
    (path / "一.txt").write_bytes(b"one")
    return path


def test_a_folder_travels(road: Road, tmp_path: Path) -> None:
    sources = folder_sources(_folder(tmp_path / "out"))
    assert [source.name for source in sources] == ["一.txt", "内/二.txt"]
    manifest = road.manifest(package.describe(sources))
    sealed = tmp_path / "package"
    with sealed.open("wb") as sink:
        package.seal(
            sources,
            sink,
            manifest=manifest,
            signatures=road.sign(manifest),
            recipients=[road.receiver.public],
        )
    target = tmp_path / "in"
    with sealed.open("rb") as source:
        package.open_(
            source,
            recipient=road.receiver,
            trust=road.trust,
            quarantine=FolderQuarantine(target),
            now=road.now,
        )
    assert (target / "内/二.txt").read_bytes() == b"two"
    assert (target / "一.txt").stat().st_mode & 0o777 == 0o600
    assert target.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in tmp_path.iterdir()} == {"out", "package", "in"}


def test_refused_content_leaves_nothing(road: Road, tmp_path: Path) -> None:
    data = bytearray(road.seal({"a": b"x" * 3_000_000}))
    data[-1] ^= 1
    path = tmp_path / "package"
    path.write_bytes(data)
    with path.open("rb") as source, pytest.raises(Refused):
        package.open_(
            source,
            recipient=road.receiver,
            trust=road.trust,
            quarantine=FolderQuarantine(tmp_path / "in"),
            now=road.now,
        )
    assert [path.name for path in tmp_path.iterdir()] == ["package"]


def test_what_a_crash_left_is_removed(tmp_path: Path) -> None:
    first = FolderQuarantine(tmp_path / "in")
    first.create(ENTRY).close()
    second = FolderQuarantine(tmp_path / "in")
    second.create(ENTRY).close()  # the old file is gone, else this would fail
    with pytest.raises(LiuheError) as caught:
        second.create(ENTRY)
    assert caught.value.code == "quarantine-failed"
    second.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_target_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "in").symlink_to("nowhere")
    with pytest.raises(Refused) as caught:
        FolderQuarantine(tmp_path / "in")
    assert caught.value.code == "quarantine-exists"


@pytest.mark.parametrize("kind", ["link", "folder-link", "pipe", "name"])
def test_only_plain_files_are_sent(tmp_path: Path, kind: str) -> None:
    folder = _folder(tmp_path / "out")
    if kind == "link":
        (folder / "l").symlink_to("一.txt")
    elif kind == "folder-link":
        (folder / "l").symlink_to("内")
    elif kind == "pipe":
        os.mkfifo(folder / "p")
    else:
        (folder / "a:b").write_bytes(b"")
    with pytest.raises(BadInput) as caught:
        folder_sources(folder)
    assert caught.value.code == "source-unfit"


def test_a_file_that_became_a_link_or_pipe_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "p")
    for name in ("l", "p", "absent"):
        with pytest.raises(BadInput):
            file_source(tmp_path / name, name).open()
