"""Order over TCP, claims and dialects, the bounds, and what a dialect's mistake costs."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.dialect import CLAIM_BYTES_MAX, STREAM_BYTES_MAX, Message, StreamClaim, Talk
from sensors.network.flow import Flow
from sensors.network.listening import LISTENING_BYTES
from sensors.network.stream import BOTH_DEAF, DIALECTS_MAX, EARLY_BYTES_MAX, Streams

KEY = (6, b"\x0a\0\0\1", 40_000, b"\x0a\0\0\2", 80)


class Scribe:
    """A dialect that writes down what it is fed and is done when told so."""

    fed: list["Scribe"]

    def __init__(self, name: str) -> None:
        self.name = name
        self.sides = [b"", b""]
        self.done = False

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        if b"RAISE" in data:
            raise ValueError("on purpose")
        self.sides[side] += data
        self.done = self.sides[side].endswith(b"DONE")
        return [Message(f"net.{self.name}", self.name, {"text": data.decode("latin-1")}, {}, reply=side == 1)]


class World:
    """Streams over scribes that claim by a first word; what they told, in order."""

    def __init__(self, *words: bytes, resumes: bool = False, **bounds: int) -> None:
        self.scribes: list[Scribe] = []
        self.told: list[tuple[int, str]] = []
        self.talk = Talk()
        claims = [self._claim(word, resumes) for word in words or (b"HELLO",)]
        self.streams = Streams(claims, self._tell, **bounds)
        self.flow = Flow(KEY, 0.0, -1)

    def _claim(self, word: bytes, resumes: bool) -> StreamClaim:
        def claims(first: bytes, _talk: Talk) -> bool | None:
            return True if first.startswith(word) else None if word.startswith(first) else False

        def make(_talk: Talk) -> Scribe:
            self.scribes.append(Scribe(word.decode().lower()))
            return self.scribes[-1]

        return StreamClaim(word.decode().lower(), claims, make, frozenset(word[:1]), resumes)

    def _tell(self, _flow: Flow, side: int, messages: Sequence[Message]) -> None:
        self.told += [(side, str(one.fields["text"])) for one in messages]

    def say(self, data: bytes, sequence: int, side: int = 0, *, whole: bool = True) -> None:
        self.streams.segment(self.flow, side, data, sequence, self.talk, whole=whole)

    @property
    def heard(self) -> bytes:
        return self.scribes[-1].sides[0] if self.scribes else b""


def test_in_order_each_byte_once() -> None:
    world = World()
    world.say(b"HELLO ", 100)
    world.say(b"world", 106)
    world.say(b"world", 106)
    world.say(b"world!", 106)
    assert world.heard == b"HELLO world!"
    assert world.told == [(0, "HELLO "), (0, "world"), (0, "!")]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_any_overlap_any_place_in_the_number_space(draw: st.DataObject) -> None:
    whole = b"HELLO" + bytes(range(65, 91)) * 20
    start = draw.draw(st.sampled_from([0, 1, (1 << 32) - 300, (1 << 31) - 50]))
    world = World()
    world.flow.counts[10] = (start - 0) % (1 << 32)  # its SYN was seen
    cuts = sorted(draw.draw(st.sets(st.integers(1, len(whole) - 1), max_size=12)) | {0, len(whole)})
    pieces = [
        (at, whole[at : min(len(whole), end + draw.draw(st.integers(0, 9)))]) for at, end in pairwise(cuts)
    ]
    for at, piece in draw.draw(st.permutations(pieces)):
        world.say(piece, (start + at) % (1 << 32))
    assert world.heard == whole


def test_a_claim_may_wait_for_more_and_for_the_other_side() -> None:
    world = World()
    world.say(b"HE", 100)
    world.say(b"banner", 500, side=1)
    assert world.scribes == []
    world.say(b"LLO", 102)
    world.say(b"answer", 506, side=1)
    assert world.scribes[0].sides == [b"HELLO", b"answer"]


def test_what_the_other_side_said_before_the_claim_is_not_lost() -> None:
    world = World(b"HELLO", b"WELCOME")
    world.say(b"WELC", 500, side=1)
    world.say(b"HELLO", 100)
    assert world.scribes[0].sides == [b"HELLO", b"WELC"]
    assert world.told[0] == (1, "WELC")


def test_nobody_listens_to_what_nobody_claims() -> None:
    world = World()
    world.say(b"XYZ", 100)
    world.say(b"XYZ", 500, side=1)
    assert world.flow.deaf == BOTH_DEAF
    assert (len(world.streams), world.streams.held_bytes) == (0, 0)
    world.say(b"HELLO", 103)
    assert world.scribes == []


def test_a_claim_that_resumes_is_asked_in_the_middle() -> None:
    world = World(resumes=True)
    world.say(b"XYZ", 100)
    world.say(b"XYZ", 500, side=1)
    world.say(b"HELLO again", 103)
    world.say(b"answer", 503, side=1)
    assert world.scribes[0].sides == [b"HELLO again", b"answer"]
    world.flow.fresh = False
    assert len(world.scribes) == 1


def test_after_a_dialect_that_is_done_the_next_is_asked() -> None:
    world = World(b"HELLO", b"SECOND")
    world.say(b"HELLO DONE", 100)
    world.say(b"SECOND", 110)
    assert [one.name for one in world.scribes] == ["hello", "second"]
    assert world.heard == b"SECOND"
    for number in range(10):
        world.say(b" DONE", 116 + 16 * number)
        world.say(b"HELLO WORLD", 121 + 16 * number)
    assert len(world.scribes) == DIALECTS_MAX


def test_no_more_than_its_bytes() -> None:
    world = World()
    world.say(b"HELLO" + bytes(STREAM_BYTES_MAX), 100)
    assert len(world.heard) == STREAM_BYTES_MAX
    assert world.flow.deaf == BOTH_DEAF
    assert world.streams.held_bytes == 0


def test_an_undecided_claim_is_refused_in_the_end() -> None:
    world = World(b"H" * 4_096)
    world.say(b"H" * (CLAIM_BYTES_MAX - 1), 1)
    assert not world.flow.deaf
    world.say(b"H", CLAIM_BYTES_MAX)
    assert world.flow.deaf == 1


def test_a_hole_that_does_not_fill_ends_it_and_is_counted() -> None:
    world = World(resumes=True)
    world.say(b"HELLO", 100)
    at = 1_000
    while world.scribes[-1] is world.scribes[0] and at < 100_000:
        world.say(b"HELLO" + bytes(995), at)
        at += 1_000
    assert at <= 1_000 + EARLY_BYTES_MAX + 2_000
    assert world.streams.counts()["streams_holes"] == 1
    assert len(world.scribes) == 2  # what waited behind the hole began anew
    assert len(world.heard) > 10_000


def test_a_cut_packet_ends_it() -> None:
    world = World()
    world.say(b"HELLO", 100, whole=False)
    assert world.told == [(0, "HELLO")]
    assert world.flow.deaf == BOTH_DEAF


def test_a_mistake_of_a_dialect_costs_its_conversation_only() -> None:
    world = World()
    world.say(b"HELLO", 100)
    world.say(b"RAISE", 105)
    assert world.streams.counts()["dialects_failed"] == 1
    assert len(world.streams) == 0


def test_a_mistake_of_a_claim_likewise() -> None:
    def claims(_first: bytes, _talk: Talk) -> bool | None:
        raise IndexError("on purpose")

    streams = Streams([StreamClaim("wrong", claims, lambda _talk: Scribe("wrong"))], lambda *_: None)
    flow = Flow(KEY, 0.0, -1)
    streams.segment(flow, 0, b"x", 1, Talk())
    assert (streams.counts()["dialects_failed"], len(streams), flow.deaf) == (1, 0, BOTH_DEAF)


def test_memory_is_bounded_the_oldest_goes_first() -> None:
    world = World(open_max=10)
    flows = [Flow((*KEY[:2], port, *KEY[3:]), 0.0, -1) for port in range(30)]
    for flow in flows:
        world.streams.segment(flow, 0, b"HELLO", 1, world.talk)
    assert [flow.listening is not None for flow in flows] == [False] * 20 + [True] * 10
    assert world.streams.counts()["streams_evicted"] == 20
    wide = World(open_bytes_max=50_000)
    for flow in [Flow((*KEY[:2], port, *KEY[3:]), 0.0, -1) for port in range(30)]:
        wide.streams.segment(flow, 0, b"HELLO" + bytes(8_000), 1, wide.talk)
        assert wide.streams.held_bytes <= 50_000
    assert wide.streams.held_bytes == len(wide.streams) * (LISTENING_BYTES + 8_005)


def test_what_is_forgotten_holds_nothing() -> None:
    world = World()
    world.say(b"HELLO", 100)
    world.say(b"later", 200)
    world.streams.forget(world.flow)
    assert (len(world.streams), world.streams.held_bytes) == (0, 0)
