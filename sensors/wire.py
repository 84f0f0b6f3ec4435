"""Batches of events on the wire and in the center's log: packed, verified and taken apart again; no sockets.

A batch's body is zstd of one JSON event a line; bytes are documented in docs/reference/formats/wire.md.
"""

import struct
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

import msgspec
import zstandard

from crypto import sm3
from crypto.words import BadInput
from sensors.event import Event, decode, sequence_of
from sensors.messages import (
    LANE_SHIFT,
    LANES,
    Batch,
    Epoch,
    Lane,
    SensorId,
    Sequence,
    UnitName,
    decode_message,
    malformed,
)

BODY_BYTES_MAX: Final = 8 * 1024 * 1024  # a batch, decompressed
_COMPRESSION_LEVEL: Final = 3
_WINDOW_BYTES_MAX: Final = 8 * 1024 * 1024
_encoder: Final = msgspec.msgpack.Encoder()


def make_batch(sensor: str, epoch: int, lane: str, first: int, lines: list[bytes]) -> Batch:
    """A batch of encoded events (no newlines inside) whose sequences run from ``first`` without a hole."""
    body = zstandard.ZstdCompressor(level=_COMPRESSION_LEVEL).compress(b"\n".join(lines))
    return Batch(
        sensor=sensor,
        epoch=epoch,
        lane=msgspec.convert(lane, Lane),
        first=first,
        last=first + len(lines) - 1,
        count=len(lines),
        sm3=sm3.new(body).digest(),
        body=body,
    )


def encode_batch(batch: Batch) -> bytes:
    """The batch as message bytes, without the length."""
    return _encoder.encode(batch)


def decode_batch(data: bytes) -> Batch:
    """The inverse of ``encode_batch``. Raises BadInput."""
    message = decode_message(data)
    if not isinstance(message, Batch):
        raise malformed("not a batch", "type")
    return message


def batch_lines(batch: Batch) -> list[bytes]:
    """The events of a batch, still JSON, after checking digest, size and count. Raises BadInput."""
    if sm3.new(batch.body).digest() != batch.sm3:
        raise malformed("the SM3 of the body is another", "sm3")
    return body_lines(batch)


def body_lines(batch: Batch) -> list[bytes]:
    """The same where the digest was checked already. Raises BadInput."""
    lines = _decompressed(batch.body).split(b"\n")
    if len(lines) != batch.count:
        raise malformed(f"{len(lines)} events, {batch.count} announced", "count")
    return lines


def _decompressed(body: bytes) -> bytes:
    # max_output_size is ignored where the frame announces its size: the announcement is what gets checked.
    try:
        parameters = zstandard.get_frame_parameters(body)
        if not 0 < parameters.content_size <= BODY_BYTES_MAX:
            raise malformed(f"decompressed size missing or > {BODY_BYTES_MAX}", "body")
        if parameters.window_size > _WINDOW_BYTES_MAX:
            raise malformed(f"zstd window > {_WINDOW_BYTES_MAX}", "body")
        decompressor = zstandard.ZstdDecompressor()
        return decompressor.decompress(body, max_output_size=BODY_BYTES_MAX, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise malformed(f"zstd: {error}", "body") from error


class StoredHeader(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a center puts before a batch it stores: who sent it, which part counts, when it came."""

    sensor: SensorId
    unit: UnitName
    epoch: Epoch
    lane: Lane
    first: Sequence  # events of the batch below this were stored before and are passed over
    last: Sequence
    received: datetime


_header_decoder: Final = msgspec.msgpack.Decoder(StoredHeader)
_HEADER_LENGTH: Final = struct.Struct(">H")


def store_frame(header: StoredHeader, message: bytes) -> bytes:
    """The payload of one frame of the center's log: header, then the batch message as it was received."""
    head = _encoder.encode(header)
    return _HEADER_LENGTH.pack(len(head)) + head + message


def open_frame(payload: bytes) -> tuple[StoredHeader, bytes]:
    """The inverse of ``store_frame``. Raises BadInput."""
    if len(payload) < _HEADER_LENGTH.size:
        raise malformed("stored frame is too short", "frame")
    start = _HEADER_LENGTH.size
    end = start + int(_HEADER_LENGTH.unpack_from(payload)[0])
    try:
        return _header_decoder.decode(payload[start:end]), payload[end:]
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(str(error), "frame") from error


class EventError(NamedTuple):
    """One event of a batch that is not one: its place in the lane and why."""

    sequence: int
    reason: str


class FrameContents(NamedTuple):
    """A stored frame taken apart."""

    header: StoredHeader
    events: list[Event]
    errors: list[EventError]


def lane_sequence(lane: str, sequence: int) -> int:
    """The sequence that goes into an event id: unique in a boot over all lanes."""
    return (LANES.index(lane) + 1) << LANE_SHIFT | sequence


def frame_events(payload: bytes) -> list[Event]:
    """The events of one frame of the center's log, ``ingested`` set. Raises BadInput on a foreign frame."""
    return frame_contents(payload).events


def frame_contents(payload: bytes) -> FrameContents:
    """Events and errors of one frame of the center's log. Raises BadInput where it is no such frame."""
    header, message = open_frame(payload)
    batch = decode_batch(message)
    events: list[Event] = []
    errors: list[EventError] = []
    for sequence, found in _decoded(batch, header.first, header.received, unit=header.unit):
        if isinstance(found, Event):
            events.append(found)
        else:
            errors.append(EventError(sequence, found))
    return FrameContents(header, events, errors)


def events_of(batch: Batch, ingested: datetime) -> list[Event]:
    """The well-formed events of a batch. Raises BadInput where the batch itself is malformed."""
    return [found for _, found in _decoded(batch, batch.first, ingested) if isinstance(found, Event)]


def _decoded(
    batch: Batch, first: int, ingested: datetime, unit: str | None = None
) -> Iterator[tuple[int, Event | str]]:
    for sequence, line in enumerate(batch_lines(batch), start=batch.first):
        if sequence < first:
            continue
        try:
            event = decode(line)
        except BadInput as error:
            yield sequence, f"{error.what.en} ({error.field})"
            continue
        wrong = _foreign(event, batch, sequence)
        # The center's register says where a sensor belongs; the sensor may not have heard of its move yet.
        own = event.unit if unit is None else unit
        yield sequence, wrong or msgspec.structs.replace(event, ingested=ingested, unit=own)


def _foreign(event: Event, batch: Batch, sequence: int) -> str:
    """Why an event is not the one that its sensor may send at this place; '' where it is."""
    if event.sensor != batch.sensor:
        return "another sensor's event"
    if sequence_of(event.id) != (batch.epoch, lane_sequence(batch.lane, sequence)):
        return "the id is not that of its place"
    return ""


class _Sender(msgspec.Struct):
    sensor: str


_sender: msgspec.json.Decoder[_Sender] = msgspec.json.Decoder(_Sender)


def foreign_senders(lines: Iterable[bytes], sensor: str) -> int:
    """How many events name another sensor than ``sensor``; lines that are no events do not count."""
    count = 0
    for line in lines:
        try:
            count += _sender.decode(line).sensor != sensor
        except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue  # kept as received; reported when the batch is read
    return count
