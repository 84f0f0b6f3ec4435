"""Following a file: rotation, truncation and restart lose nothing and repeat nothing."""

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.cursor import Cursor
from sensors.host.follow import FollowedFile, Position, read_lines


def _follow(folder: Path, *, from_start: bool = False) -> FollowedFile:
    return FollowedFile(folder / "auth.log", Cursor(folder / "cursors", "auth"), from_start=from_start)


def _take(followed: FollowedFile) -> list[bytes]:
    found: list[bytes] = []
    while read_lines(followed, found.extend):
        pass
    return found


def test_history_is_not_told_and_new_lines_are(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"old\n")
    followed = _follow(tmp_path)
    assert _take(followed) == []
    with log.open("ab") as out:
        out.write(b"one\ntwo\nhal")
    assert _take(followed) == [b"one", b"two"]
    with log.open("ab") as out:
        out.write(b"f\n")
    assert _take(followed) == [b"half"]
    followed.close()


def test_a_file_that_appears_later_is_read_from_its_start(tmp_path: Path) -> None:
    followed = _follow(tmp_path)
    assert _take(followed) == []
    (tmp_path / "auth.log").write_bytes(b"first\n")
    assert _take(followed) == [b"first"]
    followed.close()


def test_rotation_by_rename_reads_the_old_file_to_its_end(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"")
    followed = _follow(tmp_path)
    assert _take(followed) == []
    log.write_bytes(b"before\n")
    log.rename(tmp_path / "auth.log.1")
    log.write_bytes(b"after\n")
    assert _take(followed) == [b"before", b"after"]
    followed.close()


def test_rotation_while_the_sensor_was_down(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"seen\n")
    followed = _follow(tmp_path, from_start=True)
    assert _take(followed) == [b"seen"]
    followed.close()
    with log.open("ab") as out:
        out.write(b"missed\n")
    log.rename(tmp_path / "auth.log.1")
    log.write_bytes(b"new\n")
    again = _follow(tmp_path)
    assert _take(again) == [b"missed", b"new"]
    again.close()


def test_truncation_in_place_starts_again_even_when_the_new_text_is_longer(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"")
    followed = _follow(tmp_path)
    assert _take(followed) == []
    with log.open("ab") as out:
        out.write(b"a\n")
    assert _take(followed) == [b"a"]
    with log.open("r+b") as out:  # copytruncate
        out.truncate(0)
        out.write(b"longer than before\n")
    assert _take(followed) == [b"longer than before"]
    followed.close()


def test_what_was_not_acknowledged_comes_again_after_a_restart(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes(b"one\n")
    followed = _follow(tmp_path, from_start=True)
    assert followed.read() == b"one\n"  # read, but the sensor dies before advance
    followed.close()
    again = _follow(tmp_path, from_start=True)
    assert _take(again) == [b"one"]
    again.close()


def test_a_line_without_end_does_not_stop_the_source(tmp_path: Path) -> None:
    (tmp_path / "auth.log").write_bytes(b"x" * 200_000)
    followed = _follow(tmp_path, from_start=True)
    assert sum(map(len, _take(followed))) >= 131_072
    followed.close()


def test_a_fifo_in_the_logs_place_does_not_hold_the_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "auth.log")
    followed = _follow(tmp_path)
    assert followed.read() == b""
    followed.close()


def test_a_damaged_cursor_counts_as_none(tmp_path: Path) -> None:
    cursor = Cursor(tmp_path, "auth")
    cursor.save(Position(inode=3, offset=9))
    assert cursor.load(Position) == Position(inode=3, offset=9)
    cursor.path.write_bytes(b'{"inode": "x"')
    assert cursor.load(Position) is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.binary(min_size=1, max_size=40), st.just(None)), max_size=12))
def test_every_line_is_given_once_whatever_the_rotations(steps: list[bytes | None]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "auth.log"
        log.write_bytes(b"")
        followed = _follow(folder)
        assert _take(followed) == []
        written: list[bytes] = []
        found: list[bytes] = []
        for number, step in enumerate(steps):
            if step is None:
                found += _take(followed)  # rotation happens between two looks, not faster than one
                log.rename(folder / f"auth.log.{number}")
                log.write_bytes(b"")
                continue
            line = b"%d " % number + step.replace(b"\n", b" ")
            with log.open("ab") as out:
                out.write(line + b"\n")
            written.append(line)
        found += _take(followed)
        followed.close()
        assert found == written
