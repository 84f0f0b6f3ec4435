"""``liuhe report monthly``: drafts the month's reports and writes PDF, DOCX and XLSX into a folder."""

import argparse
import getpass
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crypto.words import LiuheError, Words

if TYPE_CHECKING:
    from compliance.report_store import ReportKind, ReportStore
    from detection.store.state import Engine

WAIT_SECONDS_MAX: Final = 120.0
_KINDS: "Final[tuple[ReportKind, ...]]" = ("pdf", "docx", "xlsx")
_EXIT_CODES: Final = {
    "report-month": 2,
    "system-not-found": 1,
    "unit-not-found": 1,
}  # of what an order may be answered with


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``report`` to the command line."""
    top = subparsers.add_parser("report", help=str(Words("合规报告", "compliance reports")))
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    monthly = verbs.add_parser(
        "monthly", help=str(Words("起草月报(PDF、DOCX、XLSX)", "draft the monthly report"))
    )
    monthly.add_argument("--month", required=True, help="YYYY-MM")
    monthly.add_argument(
        "--unit",
        action="append",
        metavar="CODE",
        help=str(Words("单位代码,可重复;默认本中心单位", "a unit, may be repeated; the center's own")),
    )
    monthly.add_argument(
        "--below",
        action="store_true",
        help=str(Words("连同其下各单位,各一份", "one each for the units below, too")),
    )
    monthly.add_argument("--output", required=True, type=Path, help=str(Words("输出目录", "output folder")))
    monthly.add_argument(
        "--data",
        type=Path,
        default=Path("var/center"),
        help=str(Words("中心数据目录", "the center's folder")),
    )
    monthly.set_defaults(run=run_monthly)


def run_monthly(options: argparse.Namespace) -> int:
    """Order the report from the running center, wait, write the files; print their paths."""
    from compliance.report.times import month_bounds
    from compliance.report_store import ReportStore
    from detection.store.state import state_of

    data: Path = options.data
    month_bounds(options.month)
    _need_center(data)
    engine = state_of(data)
    try:
        store = ReportStore(engine, data / "reports")
        units = _units(engine, options.unit or [""], below=options.below)
        actor, now = f"local:{getpass.getuser()}", datetime.now(UTC)
        orders = [store.order(options.month, actor, now, unit=unit) for unit in units]
        worst = 0
        for number, order in enumerate(orders, 1):
            print(
                Words(f"正在生成月报 {number}/{len(orders)} …", f"making report {number} of {len(orders)} …"),
                file=sys.stderr,
            )
            report, error = _wait(store, orders[number - 1 :], order, data)
            if error:
                print(error, file=sys.stderr)
                worst = max(worst, _EXIT_CODES.get(error.partition(":")[0], LiuheError.exit_code))
                continue
            options.output.mkdir(parents=True, exist_ok=True)
            for kind in _KINDS:
                path = options.output / f"{report}.{kind}"
                path.write_bytes(store.file(report, kind))
                print(path)
    finally:
        engine.dispose()
    return worst


def _units(engine: "Engine", given: "list[str]", *, below: bool) -> "list[str]":
    """The units to report on, '' the center's own; with ``below`` every unit under them that has systems."""
    if not below:
        return given
    from compliance.registry_store import RegistryStore

    registry = RegistryStore(engine)
    tree, using = registry.tree(), {system.unit for system in registry.systems()}
    tops = [code for code in given if code] or [unit.code for unit in tree.units() if unit.parent is None]
    inside = {code for top in tops for code in tree.subtree(top)}
    return [unit.code for unit in tree.units() if unit.code in inside and tree.subtree(unit.code) & using]


def _need_center(data: Path) -> None:
    if not (data / "center.toml").is_file():
        raise LiuheError(
            "center-absent",
            Words("此目录中没有监管中心", "there is no center in this folder"),
            Words("请用 --data 给出中心的数据目录", "give the center's folder with --data"),
            field=str(data),
        )


def _wait(store: "ReportStore", waiting: "list[int]", order: int, data: Path) -> tuple[str, str]:
    """The answer to an order: (report, error). Orders nobody waits for any more are taken back."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    try:
        while time.monotonic() < deadline:
            answer = store.answer(order)
            if answer is not None:
                return answer
            time.sleep(0.2)
    except KeyboardInterrupt:
        _withdraw(store, waiting)
        raise
    _withdraw(store, waiting)
    raise LiuheError(
        "center-not-answering",
        Words("中心未处理月报任务", "the center did not take the order"),
        Words("请先启动中心:liuhe center run", "start the center: liuhe center run"),
        field=str(data),
    )


def _withdraw(store: "ReportStore", orders: "list[int]") -> None:
    for order in orders:
        store.finish(order, datetime.now(UTC), error="withdrawn")
