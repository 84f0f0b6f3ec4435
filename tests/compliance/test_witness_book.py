"""The book: remembers before it answers, over a restart, and tells of each fork once."""

from datetime import datetime
from pathlib import Path

import pytest

from compliance import witness_book
from compliance.witness import Fork
from compliance.witness_book import WitnessBook
from tests.compliance.test_witness import FORKED, LOGS, NAME, NOW, ORIGIN, TREE, WITNESS


def opened(folder: Path, told: list[Fork]) -> WitnessBook:
    def forked(fork: Fork, now: datetime) -> None:
        assert now == NOW
        told.append(fork)

    return WitnessBook(folder, NAME, WITNESS, forked=forked)


def test_what_was_cosigned_is_known_after_a_restart(tmp_path: Path) -> None:
    told: list[Fork] = []
    book = opened(tmp_path, told)
    assert book.seen(ORIGIN) is None
    assert book.add_checkpoint(TREE.request(0, 7).encode(), LOGS, NOW).status == 200
    again = opened(tmp_path, told)
    assert again.seen(ORIGIN) == TREE.request(0, 7).note.encode()
    assert again.add_checkpoint(TREE.request(0, 9).encode(), LOGS, NOW).status == 409
    assert again.add_checkpoint(TREE.request(7, 9).encode(), LOGS, NOW).status == 200
    assert not told


def test_a_fork_is_refused_always_and_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Fork] = []
    book = opened(tmp_path, told)
    book.add_checkpoint(TREE.request(0, 7).encode(), LOGS, NOW)
    for _ in range(3):
        assert book.add_checkpoint(FORKED.request(0, 7).encode(), LOGS, NOW).status == 409
    assert len(told) == 1
    monkeypatch.setattr(witness_book, "FORKS_MAX", 1)
    assert book.add_checkpoint(FORKED.request(7, 12).encode(), LOGS, NOW).status == 422
    assert len(told) == 1
    assert book.seen(ORIGIN) == TREE.request(0, 7).note.encode()


def test_a_disk_that_fails_gives_no_cosignature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = opened(tmp_path, [])

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(witness_book, "replace_file", full)
    with pytest.raises(OSError, match="No space"):
        book.add_checkpoint(TREE.request(0, 7).encode(), LOGS, NOW)
    assert book.seen(ORIGIN) is None
