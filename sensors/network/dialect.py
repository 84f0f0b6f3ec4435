"""What a protocol parser looks like to the sensor: claims on streams, readers of datagrams, messages out.

A dialect performs no input or output, holds no more than 64 KiB of what it was fed, and never raises on
hostile bytes: what it cannot read it ignores, or says ``done``. Built-ins are listed in
``sensors.network.dialects``.

Streams (TCP): the first bytes of either side are shown to the claims their first byte admits, in the order
of the list, until one says True; one that needs more bytes holds back those behind it. The claim makes the
dialect, which is then fed both sides in order, each byte once. A dialect that is ``done``, has had
``bytes_max`` of one side, or meets a hole that does not fill, is let go. What follows a dialect that said
``done`` is shown to all claims anew (TLS after STARTTLS); at any other place of a flow nobody listens to,
segments are shown to the claims that ``resume``.

Datagrams (UDP): every payload is shown to the readers its first byte and ports admit until one takes it.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from sensors.event import Value

STREAM_BYTES_MAX: Final = 16 * 1024  # of each side a dialect reads unless its claim says otherwise
CLAIM_BYTES_MAX: Final = 1_024  # a claim that cannot decide by then is refused


class Message(NamedTuple):
    """One thing a dialect saw; it becomes one Observation.

    The reporter adds source.*, destination.*, network.*, id.*, observer and interface: leave them out.
    """

    dataset: str  # "net.ssh"
    service: str  # network.protocol, in lower case: "ssh", "tls"
    fields: dict[str, Value]  # ECS and gov.*
    native: dict[str, Value]  # the same facts under Zeek's names
    reply: bool = False  # who sent these bytes is the server: the conversation is told from the other side
    log: str = ""  # Zeek's log and service name where it differs from ``service``: "ssl"
    category: str = ""  # logsource.category: "tls", "webserver"
    lane: str = "flows"
    once: str = ""  # of what a server tells everybody: said again only after a while, where it is live


class Talk:
    """The conversation a payload belongs to. One object is filled anew for each packet: copy, don't keep."""

    __slots__ = ("destination", "memory", "ports", "secret", "side", "source", "time")

    def __init__(self, secret: bytes = b"") -> None:
        self.side = 0  # who sent these bytes: 0 the flow's originator, 1 its responder
        self.ports = (0, 0)  # (sender's, receiver's) of these bytes
        self.source = b""  # the sender's address, 4 or 16 bytes
        self.destination = b""
        self.time = 0.0
        self.secret = secret  # the sensor's key for keyed hashes of what must not be kept in clear
        self.memory: object = None  # a datagram reader's own state of this flow, small and bounded


class StreamDialect(Protocol):
    """One conversation over TCP in one protocol."""

    @property
    def done(self) -> bool:
        """Whether it wants no more bytes."""
        ...

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """Take in the next bytes of ``side`` (0 originator, 1 responder); what they tell."""
        ...


class StreamClaim(NamedTuple):
    """How a stream dialect is recognised and made."""

    name: str
    claims: Callable[[bytes, Talk], bool | None]  # first bytes of one side so far; None: needs more of them
    make: Callable[[Talk], StreamDialect]
    first_bytes: frozenset[int] | None = None  # None: any; give them, it is what keeps the sensor fast
    resumes: bool = False  # may begin at any segment nobody listens to (HTTP, TLS); needs ``first_bytes``
    bytes_max: int = STREAM_BYTES_MAX


class DatagramDialect(NamedTuple):
    """How a datagram is recognised and read."""

    name: str
    read: Callable[[bytes, Talk], Sequence[Message] | None]  # None: not mine
    ports: frozenset[int] | None = None  # asked first where one of the ports is here; None: any port
    first_bytes: frozenset[int] | None = None
    elsewhere: bool = False  # asked on other ports too, after those that name the port


def by_first_byte(admitted: Sequence[frozenset[int] | None]) -> tuple[tuple[int, ...], ...]:
    """For each first byte, the places of the dialects that admit it (None admits any)."""
    return tuple(
        tuple(place for place, bytes_ in enumerate(admitted) if bytes_ is None or first in bytes_)
        for first in range(256)
    )
