"""The models' desk: kinds and versions as they lie there, checked again when touched, and one step back."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crypto.keys import SigningKey
from crypto.words import Refused, Words
from detection.anomaly.model_acts import last_acts
from detection.anomaly.open import window_parameters
from detection.anomaly.registry import ModelRegistry
from soc_api.model_desk import ModelDesk

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Versions that were checked, of which those are good that have a signature (see test_registry.py)."""
    checked: list[int] = []

    def load(registry: Any, kind: str, version: int) -> Any:
        checked.append(version)
        if not registry.stamp(kind, version)[6:]:  # no signature
            raise Refused("model-refused", Words("缺少签名", "no signature"), Words("无", "none"), field=kind)
        return SimpleNamespace(rows=60, first=0, last=3_600)

    monkeypatch.setattr(ModelRegistry, "load", load)
    return checked


def version(folder: Path, kind: str, number: int) -> Path:
    place = folder / kind / f"{number:06d}"
    place.mkdir(parents=True)
    for name in ("arrays.npz", "manifest.json", "manifest.sig"):
        (place / name).write_bytes(b"x")
    return place


def desk(tmp_path: Path) -> ModelDesk:
    return ModelDesk(tmp_path / "models", tmp_path / "models.pem", lambda: None, window_parameters)


def test_before_the_pipeline_made_its_key_there_is_nothing(tmp_path: Path) -> None:
    empty = desk(tmp_path)
    assert (empty.key(), empty.revision(), empty.acts()) == ("", 0, [])
    assert [(one.kind, one.versions) for one in empty.kinds()] == [("host", ()), ("source", ())]
    with pytest.raises(Refused, match="model-none"):
        empty.roll_back("host", "user:sec", "why", NOW)


def test_versions_are_listed_checked_once_and_again_when_touched(tmp_path: Path, checks: list[int]) -> None:
    key = SigningKey.create(tmp_path / "models.pem")
    for number in (1, 2):
        place = version(tmp_path / "models", "host", number)
    version(tmp_path / "models", "source.servers", 1)
    (tmp_path / "models" / "host" / "chosen.json").write_text('{"champion": 2, "before": [1]}')
    held = desk(tmp_path)
    assert held.key() == key.public.key_id
    assert [one.kind for one in held.kinds()] == ["host", "source", "source.servers"]
    host = held.kind("host")
    assert [(one.version, one.why) for one in host.versions] == [(2, None), (1, None)]
    assert len(checks) == 3
    (place / "manifest.sig").unlink()
    changed = held.kind("host").versions[0]
    assert changed.why is not None
    assert changed.why.en == "no signature"
    assert len(checks) == 4


def test_one_step_back_is_told_with_who_and_why(tmp_path: Path, checks: list[int]) -> None:
    SigningKey.create(tmp_path / "models.pem")
    for number in (1, 2):
        version(tmp_path / "models", "host", number)
    (tmp_path / "models" / "host" / "chosen.json").write_text('{"champion": 2, "before": [1]}')
    held = desk(tmp_path)
    before, after = held.roll_back("host", "user:sec", "too many false ones", NOW)
    assert (before.champion, after.champion, after.before) == (2, 1, ())
    assert held.revision() > 0
    _, (act,) = last_acts(tmp_path / "models", 5)
    assert (act.act, act.version, act.actor, act.why) == ("rolled-back", 1, "user:sec", "too many false ones")
    assert held.acts() == [(act, None)]
    (tmp_path / "models" / "recorded.json").write_text('{"acts": 1, "leaves": [41]}')
    assert held.acts() == [(act, 41)]
    with pytest.raises(Refused, match="model-none"):
        held.roll_back("host", "user:sec", "again", NOW)


def test_a_damaged_pointer_chooses_nothing(tmp_path: Path, checks: list[int]) -> None:
    SigningKey.create(tmp_path / "models.pem")
    version(tmp_path / "models", "host", 1)
    (tmp_path / "models" / "host" / "chosen.json").write_text("{")
    assert desk(tmp_path).kind("host").chosen.champion == 0
