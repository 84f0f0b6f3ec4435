"""More than ten thousand damaged packages: none opens, nothing is ever released."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crypto import package
from crypto.package_envelope import CHUNK_BYTES
from crypto.words import Refused

Road = Any
MUTATIONS_MIN = 10_000
BIG_FLIPS = 1_000
RSS_GROWTH_BYTES_MAX = 64 * 1024 * 1024


class Nothing:
    """A quarantine that must never be released."""

    def create(self, entry: Any) -> Any:
        return io.BytesIO()

    def discard(self) -> None:
        self.discarded = True

    def release(self) -> None:
        raise AssertionError("released")


def _refused(road: Road, data: bytes | bytearray) -> None:
    quarantine = Nothing()
    with pytest.raises(Refused):
        package.open_(
            io.BytesIO(data), recipient=road.receiver, trust=road.trust, quarantine=quarantine, now=road.now
        )
    assert quarantine.discarded


@pytest.mark.slow
def test_every_bit_of_a_small_package(road: Road) -> None:
    data = bytearray(road.seal({"a": b"abc"}))
    mutations = 0
    for place in range(len(data)):
        for bit in range(8):
            data[place] ^= 1 << bit
            _refused(road, data)
            data[place] ^= 1 << bit
            mutations += 1
    assert road.open(bytes(data)) == {"a": b"abc"}
    for size in range(len(data)):
        _refused(road, data[:size])
        mutations += 1
    assert mutations >= MUTATIONS_MIN


@pytest.mark.slow
def test_a_thousand_places_of_a_large_package(road: Road) -> None:
    data = bytearray(road.seal({"a": os.urandom(CHUNK_BYTES), "b": os.urandom(99_999)}))
    for _ in range(BIG_FLIPS):
        place = int.from_bytes(os.urandom(8), "big") % len(data)
        flip = os.urandom(1)[0] or 1
        data[place] ^= flip
        _refused(road, data)
        data[place] ^= flip
    assert set(road.open(bytes(data))) == {"a", "b"}


_MEASURED = """
import io, sys
from pathlib import Path
from crypto import package
from crypto.package_files import file_source, FolderQuarantine
sys.path.insert(0, sys.argv[1])
from conftest import Road

def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1]) * 1024

road, folder = Road(), Path(sys.argv[2])
assert road.open(road.seal({"a": b"abc"})) == {"a": b"abc"}
base = peak()
sources = [file_source(folder / "sparse", "sparse")]
manifest = road.manifest(package.describe(sources))
with (folder / "package").open("wb") as sink:
    package.seal(sources, sink, manifest=manifest, signatures=road.sign(manifest),
                 recipients=[road.receiver.public])
with (folder / "package").open("rb") as source:
    package.open_(source, recipient=road.receiver, trust=road.trust, now=road.now,
                  quarantine=FolderQuarantine(folder / "opened"))
assert (folder / "opened/sparse").stat().st_size == manifest.content_bytes
print(peak() - base)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_stays_bounded(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(here), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=here.parents[1],
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= RSS_GROWTH_BYTES_MAX
