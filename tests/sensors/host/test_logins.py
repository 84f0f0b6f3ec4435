"""The login source on a file that grows as login programs let it grow."""

import threading
from collections.abc import Sequence
from pathlib import Path

from sensors.event import Observation
from sensors.host.cursor import Cursor
from sensors.host.logins import LoginSource
from sensors.host.utmp import layout


def _record(user: str) -> bytes:
    return layout().pack(6, 9, b"", b"", user.encode(), b"", 0, 0, 0, 1_790_000_000, 0, b"")


def _run(path: Path, cursors: Path, wanted: int, append: bytes = b"") -> list[str]:
    seen: list[Observation] = []
    stop = threading.Event()
    done = threading.Event()

    def emit(batch: Sequence[Observation]) -> None:
        seen.extend(batch)
        if len(seen) >= wanted:
            done.set()

    source = LoginSource(path, Cursor(cursors, "btmp"), failed=True, poll_seconds=0.02)
    thread = threading.Thread(target=source.run, args=(emit, stop))
    thread.start()
    if append:
        _wait_for(cursors / "btmp.json")
        with path.open("ab") as out:
            out.write(append)
    assert done.wait(5) or wanted == 0
    stop.set()
    thread.join(5)
    return [str(one.fields.get("user.name", one.fields.get("gov.gap.reason"))) for one in seen]


def _wait_for(path: Path) -> None:
    pause = threading.Event()
    for _ in range(500):
        if path.exists():
            return
        pause.wait(0.01)
    raise AssertionError(path)


def test_records_are_told_once_across_a_restart(tmp_path: Path) -> None:
    btmp = tmp_path / "btmp"
    btmp.write_bytes(_record("old"))
    assert _run(btmp, tmp_path / "c", 2, _record("li") + _record("wang")) == ["li", "wang"]
    with btmp.open("ab") as out:
        out.write(_record("zhao"))
    assert _run(btmp, tmp_path / "c", 1) == ["zhao"]


def test_half_a_record_waits_and_a_foreign_one_is_a_gap(tmp_path: Path) -> None:
    btmp = tmp_path / "btmp"
    btmp.write_bytes(b"")
    found = _run(btmp, tmp_path / "c", 2, _record("li") + b"\x7f" * layout().size + b"half")
    assert found[0] == "li"
    assert "unknown form" in found[1]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    words = LoginSource(tmp_path / "btmp", Cursor(tmp_path, "b"), failed=True).missing()
    assert words is not None
    assert "btmp" in words.en
