"""One TCP conversation somebody listens to, or may come to: kept with its flow by ``Streams``."""

from typing import Final

from sensors.network.dialect import StreamDialect

LISTENING_BYTES: Final = 512  # what one costs before it holds anything


class Listening:
    """Index 0 of each pair is the originator, 1 the responder."""

    __slots__ = ("claimed", "cost", "dialect", "early", "first", "left", "only_resuming", "upcoming")

    def __init__(self, *, only_resuming: bool) -> None:
        self.only_resuming = only_resuming  # begun in the middle of a flow
        self.dialect: StreamDialect | None = None
        self.claimed = 0  # how many dialects this flow has had
        self.cost = LISTENING_BYTES
        self.early: list[list[tuple[int, bytes]]] = [[], []]  # (sequence, bytes) behind a hole
        self.first = [b"", b""]  # what no claim has decided on
        self.left = [0, 0]  # bytes the dialect may still have
        self.upcoming = [-1, -1]  # sequence number awaited
