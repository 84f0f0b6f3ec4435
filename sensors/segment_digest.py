"""SM3 of a segment while it is written, beside the commits: nobody waits for it until the segment is left."""

from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Final

from crypto import sm3

PIECE_BYTES_MIN: Final = 32 * 1024  # less is done at once: handing it over would take as long


class RunningDigest:
    """Takes pieces in order; one at most is under way, so a slow digest slows the writer down."""

    def __init__(self) -> None:
        self._digest = sm3.new()
        self._under_way: Future[None] | None = None

    def update(self, piece: bytes) -> None:
        """Take the next piece, which must not change any more."""
        self._wait()
        if len(piece) < PIECE_BYTES_MIN:
            self._digest.update(piece)
        else:
            self._under_way = _worker().submit(self._digest.update, piece)

    def digest(self) -> bytes:
        """The 32 bytes of everything taken so far."""
        self._wait()
        return self._digest.digest()

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()


@cache
def _worker() -> ThreadPoolExecutor:
    """One thread for all segments of the process, started by the first large piece."""
    return ThreadPoolExecutor(1, "segment digest")
