"""The signed heads of the batches behind a sealed file: who signed what, kept as long as the events.

Beside ``NAME.parquet`` lies ``NAME.batches``: zstd of MessagePack, per frame of the log the center's header
and the batch without its body. SM3 and SM2 signature are over the body as it was received; whoever changes a
head breaks its signature.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import zstandard

from crypto.words import BadInput, LiuheError, Words
from sensors.messages import Batch
from sensors.wire import StoredHeader, decode_batch, open_frame

SUFFIX: Final = ".batches"
BYTES_MAX: Final = 256 * 1024 * 1024  # of one file, uncompressed


class Head(NamedTuple):
    """One frame of the log: the center's header and the batch as signed, its body left out."""

    header: StoredHeader
    batch: Batch


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(list[Head])


def head_of(payload: bytes) -> Head | None:
    """The head of a frame; None where it is no batch."""
    try:
        header, message = open_frame(payload)
        return Head(header, msgspec.structs.replace(decode_batch(message), body=b""))
    except BadInput:
        return None


def write_heads(path: Path, heads: Sequence[Head]) -> None:
    """Write and sync; the caller renames it to its final name."""
    packed = zstandard.ZstdCompressor(level=3).compress(_encoder.encode(list(heads)))
    with path.open("wb") as file:
        file.write(packed)
        file.flush()
        os.fsync(file.fileno())


def read_heads(path: Path) -> list[Head]:
    """The heads of a file; [] where there is none. Raises LiuheError (batches-damaged)."""
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        size = zstandard.get_frame_parameters(packed).content_size
        if not 0 <= size <= BYTES_MAX:
            raise ValueError(size)
        return _decoder.decode(zstandard.ZstdDecompressor().decompress(packed, max_output_size=BYTES_MAX))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise LiuheError(
            "batches-damaged",
            Words("签名批的记录已损坏", "the record of signed batches is damaged"),
            Words("请从备份恢复该文件", "restore this file from a backup"),
            field=str(path),
        ) from error
