"""Who wrote a file, as the kernel tells: also through the rename editors do."""

import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sensors.host.fanotify import open_writers, parse_events


def test_events_of_a_read() -> None:
    one = struct.pack("=IBBHQii", 24, 3, 0, 24, 8, 5, 4711)
    assert parse_events(one + one[:20]) == [(5, 4711)]
    assert parse_events(struct.pack("=IBBHQii", 24, 9, 0, 24, 8, 5, 4711)) == [], "another version"
    assert parse_events(struct.pack("=IBBHQii", 0, 3, 0, 24, 8, 5, 1)) == [], "no endless loop"


def test_a_writer_is_named_by_the_file_it_left(tmp_path: Path) -> None:
    writers = open_writers([tmp_path])
    if writers is None:
        pytest.skip("the kernel grants no fanotify here (CAP_SYS_ADMIN)")
    target = tmp_path / "passwd"
    program = (
        f"import os, time; open({str(target) + '.new'!r}, 'w').write('x'); "
        f"os.rename({str(target) + '.new'!r}, {str(target)!r}); time.sleep(1)"
    )
    try:
        with subprocess.Popen([sys.executable, "-c", program]) as child:
            until = time.monotonic() + 30
            found = None
            while found is None and time.monotonic() < until:
                time.sleep(0.02)
                if target.exists():
                    state = target.stat()
                    found = writers.who(state.st_dev, state.st_ino)
            assert found is not None
            assert found.pid == child.pid
            assert found.user == os.getuid()
    finally:
        writers.close()


def test_folders_that_are_not_there_are_no_reason_to_fail(tmp_path: Path) -> None:
    assert open_writers([tmp_path / "absent"]) is None
