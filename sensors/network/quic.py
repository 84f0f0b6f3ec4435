"""QUIC's Initial packets (RFC 9000, 9001, 9369): the hellos inside, put together from CRYPTO frames.

One ``Handshake`` per flow. It opens a bounded number of packets of each side, holds a bounded part of the
hellos, and is done once both are read.
"""

from typing import Final, NamedTuple

from sensors.network.quic_keys import SAMPLE_BYTES, V2, VERSIONS, Keys, initial_keys

PACKETS_MAX: Final = 16  # Initial packets opened per flow and side
CRYPTO_BYTES_MAX: Final = 16 * 1024  # of one side's hello
_PIECES_MAX: Final = 64
_COALESCED_MAX: Final = 4  # packets in one datagram
_PACKET_BYTES_MAX: Final = 4 * 1024
_CONNECTION_BYTES_MAX: Final = 20
_PADDING, _PING, _ACK, _ACK_ECN, _CRYPTO = 0, 1, 2, 3, 6
_INITIAL, _ZERO_RTT, _HANDSHAKE, _RETRY = 0, 1, 2, 3


class Header(NamedTuple):
    """A long header; ``kind`` as in version 1, ``sealed`` is where the packet number begins."""

    version: int
    kind: int
    destination: bytes
    source: bytes
    start: int
    sealed: int
    end: int


def long_headers(data: bytes) -> list[Header]:
    """The long-header packets coalesced in a datagram; nothing where the first is not QUIC as we know it."""
    found: list[Header] = []
    at = 0
    while at < len(data) and data[at] & 0x80 and len(found) < _COALESCED_MAX:
        header = _header(data, at)
        if header is None:
            break
        found.append(header)
        at = header.end
    return found


def _header(data: bytes, at: int) -> Header | None:
    start = at
    version = int.from_bytes(data[at + 1 : at + 5], "big")
    if version not in VERSIONS or len(data) < at + 7:
        return None
    first = data[at]
    at += 5
    connections = []
    for _ in range(2):
        size = data[at] if at < len(data) else 255
        if size > _CONNECTION_BYTES_MAX or at + 1 + size > len(data):
            return None
        connections.append(data[at + 1 : at + 1 + size])
        at += 1 + size
    kind = first >> 4 & 3
    if version == V2:
        kind = (kind - 1) & 3
    if kind == _RETRY:
        return Header(version, kind, connections[0], connections[1], start, at, len(data))
    if kind == _INITIAL:
        size, at = _number(data, at)
        at += max(size, 0)
    size, at = _number(data, at)
    if size < 4 or at + size > len(data):
        return None
    return Header(version, kind, connections[0], connections[1], start, at, at + size)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """(variable-length integer, place behind it); -1 where it is cut."""
    if at >= len(data):
        return -1, at
    size = 1 << (data[at] >> 6)
    if at + size > len(data):
        return -1, at
    return int.from_bytes(data[at : at + size], "big") & ((1 << (8 * size - 2)) - 1), at + size


class Side:
    """One direction's hello as far as it is there."""

    def __init__(self) -> None:
        self.packets = 0
        self.told = False
        self.source = b""  # the connection id it chose for itself
        self._pieces: dict[int, bytes] = {}

    def add(self, frames: bytes) -> bytes | None:
        """Take in the frames of a packet; the whole handshake message once it is there."""
        for offset, piece in _crypto(frames):
            fits = offset + len(piece) <= CRYPTO_BYTES_MAX and len(self._pieces) < _PIECES_MAX
            if fits and len(piece) > len(self._pieces.get(offset, b"")):
                self._pieces[offset] = piece
        joined = b""
        for offset in sorted(self._pieces):
            piece = self._pieces[offset]
            if offset > len(joined):
                break
            joined += piece[len(joined) - offset :]
        if len(joined) < 4:
            return None
        size = 4 + int.from_bytes(joined[1:4], "big")
        if len(joined) < size:
            return None
        self._pieces.clear()
        return joined[:size]


class Opened(NamedTuple):
    """A hello that came together: who sent it, the message, and the header of its last packet."""

    from_client: bool
    message: bytes
    header: Header


