"""The samples of the inventory rules are what today's sources make of the tables they stand for."""

from pathlib import Path

import pytest

from sensors.host import observe
from tests.sensors.host import make_inventory_samples

ROOT = Path(__file__).resolve().parents[3]


def test_the_samples_are_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observe, "host_name", lambda: "web-01")
    monkeypatch.setattr(make_inventory_samples, "FOLDER", tmp_path)
    monkeypatch.setattr(make_inventory_samples, "BENIGN", tmp_path / "benign.ndjson")
    make_inventory_samples.main()
    samples = ROOT / "rules" / "samples"
    made = sorted(tmp_path.glob("*/*.ndjson"))
    assert len(made) == 2 * len(make_inventory_samples.samples())
    for path in made:
        assert path.read_bytes() == (samples / "linux" / path.relative_to(tmp_path)).read_bytes(), path.name
    assert (tmp_path / "benign.ndjson").read_bytes() == (samples / "benign/inventory.ndjson").read_bytes()


def test_every_rule_on_the_inventory_has_samples() -> None:
    folder = ROOT / "rules" / "sigma" / "linux"
    rules = {path.stem for kind in ("inventory_*.yml", "executable_*.yml") for path in folder.glob(kind)}
    assert rules == set(make_inventory_samples.samples())
