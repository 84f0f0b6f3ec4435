"""The memory a sensor holds while nothing happens: one allocator arena, and start-up's pages given back.

A process keeps what its start took: code that ran once, and freed memory below what is used. Code pages are
clean copies of files: given up, those still needed come back from the page cache at the first step there.
Only on Linux with glibc; elsewhere nothing is done.
"""

import ctypes
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FIRST_SECONDS: Final = 8.0  # after the start: every source has had its first look
SETTLE_SECONDS: Final = 120.0  # how often memory is given back
_M_ARENA_MAX: Final = -8
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_TRIM_BYTES: Final = 128 * 1024
_MMAP_BYTES: Final = 256 * 1024  # a file read whole goes back to the system at once
_MADV_DONTNEED: Final = 4
_CODE: Final = "r-xp"  # never written: nothing in it can be lost


class Footprint:
    """Gives memory back after the start and then now and then; ``tick`` mostly does nothing."""

    def __init__(self, now: float) -> None:
        self._due = now + FIRST_SECONDS

    def tick(self, now: float) -> bool:
        """Settle where it is due; whether it was."""
        if now < self._due:
            return False
        settle()
        self._due = now + SETTLE_SECONDS
        return True


def lean() -> None:
    """Say once, before threads start, that memory counts more than speed of allocation."""
    library = _libc()
    if library is None:
        return
    for parameter, value in (
        (_M_ARENA_MAX, 1),
        (_M_TRIM_THRESHOLD, _TRIM_BYTES),
        (_M_MMAP_THRESHOLD, _MMAP_BYTES),
    ):
        library.mallopt(parameter, value)


def settle(maps: Path = Path("/proc/self/maps")) -> int:
    """Give back what is not used: garbage, free heap, pages of code; how many bytes of code."""
    library = _libc()
    if library is None:
        return 0
    gc.collect()
    library.malloc_trim(0)
    given = 0
    for start, size in code_ranges(maps):
        if library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), _MADV_DONTNEED) == 0:
            given += size
    return given


def code_ranges(maps: Path) -> Iterator[tuple[int, int]]:
    """(address, bytes) of the mapped files' code."""
    try:
        lines = maps.read_text("ascii", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.split(None, 5)
        if len(words) == 6 and words[1] == _CODE and words[5].startswith("/"):
            first, _, last = words[0].partition("-")
            yield int(first, 16), int(last, 16) - int(first, 16)


def _libc() -> ctypes.CDLL | None:
    """glibc; None where the C library is another one."""
    try:
        library = ctypes.CDLL(None)
        return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
    except OSError:
        return None
