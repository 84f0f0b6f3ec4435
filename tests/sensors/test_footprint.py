"""The footprint: code pages are found, given back, and the process goes on."""

import subprocess
import sys
from pathlib import Path

from sensors import footprint

MAPS = """\
5581c0000000-5581c0001000 r--p 00000000 fe:00 1 /usr/bin/python3
7f0000000000-7f0000003000 r-xp 00001000 fe:00 2 /usr/lib/libc.so.6
7f0000010000-7f0000020000 rw-p 00000000 00:00 0
7f0000030000-7f0000031000 r-xp 00000000 00:00 0 [vdso]
"""


def test_only_the_code_of_files_is_given_back(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(MAPS)
    assert list(footprint.code_ranges(maps)) == [(0x7F0000000000, 0x3000)]
    assert list(footprint.code_ranges(tmp_path / "absent")) == []


def test_a_process_lives_on_and_is_smaller() -> None:
    program = (
        "import hashlib, decimal, ssl\n"
        "from sensors import footprint\n"
        "def rss():\n"
        "    return int(open('/proc/self/statm').read().split()[1])\n"
        "footprint.lean(); before = rss(); given = footprint.settle(); after = rss()\n"
        "assert hashlib.sha256(b'abc').hexdigest().startswith('ba7816bf')\n"
        "assert given == 0 or after < before, (given, before, after)\n"
        "print(before - after)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_it_settles_after_the_start_and_then_now_and_then() -> None:
    kept = footprint.Footprint(100.0)
    assert [kept.tick(now) for now in (101.0, 109.0, 110.0, 300.0)] == [False, True, False, True]
