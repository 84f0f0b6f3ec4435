"""``liuhe report monthly``: makes the month's report and writes PDF and XLSX into a folder."""

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

WAIT_SECONDS_MAX: Final = 120.0
_KINDS: "Final[tuple[ReportKind, ...]]" = ("pdf", "xlsx")
_EXIT_CODES: Final = {"report-month": 2, "system-not-found": 1}  # of what an order may be answered with


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``report`` to the command line."""
    top = subparsers.add_parser("report", help=str(Words("合规报告", "compliance reports")))
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    monthly = verbs.add_parser("monthly", help=str(Words("生成月报(PDF 与 XLSX)", "make the monthly report")))
    monthly.add_argument("--month", required=True, help="YYYY-MM")
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
    from compliance.report.model import month_bounds
    from compliance.report_store import ReportStore
    from detection.store.state import state_of

    data: Path = options.data
    month_bounds(options.month)
    _need_center(data)
    engine = state_of(data)
    try:
        store = ReportStore(engine, data / "reports")
        order = store.order(options.month, f"local:{getpass.getuser()}", datetime.now(UTC))
        print(Words("正在生成月报 …", "making the report …"), file=sys.stderr)
        report, error = _wait(store, order, data)
        if error:
            print(error, file=sys.stderr)
            return _EXIT_CODES.get(error.partition(":")[0], LiuheError.exit_code)
        options.output.mkdir(parents=True, exist_ok=True)
        for kind in _KINDS:
            path = options.output / f"{report}.{kind}"
            path.write_bytes(store.file(report, kind))
            print(path)
    finally:
        engine.dispose()
    return 0


def _need_center(data: Path) -> None:
    if not (data / "center.toml").is_file():
        raise LiuheError(
            "center-absent",
            Words("此目录中没有监管中心", "there is no center in this folder"),
            Words("请用 --data 给出中心的数据目录", "give the center's folder with --data"),
            field=str(data),
        )


def _wait(store: "ReportStore", order: int, data: Path) -> tuple[str, str]:
    """The answer to an order: (report, error). An order nobody waits for any more is taken back."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    try:
        while time.monotonic() < deadline:
            answer = store.answer(order)
            if answer is not None:
                return answer
            time.sleep(0.2)
    except KeyboardInterrupt:
        store.finish(order, datetime.now(UTC), error="withdrawn")
        raise
    store.finish(order, datetime.now(UTC), error="withdrawn")
    raise LiuheError(
        "center-not-answering",
        Words("中心未处理月报任务", "the center did not take the order"),
        Words("请先启动中心:liuhe center run", "start the center: liuhe center run"),
        field=str(data),
    )
