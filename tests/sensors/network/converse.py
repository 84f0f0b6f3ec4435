"""One way through a dialect: a claim, and what both sides say in turn."""

from collections.abc import Iterable, Sequence

from sensors.network.dialect import DatagramDialect, Message, StreamClaim, Talk

KEY = bytes(range(32))
CLIENT, SERVER = 0, 1


def talk(side: int = CLIENT, port: int = 0, *, client_port: int = 40_000) -> Talk:
    """The conversation as the sender of the next bytes sees it; ``port`` is the server's."""
    found = Talk(KEY)
    found.side = side
    found.ports = (client_port, port) if side == CLIENT else (port, client_port)
    return found


def converse(claim: StreamClaim, said: Sequence[tuple[int, bytes]], port: int = 0) -> list[Message]:
    """What is told of the conversation; the first bytes must be claimed, as they would be on the wire."""
    side, first = said[0]
    assert claim.first_bytes is None or first[0] in claim.first_bytes
    assert claim.claims(first, talk(side, port)) is True
    dialect = claim.make(talk(side, port))
    found: list[Message] = []
    for side, data in said:
        if dialect.done:
            break
        found += dialect.feed(side, data)
    return found


def read(dialect: DatagramDialect, payload: bytes, where: Talk | None = None) -> list[Message]:
    """What is told of one datagram, which must be the dialect's."""
    assert dialect.first_bytes is None or payload[0] in dialect.first_bytes
    found = dialect.read(payload, where or talk())
    assert found is not None
    return list(found)


def actions(messages: Iterable[Message]) -> list[object]:
    """event.action of each message."""
    return [one.fields["event.action"] for one in messages]


def lines(*said: str) -> bytes:
    """Lines as text protocols end them."""
    return "".join(f"{line}\r\n" for line in said).encode()
