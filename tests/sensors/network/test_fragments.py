"""Fragments of both versions of IP: any order, sent again, overlapping, never whole, too many."""

from collections.abc import Callable, Sequence
from itertools import permutations
from struct import pack

import craft
import pytest
from craft import of
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.event import Observation
from sensors.network.fragments import DATAGRAMS_MAX, HELD_BYTES_MAX, WAIT_SECONDS, Fragments
from sensors.network.packet import walk, walk_network

Inspect = Callable[..., list[Observation]]
SIZES = (24, 24, 7)


def part(
    body: bytes, offset: int, more: bool, identifier: int = 9, version: int = 4, protocol: int = 17
) -> bytes:
    if version == 6:
        head = pack("!BBHI", protocol, 0, offset | more, identifier)
        return craft.ip(head + body, 44, "fd00::1", "fd00::2")
    raw = bytearray(craft.ip(body, protocol))
    raw[18:22] = pack("!HH", identifier, more << 13 | offset // 8)
    return bytes(raw)


def parts(whole: bytes, sizes: Sequence[int] = SIZES, **more: int) -> list[bytes]:
    """The body cut at ``sizes``, the last part the rest."""
    found, at = [], 0
    for size in sizes[:-1]:
        found.append(part(whole[at : at + size], at, True, **more))
        at += size
    return [*found, part(whole[at:], at, False, **more)]


def join(packets: Sequence[bytes], fragments: Fragments | None = None) -> list[bytes]:
    fragments = Fragments() if fragments is None else fragments
    found = []
    for number, raw in enumerate(packets):
        packet = walk(raw, 1)
        assert packet is not None
        assert packet.is_fragment
        whole = fragments.add(raw, packet, number * 0.01)
        if whole is not None:
            inner = walk_network(whole, packet)
            assert inner is not None
            found.append(whole[inner.start : inner.end])
    return found


DATAGRAM = pack("!HHHH", 40_000, 53, 8 + 47, 0) + bytes(range(47))


@pytest.mark.parametrize("version", [4, 6])
def test_any_order_makes_it_whole(version: int) -> None:
    for order in permutations(parts(DATAGRAM, version=version)):
        assert join(order) == [DATAGRAM[8:]]


@pytest.mark.parametrize("version", [4, 6])
def test_a_part_sent_again_changes_nothing(version: int) -> None:
    first, second, last = parts(DATAGRAM, version=version)
    assert join([first, first, second, second, last]) == [DATAGRAM[8:]]


def test_of_an_overlap_the_first_to_come_counts_in_ipv4_and_nothing_in_ipv6() -> None:
    for version, expected in ((4, [DATAGRAM[8:]]), (6, [])):
        first, second, last = parts(DATAGRAM, version=version)
        other = part(b"\xff" * 32, 16, True, version=version)
        fragments = Fragments()
        assert join([first, second, other, last], fragments) == expected
        assert fragments.counts()["fragments_overlapping"] == 1


def test_a_query_in_fragments_is_read(inspect: Inspect) -> None:
    question = craft.dns("a-rather-long-name-that-is-cut.example.cn")
    raw = pack("!HHHH", 40_000, 53, 8 + len(question), 0) + question
    seen = inspect(*parts(raw))
    assert [one.fields["dns.question.name"] for one in of("net.dns", seen)] == [
        "a-rather-long-name-that-is-cut.example.cn"
    ]
    assert [one.fields["source.packets"] for one in of("net.flow", seen)] == [1]


def test_what_never_becomes_whole_is_given_up_and_counted() -> None:
    fragments = Fragments()
    assert join(parts(DATAGRAM)[:2], fragments) == []
    fragments.advance(WAIT_SECONDS + 1)
    assert len(fragments) == 0
    assert fragments.counts()["fragments_lost"] == 1


def test_numbers_and_bytes_are_bounded() -> None:
    fragments = Fragments()
    for identifier in range(DATAGRAMS_MAX + 50):
        raw = part(bytes(24), 0, True, identifier=identifier)
        packet = walk(raw, 1)
        assert packet is not None
        fragments.add(raw, packet, 1.0)
    assert len(fragments) == DATAGRAMS_MAX
    assert fragments.counts()["fragments_lost"] == 50
    wide = Fragments()
    for identifier in range(HELD_BYTES_MAX // 16_000 + 20):
        raw = part(bytes(16_000), 0, True, identifier=identifier)
        packet = walk(raw, 1)
        assert packet is not None
        wide.add(raw, packet, 1.0)
    assert len(wide) == HELD_BYTES_MAX // 16_000


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 8_191), st.integers(0, 60), st.booleans(), st.integers(0, 2), st.booleans()),
        max_size=30,
    )
)
def test_any_parts_are_answered(told: list[tuple[int, int, bool, int, bool]]) -> None:
    fragments = Fragments()
    for offset, size, more, identifier, new in told:
        raw = part(bytes(size), offset * 8, more, identifier, version=6 if new else 4)
        packet = walk(raw, 1)
        if packet is not None and packet.is_fragment:
            whole = fragments.add(raw, packet, 1.0)
            assert whole is None or len(whole) <= 40 + 65_535
