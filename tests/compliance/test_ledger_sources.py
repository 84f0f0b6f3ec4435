"""Numbers of sources: without a hole, kept over a restart, bounded."""

from pathlib import Path

import pytest

from compliance import ledger_sources
from compliance.ledger_sources import SOURCES, Sources
from crypto.words import LiuheError


def test_numbers_are_taken_given_back_and_kept(tmp_path: Path) -> None:
    sources = Sources()
    assert [sources.take(name) for name in ("a", "b", "a", "a")] == [0, 0, 1, 2]
    for name in ("a", "b"):
        sources.give_back(name)
    assert sources.next == {"a": 2}
    sources.save(tmp_path, 3)
    again = Sources.load(tmp_path, 5)
    assert (again.size, again.next) == (3, {"a": 2})
    assert again.encode(3) == (tmp_path / SOURCES).read_bytes()


def test_nothing_stored_is_nothing_counted(tmp_path: Path) -> None:
    assert Sources.load(tmp_path, 5).size == 0


@pytest.mark.parametrize(
    "stored", [b"", b"[]", b'{"size":6,"sources":{}}', b'{"size":-1,"sources":{}}', b'{"\xf3":1}']
)
def test_what_cannot_be_is_damage(tmp_path: Path, stored: bytes) -> None:
    (tmp_path / SOURCES).write_bytes(stored)
    with pytest.raises(LiuheError, match="ledger-damaged"):
        Sources.load(tmp_path, 5)


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_sources, "SOURCES_MAX", 1)
    sources = Sources()
    assert not sources.full("a")
    sources.take("a")
    assert sources.full("b")
    assert not sources.full("a")
