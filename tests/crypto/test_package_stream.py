"""The stream: sources read to their very end, digests kept in step, quarantine files closed."""

import io
from typing import Any

import pytest

from crypto import package_stream
from crypto.package_chunks import SealingKey
from crypto.package_envelope import CHUNK_BYTES, TAG_BYTES
from crypto.package_format import FileEntry
from crypto.package_stream import Source, describe, seal_content
from crypto.sm3 import sm3_hex
from crypto.words import Refused

KEY = SealingKey(bytes(16), bytes(8), bytes(32), 2)


class Trickle(io.BytesIO):
    """A source that gives little at a time and remembers whether it was closed."""

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[:70_001])


def test_describe_digests_what_comes_in_pieces() -> None:
    opened: list[Trickle] = []

    def source() -> Trickle:
        opened.append(Trickle(b"a" * 200_000))
        return opened[-1]

    seen: list[int] = []
    entries = describe([Source("a", source), Source("b", source)], lambda done, total: seen.append(done))
    assert entries == tuple(
        FileEntry(name=name, size=200_000, sm3=sm3_hex(b"a" * 200_000)) for name in ("a", "b")
    )
    assert seen[-1] == 400_000
    assert all(file.closed for file in opened)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_sealing_does_not_depend_on_threads(threads: int) -> None:
    content = bytes(range(256)) * 4100
    sources = [Source("a", lambda: Trickle(content))]
    sink = io.BytesIO()
    seal_content(sources, sink, describe(sources), KEY, None, threads)
    expected = b"".join(
        b"".join(KEY.seal(index, memoryview(content)[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]))
        for index in range(2)
    )
    assert sink.getvalue() == expected
    assert len(expected) == len(content) + 2 * TAG_BYTES


def test_sources_are_closed_when_one_has_changed() -> None:
    opened: list[Trickle] = []

    def source() -> Trickle:
        opened.append(Trickle(b"a" * 10))
        return opened[-1]

    for entry in (
        FileEntry(name="a", size=11, sm3="00" * 32),
        FileEntry(name="a", size=9, sm3="00" * 32),
        FileEntry(name="a", size=10, sm3="00" * 32),
    ):
        with pytest.raises(Refused) as caught:
            seal_content([Source("a", source)], io.BytesIO(), [entry], KEY, None)
        assert caught.value.code == "package-source-changed"
    assert all(file.closed for file in opened)


def test_a_few_threads_at_most() -> None:
    assert 1 <= package_stream.THREADS <= 4
