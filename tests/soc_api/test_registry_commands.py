"""The registry from the command line: out, changed by hand, tried, in; accounts of a unit of the tree."""

import json
from pathlib import Path

import pytest

from soc_api.cli import main
from soc_api.folders import Folders, audit_of, create, state_engine
from soc_api.identity_store import IdentityStore
from soc_api.settings import Settings, load_settings

CSV = "编号,单位代码,名称,定级\nportal,320100,门户,S3A3G3\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("center") / "data"
    create(data, Settings())
    return data


def test_out_and_in_again(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book, table = tmp_path / "registry.xlsx", tmp_path / "systems.csv"
    assert main(["center", "registry", "export", str(book), "--data", str(data)]) == 0
    assert book.stat().st_mode & 0o777 == 0o600
    assert main(["center", "registry", "import", str(book), "--data", str(data)]) == 0
    assert "systems: +0 ~0 =1" in capsys.readouterr().out
    table.write_text(CSV, "utf-8")
    tried = ["center", "registry", "import", str(table), "--sheet", "systems", "--data", str(data)]
    assert main([*tried, "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"]["systems"] == 1
    assert main(tried) == 0
    assert "systems: +1 ~0 =0" in capsys.readouterr().out
    assert main(["center", "registry", "export", str(table), "--sheet", "systems", "--data", str(data)]) == 0
    assert "门户" in table.read_text("utf-8-sig")
    engine = state_engine(Folders(data), load_settings(data))
    said = [line.entry.action for line in audit_of(engine).since(0)]
    engine.dispose()
    assert said.count("registry.import") == 3


def test_wrong_rows_are_listed_and_nothing_is_written(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "systems.csv"
    table.write_text(CSV.replace("S3A3G3", "S3A3G1") + "new,320100,新,S2A2G2\n", "utf-8")
    given = ["center", "registry", "import", str(table), "--data", str(data)]
    assert main([*given, "--sheet", "systems"]) == 1
    shown = capsys.readouterr()
    assert "systems 2 定级" in shown.err
    assert "registry-rejected" in shown.err
    assert main(given) == 2  # a CSV without its sheet
    assert main(["center", "registry", "import", str(tmp_path / "none.xlsx"), "--data", str(data)]) == 2
    assert main(["center", "registry", "export", str(tmp_path / "no" / "x.xlsx"), "--data", str(data)]) == 2


def test_an_account_of_a_city(data: Path) -> None:
    made = ["center", "account", "officer", "--role", "compliance_officer", "--unit", "320100"]
    assert main([*made, "--data", str(data)]) == 0
    engine = state_engine(Folders(data), load_settings(data))
    account = IdentityStore(engine).account("officer")
    engine.dispose()
    assert account is not None
    assert account.unit == "320100"
