"""Model files: what was saved comes back to the bit; anything else is refused, and nothing is unpickled."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto.sm3 import sm3_hex
from crypto.words import Refused
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.model_files import load, save


@pytest.fixture
def model() -> FrozenModel:
    made = np.random.default_rng(3)
    return FrozenModel(
        kind="host",
        features=("a", "b"),
        neighbours=2,
        center=np.array([0.0, 1.0]),
        scale=np.array([1.0, 0.25]),
        low=np.zeros(2),
        high=np.ones(2),
        prototypes=made.normal(size=(9, 2)),
        tail=np.sort(made.random(5)),
        first=60,
        last=600,
        rows=14,
    )


def test_a_saved_model_scores_to_the_bit_as_before(model: FrozenModel, tmp_path: Path) -> None:
    manifest = save(model, tmp_path / "models")
    again = load("host", tmp_path / "models")
    assert again is not None
    rows = np.array([[1.0, 2.0], [30.0, 0.0]])
    assert (again.scores(rows) == model.scores(rows)).all()
    assert again.features == model.features
    assert manifest.sm3 == sm3_hex((tmp_path / "models" / manifest.file).read_bytes())
    assert sorted(path.suffix for path in (tmp_path / "models").iterdir()) == [".json", ".npz"]


def test_no_model_is_no_error(tmp_path: Path) -> None:
    assert load("host", tmp_path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"sm3": "0" * 64},
        {"file": "../host.npz"},
        {"kind": "source"},
        {"format": 2},
        {"features": ["a"]},
        {"neighbours": 0},
        {"neighbours": 10},
        {"shapes": {}},
        {"extra": 1},
        {"rows": "x"},
    ],
)
def test_a_changed_manifest_is_refused(model: FrozenModel, tmp_path: Path, change: dict[str, Any]) -> None:
    save(model, tmp_path)
    path = tmp_path / "host.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(Refused, match="model-refused"):
        load("host", tmp_path)


def _resave(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "host.json"
    manifest = json.loads(path.read_text())
    (tmp_path / manifest["file"]).write_bytes(data)
    path.write_text(json.dumps(manifest | {"sm3": sm3_hex(data)}))


def test_changed_arrays_are_refused(model: FrozenModel, tmp_path: Path) -> None:
    manifest = save(model, tmp_path)
    path = tmp_path / manifest.file
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Refused):
        load("host", tmp_path)
    path.unlink()
    with pytest.raises(Refused):
        load("host", tmp_path)


@pytest.mark.parametrize("content", ["object", "integers", "nan", "missing", "no zip", "truncated"])
def test_arrays_of_another_kind_are_refused_even_with_a_fitting_digest(
    model: FrozenModel, tmp_path: Path, content: str
) -> None:
    save(model, tmp_path)
    names = ("center", "scale", "low", "high", "prototypes", "tail")
    arrays: dict[str, Any] = {name: getattr(model, name) for name in names}
    if content == "object":
        arrays["tail"] = np.array([{"a": 1}], dtype=object)
    elif content == "integers":
        arrays["center"] = np.array([1, 2])
    elif content == "nan":
        arrays["center"] = np.array([np.nan, 1.0])
    elif content == "missing":
        del arrays["low"]
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    data = {"no zip": b"x", "truncated": buffer.getvalue()[:-200]}.get(content, buffer.getvalue())
    _resave(tmp_path, data)
    with pytest.raises(Refused, match="model-refused"):
        load("host", tmp_path)
