"""Learned weights on disk: signed, versioned, refused where changed; a version once for the same labels."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crypto.keys import SigningKey
from detection.anomaly.feedback import CONTEXT, Reranker
from soc_api import rankers
from soc_api.rankers import RankerJob, Rankers

NOW = datetime(2026, 3, 3, tzinfo=UTC)
WIDTH = len(CONTEXT)


def made(version: int) -> Reranker:
    return Reranker(
        version=version,
        labels=50,
        odd=9,
        context=CONTEXT,
        center=(0.0,) * WIDTH,
        scale=(1.0,) * WIDTH,
        weights=(0.5,) * (WIDTH + 1),
    )


def test_the_newest_good_version_speaks(tmp_path: Path) -> None:
    key = SigningKey.generate()
    kept = Rankers(tmp_path, key)
    assert kept.newest() is None
    for version in (1, 2):
        assert kept.next_version() == version
        kept.keep(made(version))
    assert kept.newest() == made(2)
    path = tmp_path / "000002.json"
    path.write_bytes(path.read_bytes().replace(b"0.5", b"5.0"))
    assert Rankers(tmp_path, key).newest() == made(1)
    assert Rankers(tmp_path, SigningKey.generate()).newest() is None


def test_the_same_labels_make_one_version_and_one_leaf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves: list[Any] = []

    class Ledger:
        def append(self, new: list[Any], now: datetime) -> None:
            leaves.extend(new)

    class Store:
        def labels(self, now: datetime) -> list[Any]:
            return []

    monkeypatch.setattr(rankers, "learned", lambda _labels, _calendar, _parameters, version: made(version))
    job = RankerJob(Rankers(tmp_path, SigningKey.generate()), Store(), Ledger(), None, None)  # type: ignore[arg-type]
    assert job.learn(NOW)
    assert not job.learn(NOW)
    assert [leaf.subject for leaf in leaves] == ["model:ranker/000001"]
    monkeypatch.setattr(rankers, "learned", lambda *_of: None)
    assert not job.learn(NOW)
