"""Frames and lines: cut anywhere they are the same, lied lengths skip, and what is held is bounded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.network.reading import (
    FRAME_BYTES_MAX,
    LINE_BYTES_MAX,
    Frames,
    Lines,
    clean,
    mark_of,
    text,
    until_zero,
    wide,
)


def measure(data: bytes) -> int:
    """A frame of the tests: its size in two bytes, itself included; 0 is no size."""
    if len(data) < 2:
        return 0
    return int.from_bytes(data[:2], "big") or -1


def framed(*bodies: bytes) -> bytes:
    return b"".join((len(body) + 2).to_bytes(2, "big") + body for body in bodies)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_frames_do_not_depend_on_the_cuts(bodies: list[bytes], steps: list[int]) -> None:
    stream, frames, found, at = framed(*bodies), Frames(measure), [], 0
    while at < len(stream):
        step = steps[at % len(steps)]
        found += frames.feed(stream[at : at + step])
        at += step
    assert [one[2:] for one in found] == bodies


def test_a_long_frame_is_told_cut_and_skipped() -> None:
    frames = Frames(measure, 100)
    found = list(frames.feed(framed(b"a" * 5_000)[:150]))
    assert [len(one) for one in found] == [100]
    assert list(frames.feed(b"a" * 4_000)) == []
    assert list(frames.feed(b"a" * 852 + framed(b"next"))) == [framed(b"next")]
    assert not frames.broken


def test_what_is_no_frame_ends_it_or_begins_it_anew() -> None:
    strict, lenient = Frames(measure), Frames(measure, begins_anew=True)
    assert list(strict.feed(b"\0\0rubbish")) == []
    assert strict.broken
    assert list(strict.feed(framed(b"x"))) == []
    assert list(lenient.feed(b"\0\0rubbish")) == []
    assert list(lenient.feed(framed(b"x"))) == [framed(b"x")]


def test_a_measure_that_never_decides_is_not_fed_for_ever() -> None:
    frames = Frames(lambda data: 0)
    for _ in range(40):
        assert list(frames.feed(bytes(1_000))) == []
    assert frames.broken
    assert len(frames._held) <= FRAME_BYTES_MAX


def test_lines_in_pieces_and_too_long() -> None:
    some = Lines()
    assert some.feed(b"one\r\ntw") == [b"one"]
    assert some.feed(b"o\n") == [b"two"]
    assert some.feed(b"x" * (LINE_BYTES_MAX + 1)) == [b"x" * LINE_BYTES_MAX]
    assert some.feed(b"x" * (LINE_BYTES_MAX + 1)) == []
    assert some.feed(b"rest\nthree\n") == [b"three"]


def test_text_stays_one_line() -> None:
    assert text("达梦".encode()) == "达梦"
    assert text(b"\xe9t\xe9") == "été"
    assert text(b"a\nb\0") == "a\\x0ab\\x00"
    assert wide("名\n".encode("utf-16-le")) == "名\\x0a"
    assert clean("plain") == "plain"
    assert until_zero(b"ab\0cd") == b"ab"
    assert until_zero(b"ab", 1) == b"b"


def test_a_mark_tells_reuse_and_nothing_else() -> None:
    here, there = bytes(32), bytes([1]) * 32
    assert mark_of(b"secret", here) == mark_of(b"secret", here)
    assert mark_of(b"secret", here) != mark_of(b"secret", there)
    assert mark_of(b"secret", here) != mark_of(b"Secret", here)
    assert len(mark_of(b"secret", here)) == 32
    assert mark_of(b"", here) == mark_of(b"secret", b"") == ""
