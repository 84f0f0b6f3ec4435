"""Messages of a stream, however its bytes are cut."""

from hypothesis import given
from hypothesis import strategies as st

from sensors.device.framing import Framing
from sensors.device.syslog import MESSAGE_BYTES_MAX

BODY = st.binary(min_size=1, max_size=40).map(lambda one: b"<13>" + one.replace(b"\n", b"."))


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


@given(st.lists(st.tuples(BODY, st.booleans()), max_size=8), st.integers(1, 17))
def test_whole_messages_come_out_in_order_whatever_the_cuts(
    messages: list[tuple[bytes, bool]], cut: int
) -> None:
    stream = b"".join(counted(one) if by_count else one + b"\n" for one, by_count in messages)
    framing, found = Framing(), []
    for at in range(0, len(stream), cut):
        found += framing.feed(stream[at : at + cut])
    assert found + framing.finish() == [one for one, _ in messages]


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_any_bytes_are_bounded(chunks: list[bytes]) -> None:
    framing = Framing()
    for chunk in chunks:
        framing.feed(chunk)
    framing.finish()


def test_an_overlong_message_is_cut_and_what_follows_is_not_lost() -> None:
    framing = Framing()
    long = b"<13>" + b"x" * (MESSAGE_BYTES_MAX * 2)
    found = framing.feed(counted(long) + counted(b"<13>after"))
    assert [len(one) for one in found] == [MESSAGE_BYTES_MAX, 9]
    assert framing.cut == 1


def test_an_endless_line_does_not_fill_memory() -> None:
    framing = Framing()
    found = [one for _ in range(5) for one in framing.feed(b"y" * MESSAGE_BYTES_MAX)]
    assert sum(map(len, found)) > MESSAGE_BYTES_MAX * 3
    assert framing.cut >= 3


def test_a_line_that_begins_with_a_number_is_no_count() -> None:
    assert Framing().feed(b"10 Nov 2026 something\n") == [b"10 Nov 2026 something"]
    assert Framing().feed(b"2026-11-22T09:08:07Z h p: m\n") == [b"2026-11-22T09:08:07Z h p: m"]


def test_the_rest_of_a_closed_connection_is_a_message() -> None:
    framing = Framing()
    assert framing.feed(b"<13>no end") == []
    assert framing.finish() == [b"<13>no end"]
