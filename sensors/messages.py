"""The messages between a sensor and a center, and how a byte stream is cut into them; no sockets.

A message is a length (u32, big-endian) and that many bytes of MessagePack: an object with ``type`` and the
fields of one of the structs below. Documented in docs/reference/formats/wire.md.
"""

import struct
from typing import Annotated, Final, Literal

import msgspec

from crypto.words import BadInput, Words

PROTOCOL: Final = 2
MESSAGE_BYTES_MAX: Final = 2 * 1024 * 1024
GREETING_BYTES_MAX: Final = 64 * 1024  # until the peer has shown a certificate
BATCH_EVENTS_MAX: Final = 5_000
PACKET_PART_BYTES_MAX: Final = 1024 * 1024
PACKET_PARTS_MAX: Final = 32
LANES: Final = ("alerts", "flows", "bulk")  # in the order they are sent
LANE_SHIFT: Final = 44  # an event id's 48-bit sequence: 4 bits of lane, 44 bits of the lane's own sequence
SEQUENCE_MAX: Final = (1 << LANE_SHIFT) - 1
EPOCH_MAX: Final = (1 << 32) - 1
UNSIGNED_KEY: Final = bytes(32)
UNSIGNED: Final = bytes(64)

Lane = Literal["alerts", "flows", "bulk"]
SensorId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
UnitName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Epoch = Annotated[int, msgspec.Meta(ge=1, le=EPOCH_MAX)]
Sequence = Annotated[int, msgspec.Meta(ge=1, le=SEQUENCE_MAX)]
Text = Annotated[str, msgspec.Meta(max_length=500)]
Nonce = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
RequestId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
Pem = Annotated[str, msgspec.Meta(max_length=16_384)]


class Hello(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hello", forbid_unknown_fields=True
):
    """The sensor's first message on a mutually authenticated connection."""

    protocol: int = PROTOCOL
    sensor: SensorId
    version: Annotated[str, msgspec.Meta(max_length=64)]
    kind: Literal["host", "network"]
    epoch: Epoch
    configuration: Annotated[int, msgspec.Meta(ge=0, lt=1 << 53)] = 0  # version of the one it holds
    packets: bool = False  # it keeps raw packets and answers ``PacketsWanted``


class Welcome(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="welcome", forbid_unknown_fields=True
):
    """The center's answer; ``credit`` batches may be under way unacknowledged, see ``Credit``."""

    protocol: int = PROTOCOL
    center: Annotated[str, msgspec.Meta(max_length=64)]
    credit: Annotated[int, msgspec.Meta(ge=0, le=64)]


class Batch(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="batch", forbid_unknown_fields=True
):
    """Consecutive events first..last of one lane and boot: ``body`` is zstd of one JSON event a line.

    ``key`` is the SM3 of the signer's SubjectPublicKeyInfo, ``signature`` its SM2 signature over what
    ``sensors.signed_batch.signed_bytes`` says; both are zeros until the uplink signs.
    """

    sensor: SensorId
    epoch: Epoch
    lane: Lane
    first: Sequence
    last: Sequence
    count: Annotated[int, msgspec.Meta(ge=1, le=BATCH_EVENTS_MAX)]
    sm3: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]  # of body
    key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)] = UNSIGNED_KEY
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)] = UNSIGNED
    body: Annotated[bytes, msgspec.Meta(max_length=MESSAGE_BYTES_MAX)]


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="ack", forbid_unknown_fields=True):
    """Everything of the lane up to ``sequence`` is durable at the center."""

    epoch: Epoch
    lane: Lane
    sequence: Sequence


class Credit(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="credit", forbid_unknown_fields=True
):
    """A new number of batches that may be under way.

    0 asks the sensor to wait: then one batch of the first lane (alerts, heartbeats, gap records) at most. It
    is said again every few seconds, so that a sensor that waits knows the center is there.
    """

    batches: Annotated[int, msgspec.Meta(ge=0, le=64)]


class Ping(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="ping", forbid_unknown_fields=True
):
    """The center asks whether this connection is alive: another one came with the same identity."""

    nonce: Nonce


class Pong(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="pong", forbid_unknown_fields=True
):
    """The sensor's answer, with the number it was asked with."""

    nonce: Nonce


class Problem(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="error", forbid_unknown_fields=True
):
    """Why the connection ends; codes and sentences as in docs/reference/errors.md."""

    code: Annotated[str, msgspec.Meta(max_length=64)]
    zh: Text
    en: Text


class AuthorityRequest(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="authority?", forbid_unknown_fields=True
):
    """Not authenticated: asks for the center's CA certificate, to be compared with the token."""

    protocol: int = PROTOCOL


class Authority(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="authority", forbid_unknown_fields=True
):
    """The center's CA certificate."""

    certificate: Pem


