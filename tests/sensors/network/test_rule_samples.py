"""The samples of the network rules are what today's parsers make of the packets they stand for."""

from pathlib import Path

import make_rule_samples
import pytest

from sensors.event import decode

ROOT = Path(__file__).resolve().parents[3]


def test_the_samples_are_current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_rule_samples, "FOLDER", tmp_path / "rules")
    monkeypatch.setattr(make_rule_samples, "CORRELATIONS", tmp_path / "correlations")
    make_rule_samples.main()
    samples = ROOT / "rules" / "samples"
    assert files(tmp_path / "rules") == files(samples / "network")
    correlations = samples / "correlation" / "network"
    for name, content in files(tmp_path / "correlations").items():
        assert content == (correlations / name).read_bytes(), name


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.ndjson")}


def test_every_network_rule_has_samples() -> None:
    rules = {path.stem for path in (ROOT / "rules" / "sigma" / "network").glob("*.yml")}
    assert rules == set(make_rule_samples.samples())


def test_benign_traffic_is_plentiful() -> None:
    lines = (ROOT / "rules" / "samples" / "benign" / "network.ndjson").read_bytes().splitlines()
    datasets = {decode(line).fields["event.dataset"] for line in lines}
    assert len(lines) >= 200
    assert {"net.flow", "net.dns", "net.http", "net.tls"} <= datasets
