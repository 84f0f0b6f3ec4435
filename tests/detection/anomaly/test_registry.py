"""Versions: signed, never changed, chosen by a pointer, one step back, each act on record."""

import fcntl
import io
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex
from crypto.words import Refused
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.model_files import Manifest, arrays_of
from detection.anomaly.registry import ModelRegistry

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path, SigningKey.generate())


def test_a_first_version_speaks_and_the_next_is_on_trial(registry: ModelRegistry, model: FrozenModel) -> None:
    assert registry.chosen("host").champion == 0
    assert registry.add(model, "digest", NOW) == 1
    assert registry.chosen("host").champion == 0
    registry.try_out("host", 1, NOW)
    registry.try_out("host", registry.add(model, "digest", NOW), NOW)
    chosen = registry.chosen("host")
    assert (chosen.champion, chosen.challenger) == (1, 2)
    registry.promote("host", NOW, "better")
    assert registry.chosen("host").before == (1,)
    assert registry.roll_back("host", NOW, "by hand") == 1
    assert registry.chosen("host").champion == 1
    told = [(one.act, one.version) for one in registry.acts(0)]
    assert told == [
        ("made", 1),
        ("promoted", 1),
        ("made", 2),
        ("trial", 2),
        ("promoted", 2),
        ("rolled-back", 1),
    ]
    assert all(len(one.manifest_sm3) == 64 for one in registry.acts(0))
    assert [one.act for one in registry.acts(4)] == ["promoted", "rolled-back"]


def test_what_is_loaded_is_what_was_added(registry: ModelRegistry, model: FrozenModel) -> None:

    version = registry.add(model, "digest", NOW)
    again = registry.load("host", version)
    rows = np.random.default_rng(8).poisson(9, (30, 16)).astype(np.float64)
    assert again.opinions(rows) == model.opinions(rows)
    assert (again.first, again.last, again.rows, again.features) == (0, 54_000, 900, model.features)


CHANGED = "its manifest or signature was changed"
WHY = {
    ("arrays.npz", "changed"): "their SM3 is not the signed one",
    ("manifest.json", "changed"): CHANGED,
    ("manifest.sig", "changed"): CHANGED,
    ("manifest.json", "missing"): "manifest.json is missing",
    ("manifest.sig", "missing"): "manifest.sig is missing",
    ("arrays.npz", "missing"): "arrays.npz is missing",
    ("manifest.sig", "empty"): CHANGED,
}


@pytest.mark.parametrize("name", ["arrays.npz", "manifest.json", "manifest.sig"])
@pytest.mark.parametrize("how", ["changed", "missing", "cut", "empty"])
def test_anything_changed_is_refused_and_said(
    registry: ModelRegistry, model: FrozenModel, tmp_path: Path, name: str, how: str
) -> None:
    registry.add(model, "digest", NOW)
    path = tmp_path / "host" / "000001" / name
    before = registry.stamp("host", 1)
    data = path.read_bytes()
    if how == "missing":
        path.unlink()
    else:
        middle = len(data) // 2
        changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        path.write_bytes({"changed": changed, "cut": data[:-3], "empty": b""}[how])
    with pytest.raises(Refused, match="model-refused") as refused:
        registry.load("host", 1)
    assert WHY.get((name, how), "") in refused.value.what.en
    assert registry.stamp("host", 1) != before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (np.array([{"a": 1}] * 16, dtype=object), "it holds arrays of objects"),
        (np.zeros(16, np.float32), "type, shape or values are wrong: usual.low"),
        (np.full(16, np.nan), "type, shape or values are wrong: usual.low"),
        (None, "its arrays are not those of its manifest"),
    ],
)
def test_signed_arrays_of_another_kind_are_refused_and_said(
    tmp_path: Path, model: FrozenModel, content: Any, why: str
) -> None:
    key = SigningKey.generate()
    registry = ModelRegistry(tmp_path, key)
    registry.add(model, "digest", NOW)
    folder = tmp_path / "host" / "000001"
    arrays: dict[str, Any] = dict(arrays_of(model.ensemble))
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    arrays |= {"usual.low" if content is not None else "beside": np.zeros(1) if content is None else content}
    packed = io.BytesIO()
    np.savez(packed, **arrays)
    manifest = msgspec.structs.replace(manifest, arrays_sm3=sm3_hex(packed.getvalue()))
    body = msgspec.json.encode(manifest)
    (folder / "arrays.npz").write_bytes(packed.getvalue())
    (folder / "manifest.json").write_bytes(body)
    (folder / "manifest.sig").write_text(key.sign(body).hex())
    with pytest.raises(Refused) as refused:
        registry.load("host", 1)
    assert why in refused.value.what.en


def test_a_version_of_somebody_else_or_under_another_name_is_refused(
    registry: ModelRegistry, model: FrozenModel, tmp_path: Path
) -> None:
    registry.add(model, "digest", NOW)
    (tmp_path / "host" / "000001").rename(tmp_path / "host" / "000007")
    with pytest.raises(Refused) as refused:
        registry.load("host", 7)
    assert "its manifest is of another kind or version" in refused.value.what.en
    other = ModelRegistry(tmp_path, SigningKey.generate())
    other.add(model, "digest", NOW)
    with pytest.raises(Refused) as refused:
        registry.load("host", 8)
    assert "it is signed with another key" in refused.value.what.en
    with pytest.raises(Refused):
        registry.load("host", 99)


def test_nothing_to_promote_reject_or_go_back_to(registry: ModelRegistry, model: FrozenModel) -> None:
    registry.try_out("host", registry.add(model, "digest", NOW), NOW)
    with pytest.raises(Refused, match="model-none"):
        registry.promote("host", NOW, "")
    with pytest.raises(Refused, match="model-none"):
        registry.reject("host", NOW, "")
    with pytest.raises(Refused, match="model-none"):
        registry.roll_back("host", NOW, "")


def test_old_versions_go_but_never_one_that_is_named(
    registry: ModelRegistry, model: FrozenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detection.anomaly.registry.KEPT", 2)
    registry.try_out("host", registry.add(model, "digest", NOW), NOW)
    for _ in range(4):
        registry.try_out("host", registry.add(model, "digest", NOW), NOW)
        registry.reject("host", NOW, "worse")
    versions = registry.versions("host")
    assert len(versions) == 2 + 1
    assert versions[0] == 1  # the champion
    registry.load("host", 1)


def test_two_writers_wait_for_each_other(registry: ModelRegistry, model: FrozenModel, tmp_path: Path) -> None:
    assert registry.kinds() == []
    with registry.lock.open("ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writer = threading.Thread(target=registry.add, args=(model, "digest", NOW))
        writer.start()
        writer.join(0.05)
        assert registry.kinds() == []
    writer.join(10)
    assert registry.kinds() == ["host"]
