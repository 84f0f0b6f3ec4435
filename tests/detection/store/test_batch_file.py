"""The signed heads beside a sealed file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.keys import SigningKey
from crypto.words import LiuheError
from detection.store.batch_file import head_of, read_heads, write_heads
from sensors.signed_batch import Signer, signed_bytes
from sensors.wire import StoredHeader, encode_batch, make_batch, store_frame

KEY = SigningKey.generate()
HEADER = StoredHeader(
    sensor="web01",
    unit="u",
    epoch=1,
    lane="bulk",
    first=1,
    last=2,
    received=datetime(2026, 11, 22, tzinfo=UTC),
)


def frame() -> bytes:
    batch = Signer(KEY).sign(make_batch("web01", 1, "bulk", 1, [b'{"a":1}', b'{"a":2}']))
    return store_frame(HEADER, encode_batch(batch))


def test_a_head_keeps_what_the_signature_is_over(tmp_path: Path) -> None:
    head = head_of(frame())
    assert head is not None
    assert head.batch.body == b""
    write_heads(tmp_path / "x.batches", [head])
    (kept,) = read_heads(tmp_path / "x.batches")
    assert kept == head
    KEY.public.verify(signed_bytes(kept.batch), kept.batch.signature)


def test_what_is_no_batch_has_no_head() -> None:
    assert head_of(b"\0\1x") is None
    assert head_of(frame()[:-9]) is None


def test_a_missing_file_has_no_heads_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.batches"
    assert read_heads(path) == []
    head = head_of(frame())
    assert head is not None
    write_heads(path, [head])
    for damaged in (b"", b"nothing", path.read_bytes()[:-5]):
        path.write_bytes(damaged)
        with pytest.raises(LiuheError, match="batches-damaged"):
            read_heads(path)
