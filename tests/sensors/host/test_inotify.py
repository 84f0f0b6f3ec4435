"""inotify events, real and hostile."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.host.inotify import CLOSE_WRITE, Inotify, parse_changes


def test_a_written_file_is_told(tmp_path: Path) -> None:
    inotify = Inotify()
    try:
        watch = inotify.add(tmp_path)
        assert watch is not None
        (tmp_path / "a").write_text("x")
        changes = inotify.wait(2)
        assert any(one.mask & CLOSE_WRITE and one.name == b"a" and one.watch == watch for one in changes)
        assert inotify.wait(0) == []
        assert inotify.add(tmp_path / "a") is None  # no folder
    finally:
        inotify.close()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_parsed(raw: bytes) -> None:
    parse_changes(raw)