class EnrolRequest(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="enrol?", forbid_unknown_fields=True
):
    """Not authenticated, but on a connection whose center was verified: the token's secret and a CSR."""

    protocol: int = PROTOCOL
    token: Annotated[str, msgspec.Meta(max_length=64)]
    secret: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    sensor: SensorId
    kind: Literal["host", "network"]
    hostname: Annotated[str, msgspec.Meta(max_length=253)]
    request: Pem


class Enrolled(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="enrolled", forbid_unknown_fields=True
):
    """The sensor's certificate and the unit it belongs to."""

    sensor: SensorId
    unit: UnitName
    center: Annotated[str, msgspec.Meta(max_length=64)]
    certificate: Pem


class Configuration(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="configuration",
    forbid_unknown_fields=True,
):
    """What the center wants this sensor to do, signed; the body is ``sensors.configuration.Body``."""

    body: Annotated[bytes, msgspec.Meta(min_length=1, max_length=MESSAGE_BYTES_MAX)]
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
    chain: Annotated[list[Pem], msgspec.Meta(min_length=1, max_length=4)]  # the signer's, leaf first, no root


class Renew(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="renew?", forbid_unknown_fields=True
):
    """The sensor, on its authenticated connection, asks for a certificate of a new key: a CSR."""

    request: Pem


class Renewed(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="renewed", forbid_unknown_fields=True
):
    """The certificate with those of its issuers; the old one is good until the new one is first used."""

    certificate: Pem


class RevocationLists(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    tag_field="type",
    tag="revocations",
    forbid_unknown_fields=True,
):
    """The newest revocation lists of the center's authorities, PEM; they are signed, the sensor verifies."""

    lists: Annotated[str, msgspec.Meta(max_length=MESSAGE_BYTES_MAX // 2)]


class PacketsWanted(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="packets?", forbid_unknown_fields=True
):
    """An analyst asks for the raw packets of a flow, by Community ID and time in seconds since 1970."""

    request: RequestId
    community_id: Annotated[str, msgspec.Meta(pattern=r"^1:[A-Za-z0-9+/]{27}=$")]
    begins: Annotated[float, msgspec.Meta(ge=0, le=1e11)]
    ends: Annotated[float, msgspec.Meta(ge=0, le=1e11)]


class PacketsFound(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="packets", forbid_unknown_fields=True
):
    """A part of the pcap file that answers a request; the parts come in order, the last has ``more`` false.

    An empty file means that the ring holds no such packets any more, or ``reason`` why it cannot be read.
    """

    request: RequestId
    part: Annotated[int, msgspec.Meta(ge=0, le=PACKET_PARTS_MAX)]
    more: bool
    body: Annotated[bytes, msgspec.Meta(max_length=PACKET_PART_BYTES_MAX)]
    reason: Text = ""


Message = (
    Hello
    | Welcome
    | Batch
    | Ack
    | Credit
    | Ping
    | Pong
    | Problem
    | AuthorityRequest
    | Authority
    | EnrolRequest
    | Enrolled
    | Configuration
    | Renew
    | Renewed
    | RevocationLists
    | PacketsWanted
    | PacketsFound
)

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Message)
_LENGTH: Final = struct.Struct(">I")


def encode_message(message: Message) -> bytes:
    """A message with its length, ready to be sent."""
    data = _encoder.encode(message)
    return _LENGTH.pack(len(data)) + data


def decode_message(data: bytes) -> Message:
    """A message from its bytes without the length. Raises BadInput."""
    try:
        message: Message = _decoder.decode(data)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(str(error)) from error
    if isinstance(message, Batch) and message.last - message.first + 1 != message.count:
        raise malformed("count is not last - first + 1", "count")
    return message


class Decoder:
    """Cuts a byte stream into messages; holds at most one message's bytes."""

    def __init__(self, message_bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        self.message_bytes_max = message_bytes_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Messages completed by ``data``. Raises BadInput; the stream is then beyond repair."""
        self._buffer += data
        found: list[Message] = []
        while len(self._buffer) >= _LENGTH.size:
            length: int = _LENGTH.unpack_from(self._buffer)[0]
            if not 0 < length <= self.message_bytes_max:
                raise malformed(f"message of {length} bytes > {self.message_bytes_max}", "length")
            if len(self._buffer) < _LENGTH.size + length:
                break
            found.append(decode_message(bytes(self._buffer[_LENGTH.size : _LENGTH.size + length])))
            del self._buffer[: _LENGTH.size + length]
        return found


def malformed(reason: str, field: str = "message") -> BadInput:
    """What is said of bytes that are not what they should be."""
    return BadInput(
        "wire-malformed",
        Words(f"报文不合格式:{reason}", f"malformed message: {reason}"),
        Words(
            "请检查两端版本是否一致,见 docs/reference/formats/wire.md",
            "check that both ends speak the same version",
        ),
        field=field,
    )
