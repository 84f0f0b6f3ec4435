"""The center's commands for its sensors: configure and bundle."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.link_authority import LinkAuthority
from sensors.bundle import contents, open_manifest
from soc_api.cli import main
from soc_api.folders import Folders, audit_of, create, state_engine
from soc_api.sensor_configuration import Change
from soc_api.sensor_configuration_store import ConfigurationStore
from soc_api.settings import Settings, load_settings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("center") / "data"
    create(data, Settings())
    return data


def history(data: Path) -> list[Change]:
    engine = state_engine(Folders(data), load_settings(data))
    try:
        return ConfigurationStore(engine).history()
    finally:
        engine.dispose()


def test_a_layer_is_kept_with_its_scope_listed_and_audited(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layer = tmp_path / "host.toml"
    layer.write_text("[host]\nprobe_interval_seconds = 60.0\n")
    mapping = tmp_path / "high_risk_ports.toml"
    mapping.write_text("ports = [1]\n")
    given = ["--unit", "u1", "--kind", "host", "--mapping", str(mapping), "--reason", "quieter"]
    assert main(["center", "configure", "--data", str(data), str(layer), *given]) == 0
    version = int(capsys.readouterr().out)
    newest = history(data)[0]
    assert (newest.version, newest.reason, newest.scope.unit) == (version, "quieter", "u1")
    assert main(["center", "configure", "--data", str(data)]) == 0
    listed = capsys.readouterr().out
    assert "unit=u1 kind=host group=*" in listed
    assert "host.probe_interval_seconds=60.0, mappings/high_risk_ports.toml" in listed
    engine = state_engine(Folders(data), load_settings(data))
    said = audit_of(engine).page(limit=1)
    engine.dispose()
    assert "sensor.configure" in str(said)
    assert (
        main(["center", "configure", "--data", str(data), "--unit", "u1", "--kind", "host", "--clear"]) == 0
    )
    assert int(capsys.readouterr().out) == version + 1
    assert main(["center", "configure", "--data", str(data), "--raise-to", str(version + 50)]) == 0
    assert int(capsys.readouterr().out) == version + 50


@pytest.mark.parametrize("text", ["host = 1", "[host]\nno_such = 1", "[host", "[keys]\na = 1", "\xff"])
def test_a_file_no_sensor_could_take_is_refused_and_nothing_is_kept(
    data: Path, tmp_path: Path, text: str
) -> None:
    before = len(history(data))
    layer = tmp_path / "bad.toml"
    layer.write_bytes(text.encode("latin-1"))
    assert main(["center", "configure", "--data", str(data), str(layer)]) == 2
    assert main(["center", "configure", "--data", str(data), str(tmp_path / "absent.toml")]) == 2
    assert len(history(data)) == before


def test_a_bundle_is_signed_by_the_center(data: Path, tmp_path: Path) -> None:
    wheel = tmp_path / "liuhe-1.2.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("crypto/a.py", "a")
    out = tmp_path / "out.bundle"
    assert main(["center", "bundle", "--data", str(data), "--out", str(out), str(wheel)]) == 0
    trust = LinkAuthority(Folders(data).keys).store()
    source = io.BytesIO(out.read_bytes())
    manifest = open_manifest(source, trust, datetime.now(UTC))
    assert (manifest.version, manifest.center) == ("1.2.3", load_settings(data).center.id)
    assert [file.name for file, _ in contents(source, manifest)] == ["crypto/a.py"]
    assert main(["center", "bundle", "--data", str(data), "--out", str(out), str(tmp_path / "x.whl")]) == 2
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".bundle", ".whl"]
