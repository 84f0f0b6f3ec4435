"""``liuhe report monthly``: an order to the running center, answered or taken back."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from compliance import report_commands
from compliance.registry import GradedSystem, Unit
from compliance.report_store import ReportStore
from soc_api.cli import main

NOW = datetime.now(UTC)
MONTH = NOW.strftime("%Y-%m")


def command(folder: Path, output: Path, month: str = MONTH) -> list[str]:
    return ["report", "monthly", "--month", month, "--output", str(output), "--data", str(folder)]


@pytest.fixture
def center(world: Any) -> Any:
    (world.folder / "center.toml").write_text("")
    return world


@pytest.mark.usefixtures("plain_reports")
def test_files_are_written_and_their_paths_printed(
    center: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            center.desk.work_orders(NOW)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert main(command(center.folder, tmp_path / "out" / "deep")) == 0
    finally:
        stop.set()
        worker.join()
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.suffix for path in paths] == [".pdf", ".docx", ".xlsx"]
    assert paths[0].read_bytes().startswith(b"pdf ")
    assert center.desk.reports()[0].actor.startswith("local:")


@pytest.mark.parametrize(
    ("error", "code"),
    [("report-month: not begun", 2), ("system-not-found: none", 1), ("ledger-disk: full", 3)],
)
def test_an_order_that_failed_says_so_with_its_exit_code(
    center: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], error: str, code: int
) -> None:
    orders = ReportStore(center.engine, center.folder / "reports")

    def answer() -> None:
        while not (found := orders.open_orders()):
            time.sleep(0.01)
        orders.finish(found[0].number, NOW, error=error)

    worker = threading.Thread(target=answer)
    worker.start()
    assert main(command(center.folder, tmp_path / "out")) == code
    worker.join()
    assert error in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_order_nobody_takes_is_taken_back(
    center: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report_commands, "WAIT_SECONDS_MAX", 0.05)
    assert main(command(center.folder, tmp_path / "out")) == 3
    assert "center-not-answering" in capsys.readouterr().err
    assert center.desk.work_orders(NOW) == 0


def test_what_is_wrong_is_said_before_anything_is_ordered(
    center: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(center.folder, tmp_path / "out", "2026-13")) == 2
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    assert main(command(nowhere, tmp_path / "out")) == 3
    assert "center-absent" in capsys.readouterr().err
    assert list(nowhere.iterdir()) == []
    assert ReportStore(center.engine, center.folder / "reports").open_orders() == []


@pytest.mark.usefixtures("plain_reports")
def test_units_below_get_one_each_and_a_wrong_one_is_said(
    center: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    city = Unit(code="320100", name="南京市", parent="320000-local", kind="city")
    center.registry.put_unit(city, NOW, "user:x")
    system = GradedSystem(id="nj", unit="320100", name="南京系统", level=2, grade="S2A2G2")
    center.registry.register(system, unit_name="南京市", now=NOW)
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.02):
            center.desk.work_orders(NOW)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        output = tmp_path / "out"
        assert main([*command(center.folder, output), "--below"]) == 0
        told = capsys.readouterr()
        assert main([*command(center.folder, output), "--unit", "999999", "--unit", "320100"]) == 1
    finally:
        stop.set()
        worker.join()
    names = {Path(line).name for line in told.out.splitlines()}
    assert {name for name in names if name.endswith("pdf")} == {
        f"{MONTH}-320000-local-1.pdf",
        f"{MONTH}-320100-1.pdf",
    }
    assert "2/2" in told.err or "2 of 2" in told.err
    wrong = capsys.readouterr()
    assert "unit-not-found" in wrong.err
    assert f"{MONTH}-320100-2.pdf" in wrong.out
