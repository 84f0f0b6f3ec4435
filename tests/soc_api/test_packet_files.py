"""Sealed packets: come back as they were, readable by nobody else, bounded, never half there."""

from pathlib import Path

import pytest

from crypto.words import LiuheError
from soc_api.packet_files import PacketFiles

KEY = bytes(range(32))
ONE = "a" * 32


def kept(folder: Path, request: str, *parts: bytes, bytes_max: int = 1 << 20) -> PacketFiles:
    files = PacketFiles(folder, KEY, bytes_max=bytes_max)
    for number, part in enumerate(parts):
        files.append(request, number, part)
    files.finish(request)
    return files


def test_parts_come_back_and_lie_sealed(tmp_path: Path) -> None:
    files = kept(tmp_path / "packets", ONE, b"first secret", b"", b"second secret")
    assert list(files.read(ONE)) == [b"first secret", b"", b"second secret"]
    (path,) = (tmp_path / "packets").iterdir()
    assert b"secret" not in path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_part_that_comes_again_begins_anew(tmp_path: Path) -> None:
    files = PacketFiles(tmp_path, KEY)
    files.append(ONE, 0, b"old")
    files.append(ONE, 1, b"old too")
    files.append(ONE, 0, b"new")
    files.finish(ONE)
    assert list(files.read(ONE)) == [b"new"]


@pytest.mark.parametrize("at", [3, 10, 26, 30, -1])
def test_a_changed_byte_is_found(tmp_path: Path, at: int) -> None:
    files = kept(tmp_path, ONE, b"some packets")
    path = tmp_path / f"{ONE}.sealed"
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(LiuheError) as caught:
        list(files.read(ONE))
    assert caught.value.code == "packets-damaged"


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    kept(tmp_path, ONE, b"some packets")
    with pytest.raises(LiuheError, match="packets-damaged"):
        list(PacketFiles(tmp_path, bytes(32)).read(ONE))


def test_what_is_not_whole_or_discarded_is_not_there(tmp_path: Path) -> None:
    files = PacketFiles(tmp_path, KEY)
    files.append(ONE, 0, b"half")
    with pytest.raises(LiuheError, match="packets-gone"):
        list(files.read(ONE))
    files.discard(ONE)
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_go_where_the_bound_is_reached(tmp_path: Path) -> None:
    for number in range(5):
        kept(tmp_path, f"{number:032x}", bytes(1_000), bytes_max=3_500)
    names = sorted(path.stem[-1] for path in tmp_path.iterdir())
    assert names[-1] == "4"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 3_500
