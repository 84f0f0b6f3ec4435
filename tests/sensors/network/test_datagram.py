"""Who reads a datagram: ports first, then first bytes, and no more than a few misses."""

from collections.abc import Sequence

from sensors.network.datagram import MISSES_MAX, Datagrams
from sensors.network.dialect import DatagramDialect, Message, Talk
from sensors.network.flow import Flow

KEY = (17, b"\x0a\0\0\1", 40_000, b"\x0a\0\0\2", 53)


class World:
    """Readers that note when they are asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.flow = Flow(KEY, 0.0, -1)
        self.datagrams = Datagrams(
            [
                DatagramDialect("named", self.reader("named", b"N"), ports=frozenset({53})),
                DatagramDialect("both", self.reader("both", b"B"), frozenset({54}), None, elsewhere=True),
                DatagramDialect("any", self.reader("any", b"A"), first_bytes=frozenset(b"AX")),
            ]
        )

    def reader(self, name: str, word: bytes):  # type: ignore[no-untyped-def]
        def read(payload: bytes, talk: Talk) -> Sequence[Message] | None:
            self.asked.append(name)
            if b"RAISE" in payload:
                raise ValueError("on purpose")
            talk.memory = name
            return [Message(f"net.{name}", name, {}, {})] if payload.startswith(word) else None

        return read

    def say(self, payload: bytes, port: int, source_port: int = 40_000) -> list[str]:
        talk = Talk()
        talk.ports = (source_port, port)
        return [one.service for one in self.datagrams.read(self.flow, payload, talk)]


def test_the_port_is_asked_first() -> None:
    world = World()
    assert world.say(b"N", 53) == ["named"]
    assert world.asked == ["named"]
    assert world.say(b"N", 40_000, source_port=53) == ["named"]


def test_a_port_does_not_hide_the_others() -> None:
    world = World()
    assert world.say(b"A", 53) == ["any"]
    assert world.asked == ["named", "both", "any"]


def test_first_bytes_keep_the_others_out() -> None:
    world = World()
    assert world.say(b"C", 9_999) == []
    assert world.asked == ["both"]
    assert world.say(b"B", 9_999) == ["both"]


def test_a_flow_nobody_understands_is_left_alone_but_its_ports_are_not() -> None:
    world = World()
    for _ in range(MISSES_MAX + 5):
        world.say(b"X", 9_999)
    assert len(world.asked) == 2 * MISSES_MAX
    assert world.say(b"N", 53) == ["named"]


def test_memory_stays_with_the_flow_that_is_understood() -> None:
    world = World()
    world.say(b"N", 53)
    assert world.flow.memory == "named"


def test_a_mistake_costs_its_datagram_only() -> None:
    world = World()
    assert world.say(b"RAISE", 53) == []
    assert world.datagrams.counts() == {"readers_failed": 2}
    assert world.say(b"N", 53) == ["named"]