class Handshake:
    """The Initial packets of one flow."""

    def __init__(self) -> None:
        self.client, self.server = Side(), Side()
        self.connection = b""  # the first destination the client chose: what the keys come from
        self.version = 0
        self.client_side = -1  # of the flow
        self._keys: tuple[Keys, Keys] | None = None
        self._retried = False  # the server asked once for a new beginning (RFC 9000 8.1)

    @property
    def done(self) -> bool:
        """Whether nothing more is to be learnt."""
        return all(one.told or one.packets >= PACKETS_MAX for one in (self.client, self.server))

    def see(self, data: bytes, headers: list[Header], side: int) -> list[Opened]:
        """Open what can be opened of a datagram from ``side`` of the flow."""
        found: list[Opened] = []
        for header in headers:
            if header.kind == _RETRY and side == 1 - self.client_side and not self._retried:
                self.client, self._keys, self._retried = Side(), None, True
            if header.kind != _INITIAL:
                continue
            if self.client_side < 0:
                if not header.destination:
                    continue
                self.client_side = side
            from_client = side == self.client_side
            here = self.client if from_client else self.server
            if here.told or here.packets >= PACKETS_MAX:
                continue
            here.packets += 1
            frames = self._open(data, header, from_client=from_client)
            if frames is None:
                continue
            here.source = header.source
            message = here.add(frames)
            if message is not None:
                here.told = True
                found.append(Opened(from_client, message, header))
        return found

    def _open(self, data: bytes, header: Header, *, from_client: bool) -> bytes | None:
        if self._keys is not None and header.version == self.version:
            frames = _unsealed(data, header, self._keys[0 if from_client else 1])
            if frames is not None or not from_client or header.destination == self.connection:
                return frames
        if not from_client:
            return None
        # The first packet, or the first after a Retry or another version: the keys begin anew.
        keys = initial_keys(header.version, header.destination)
        frames = _unsealed(data, header, keys[0])
        if frames is not None:
            self._keys, self.version, self.connection = keys, header.version, header.destination
        return frames


def _unsealed(data: bytes, header: Header, keys: Keys) -> bytes | None:
    """The frames of an Initial packet (RFC 9001 5.3, 5.4), None where the keys do not fit."""
    sample = data[header.sealed + 4 : header.sealed + 4 + SAMPLE_BYTES]
    if len(sample) < SAMPLE_BYTES or header.end - header.start > _PACKET_BYTES_MAX:
        return None
    mask = keys.mask(sample)
    first = data[header.start] ^ mask[0] & 0x0F
    size = (first & 3) + 1
    number = bytes(data[header.sealed + at] ^ mask[1 + at] for at in range(size))
    clear = bytes((first,)) + data[header.start + 1 : header.sealed] + number
    return keys.open(int.from_bytes(number, "big"), clear, data[header.sealed + size : header.end])


def _crypto(frames: bytes) -> list[tuple[int, bytes]]:
    """(offset, data) of the CRYPTO frames; an unknown frame ends the reading."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(frames):
        kind = frames[at]
        at += 1
        if kind in (_PADDING, _PING):
            continue
        if kind in (_ACK, _ACK_ECN):
            at = _behind_ack(frames, at, ecn=kind == _ACK_ECN)
            if at < 0:
                break
            continue
        if kind != _CRYPTO:
            break
        offset, at = _number(frames, at)
        size, at = _number(frames, at)
        if offset < 0 or size < 0 or at + size > len(frames):
            break
        found.append((offset, frames[at : at + size]))
        at += size
    return found


def _behind_ack(frames: bytes, at: int, *, ecn: bool) -> int:
    """The place behind an ACK frame's body, -1 where it is cut or endless."""
    numbers: list[int] = []
    for _ in range(3):
        number, at = _number(frames, at)
        numbers.append(number)
    if min(numbers) < 0 or numbers[2] > len(frames):
        return -1
    for _ in range(1 + 2 * numbers[2] + (3 if ecn else 0)):
        number, at = _number(frames, at)
        if number < 0:
            return -1
    return at
