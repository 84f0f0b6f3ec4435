"""Partial packages on disk: what is listed is durable, and a slow or full disk costs no more than it must."""

import errno
import os
import threading
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import pytest
from transfer_world import World

from crypto import package
from crypto.package import Header
from crypto.package_envelope import CHUNK_BYTES, TAG_BYTES
from crypto.words import LiuheError
from soc_api import transfer_staging
from soc_api.transfer_staging import SYNC_CHUNKS, Partial, Staging

CHUNKS = 2 * SYNC_CHUNKS + 3
WAIT_SECONDS_MAX = 60.0


class Sent(NamedTuple):
    """A package and its verified header."""

    data: bytes
    header: Header

    def chunk(self, index: int) -> bytes:
        """One sealed chunk."""
        start = self.header.header_bytes + index * (CHUNK_BYTES + TAG_BYTES)
        return self.data[start : start + CHUNK_BYTES + TAG_BYTES]

    def partial(self, folder: Path) -> Partial:
        """The partial package in a folder, begun or gone on with."""
        return Staging(folder).open(self.data[: self.header.header_bytes], self.header)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    world = World(tmp_path_factory.mktemp("world"))
    world.exported({"a.txt": b"a" * (CHUNKS * CHUNK_BYTES)})
    data = world.on_road()[0].read_bytes()
    (channel,) = world.province_parts.channels.all
    trust = world.province_parts.channels.trust(channel, world.city.store.page()[0].created)
    return Sent(data, package.read_header(BytesIO(data), recipient=world.wrap, trust=trust))


def take(partial: Partial, sent: Sent, first: int, end: int) -> None:
    """Take chunks in order."""
    for index in range(first, end):
        partial.take(index, sent.chunk(index))


@pytest.fixture
def fdatasync(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], None]], None]:
    """Put something in place of the disk."""

    def instead(disk: Callable[[int], None]) -> None:
        monkeypatch.setattr(transfer_staging.os, "fdatasync", disk)

    return instead


def test_chunks_are_taken_while_the_disk_is_busy(
    sent: Sent, tmp_path: Path, fdatasync: Callable[..., None]
) -> None:
    begun, free = threading.Event(), threading.Event()
    real = os.fdatasync

    def busy(descriptor: int) -> None:
        begun.set()
        assert free.wait(WAIT_SECONDS_MAX)
        real(descriptor)

    fdatasync(busy)
    partial = sent.partial(tmp_path)
    busy_until = 2 * SYNC_CHUNKS - 2  # the header is of the first group
    take(partial, sent, 0, busy_until)
    assert begun.wait(WAIT_SECONDS_MAX)
    assert not list(tmp_path.glob("*/progress"))  # nothing is said before it is durable
    free.set()
    take(partial, sent, busy_until, CHUNKS)
    partial.close()
    partial.close()
    assert sent.partial(tmp_path).resuming.complete
    assert partial.path.read_bytes() == sent.data


def test_a_disk_that_fails_is_told_and_lists_nothing(
    sent: Sent, tmp_path: Path, fdatasync: Callable[..., None]
) -> None:
    def failing(descriptor: int) -> None:
        raise OSError(errno.EIO, "I/O error")

    fdatasync(failing)
    partial = sent.partial(tmp_path)
    with pytest.raises(LiuheError, match="transfer-no-room"):
        take(partial, sent, 0, CHUNKS)
    with pytest.raises(LiuheError, match="transfer-no-room"):
        partial.close()
    fdatasync(os.fsync)
    again = sent.partial(tmp_path)
    assert again.resuming.missing == CHUNKS
    again.close()


def test_a_chunk_that_could_not_be_written_is_never_listed(
    sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partial = sent.partial(tmp_path)
    partial.take(2, sent.chunk(2))  # beyond: the file is long enough for what is not there

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left")

    with monkeypatch.context() as patched:
        patched.setattr(transfer_staging.os, "pwrite", full)
        with pytest.raises(LiuheError, match="transfer-no-room"):
            partial.take(1, sent.chunk(1))
    partial.close()
    again = sent.partial(tmp_path)
    assert again.resuming.missing == CHUNKS
    again.close()
