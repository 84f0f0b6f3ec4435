"""TCP put in order, and who listens: the start of each conversation, handed to the dialect that claims it.

Bytes are delivered once each, in sequence; where segments overlap, the first to be delivered wins. What came
too early waits (``EARLY_BYTES_MAX`` a side); a hole that does not fill ends the listening, and so does memory
that runs out, oldest conversation first. Nothing is lost silently: ``counts`` says how often. How claims and
dialects behave is written in ``sensors.network.dialect``.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sensors.network.dialect import CLAIM_BYTES_MAX, Message, StreamClaim, Talk, by_first_byte
from sensors.network.flow import Flow
from sensors.network.listening import LISTENING_BYTES, Listening

EARLY_BYTES_MAX: Final = 16 * 1024  # waiting behind a hole, per side
EARLY_SEGMENTS_MAX: Final = 32
OPEN_MAX: Final = 20_000  # conversations listened to at a time
OPEN_BYTES_MAX: Final = 48 * 1024 * 1024  # fed to dialects that still listen, or waiting
COST_BYTES_MAX: Final = 64 * 1024  # of one conversation: no dialect may hold more, however much it reads
DIALECTS_MAX: Final = 4  # one after the other on one flow, each begun because the last was done
BOTH_DEAF: Final = 3
_MASK: Final = (1 << 32) - 1
_HALF: Final = 1 << 31

Tell = Callable[[Flow, int, Sequence[Message]], None]  # what the bytes of this side of the flow tell


class Streams:
    """All conversations over TCP of one capture. ``segment`` takes payloads, ``forget`` ended flows."""

    def __init__(
        self,
        claims: Sequence[StreamClaim],
        tell: Tell,
        *,
        open_max: int = OPEN_MAX,
        open_bytes_max: int = OPEN_BYTES_MAX,
    ) -> None:
        self._claims = claims
        self._tell = tell
        index = by_first_byte([claim.first_bytes for claim in claims])
        self._asked = tuple(tuple(claims[place] for place in places) for places in index)
        self._resuming = tuple(
            tuple(claim for claim in asked if claim.resumes and claim.first_bytes is not None)
            for asked in self._asked
        )
        self._open: dict[Flow, None] = {}  # oldest first
        self._open_max = open_max
        self._bytes_max = open_bytes_max
        self._bytes = 0
        self._holes = self._evicted = self._failed = 0

    def wants(self, flow: Flow, side: int, first: int) -> bool:
        """Whether a segment that begins with this byte may concern anybody."""
        return not flow.deaf >> side & 1 or (flow.fresh and self._resuming[first] != ())

    def segment(
        self, flow: Flow, side: int, payload: bytes, sequence: int, talk: Talk, *, whole: bool = True
    ) -> None:
        """Take in the payload of one segment; ``whole`` is False where the capture cut it."""
        try:
            self._segment(flow, side, payload, sequence, talk, whole=whole)
        except Exception:  # noqa: BLE001 - a dialect's mistake costs this conversation, not the capture
            self._failed += 1
            self._close(flow)

    def _segment(
        self, flow: Flow, side: int, payload: bytes, sequence: int, talk: Talk, *, whole: bool = True
    ) -> None:
        if flow.deaf >> side & 1:
            if self.wants(flow, side, payload[0]):
                self._resume(flow, side, payload, sequence, talk)
            return
        open_ = flow.listening
        if open_ is None:
            open_ = self._listen(flow, only_resuming=False)
            open_.upcoming = flow.initial
        expected = open_.upcoming[side]
        if sequence != expected and expected >= 0:
            self._out_of_order(flow, open_, side, payload, sequence, talk)
            return
        open_.upcoming[side] = (sequence + len(payload)) & _MASK
        self._deliver(flow, open_, side, payload, talk)
        if not whole:
            self._hole(flow)
        elif open_.early[side]:
            self._catch_up(flow, open_, side, talk)

    def forget(self, flow: Flow) -> None:
        """Let go of what is held for a flow that ended."""
        self._close(flow)

    def counts(self) -> dict[str, int]:
        """Losses so far."""
        return {
            "streams_holes": self._holes,
            "streams_evicted": self._evicted,
            "dialects_failed": self._failed,
        }

    def __len__(self) -> int:
        return len(self._open)

    @property
    def held_bytes(self) -> int:
        """An upper bound of what streams and dialects hold now."""
        return self._bytes

    def _listen(self, flow: Flow, *, only_resuming: bool) -> Listening:
        open_ = flow.listening = Listening(only_resuming=only_resuming)
        flow.deaf = 0
        self._open[flow] = None
        self._bytes += LISTENING_BYTES
        if len(self._open) > self._open_max or self._bytes > self._bytes_max:
            self._make_room(flow)
        return open_

    def _make_room(self, spared: Flow) -> None:
        """Close the oldest until the bounds hold; ``spared`` is being worked on."""
        while len(self._open) > 1 and (len(self._open) > self._open_max or self._bytes > self._bytes_max):
            oldest = next(iter(self._open))
            if oldest is spared:
                self._open[oldest] = self._open.pop(oldest)
                continue
            self._evicted += 1
            self._close(oldest)

    def _close(self, flow: Flow) -> None:
        if flow.listening is not None:
            del self._open[flow]
            self._bytes -= flow.listening.cost
            flow.listening = None
        flow.deaf = BOTH_DEAF

    def _charge(self, flow: Flow, open_: Listening, size: int) -> None:
        size = min(size, COST_BYTES_MAX - open_.cost)
        if size <= 0:
            return
        open_.cost += size
        self._bytes += size
        if self._bytes > self._bytes_max:
            self._make_room(flow)

    def _hole(self, flow: Flow) -> None:
        if flow.listening is not None:
            self._holes += 1
            self._close(flow)

    def _resume(self, flow: Flow, side: int, payload: bytes, sequence: int, talk: Talk) -> None:
        """A segment of a flow nobody listens to may begin like a message of a dialect that resumes."""
        if all(claim.claims(payload, talk) is False for claim in self._resuming[payload[0]]):
            return
        open_ = flow.listening
        if open_ is None:
            open_ = self._listen(flow, only_resuming=True)
        flow.deaf = 0
        open_.upcoming[side] = (sequence + len(payload)) & _MASK
        self._deliver(flow, open_, side, payload, talk)

    def _deliver(self, flow: Flow, open_: Listening, side: int, data: bytes, talk: Talk) -> None:
        dialect = open_.dialect
        if dialect is None:
            self._claim(flow, open_, side, data, talk)
            return
        left = open_.left[side] - len(data)
        open_.left[side] = left
        self._charge(flow, open_, len(data))
        messages = dialect.feed(side, data if left >= 0 else data[:left])
        if messages:
            self._tell(flow, side, messages)
        if dialect.done:
            self._after(flow, open_)
        elif left <= 0:
            self._close(flow)

    def _after(self, flow: Flow, open_: Listening) -> None:
        """A dialect is done: whoever claims what follows is next (TLS after STARTTLS)."""
        if open_.only_resuming or open_.claimed >= DIALECTS_MAX:
            self._close(flow)
            return
        open_.dialect = None
        waiting = sum(len(data) for early in open_.early for _, data in early)
        self._bytes += LISTENING_BYTES + waiting - open_.cost
        open_.cost = LISTENING_BYTES + waiting

    def _claim(self, flow: Flow, open_: Listening, side: int, data: bytes, talk: Talk) -> None:
        """Ask the claims in their order; one that cannot decide yet holds back those behind it."""
        first = open_.first[side] + data
        undecided = False
        for claim in (self._resuming if open_.only_resuming else self._asked)[first[0]]:
            said = claim.claims(first, talk)
            if said is None:
                undecided = True
                break
            if said:
                open_.first[side] = b""
                self._begin(flow, open_, claim, side, first, talk)
                return
        if undecided and len(first) < CLAIM_BYTES_MAX:
            open_.first[side] = first
            self._charge(flow, open_, len(data))
            return
        open_.first[side] = b""
        flow.deaf |= 1 << side
        if flow.deaf == BOTH_DEAF or open_.only_resuming:
            self._close(flow)

    def _begin(
        self, flow: Flow, open_: Listening, claim: StreamClaim, side: int, first: bytes, talk: Talk
    ) -> None:
        """The claim makes its dialect; what the other side said before is delivered first."""
        open_.dialect = claim.make(talk)
        open_.claimed += 1
        open_.left = [claim.bytes_max, claim.bytes_max]
        flow.deaf = 0
        earlier, open_.first[1 - side] = open_.first[1 - side], b""
        if earlier:
            self._deliver(flow, open_, 1 - side, earlier, talk)
        if flow.listening is open_:
            self._deliver(flow, open_, side, first, talk)

    def _out_of_order(
        self, flow: Flow, open_: Listening, side: int, payload: bytes, sequence: int, talk: Talk
    ) -> None:
        expected = open_.upcoming[side]
        ahead = (sequence - expected) & _MASK
        if ahead >= _HALF:  # begins before what is awaited
            known = _MASK + 1 - ahead
            if known < len(payload):
                self._segment(flow, side, payload[known:], expected, talk)
            return
        early = open_.early[side]
        waiting = sum(len(data) for _, data in early)
        if waiting + len(payload) > EARLY_BYTES_MAX or len(early) >= EARLY_SEGMENTS_MAX:
            self._give_up(flow, side, [*early, (sequence, payload)], talk)
            return
        early.append((sequence, payload))
        early.sort(key=lambda one: (one[0] - expected) & _MASK)  # stable: of equals, the first to come
        self._charge(flow, open_, len(payload))

    def _catch_up(self, flow: Flow, open_: Listening, side: int, talk: Talk) -> None:
        """Deliver what waited behind a hole that is filled now."""
        early = open_.early[side]
        while early and flow.listening is open_:
            sequence, data = early[0]
            known = (open_.upcoming[side] - sequence) & _MASK
            if known >= _HALF:
                return  # there is another hole
            del early[0]
            if known < len(data):
                open_.upcoming[side] = (sequence + len(data)) & _MASK
                self._deliver(flow, open_, side, data[known:], talk)

    def _give_up(self, flow: Flow, side: int, early: list[tuple[int, bytes]], talk: Talk) -> None:
        """The hole does not fill: let go, but see whether what waited begins anything anew."""
        self._hole(flow)
        for sequence, data in early:
            if not flow.deaf >> side & 1:
                self._segment(flow, side, data, sequence, talk)
            elif self._resuming[data[0]]:
                self._resume(flow, side, data, sequence, talk)
