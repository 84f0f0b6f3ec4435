"""``liuhe report monthly``: makes the month's report and writes PDF and XLSX into a folder."""

import argparse
import getpass
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from compliance.report_store import ReportKind, ReportStore
from crypto.words import LiuheError, Words
from detection.store.state import state_of

WAIT_SECONDS_MAX: Final = 120.0
_KINDS: Final[tuple[ReportKind, ...]] = ("pdf", "xlsx")


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
    data: Path = options.data
    store = ReportStore(state_of(data), data / "reports")
    order = store.order(options.month, f"local:{getpass.getuser()}", datetime.now(UTC))
    print(Words("正在生成月报 …", "making the report …"), file=sys.stderr)
    report = _wait(store, order, data)
    options.output.mkdir(parents=True, exist_ok=True)
    for kind in _KINDS:
        path = options.output / f"{report}.{kind}"
        path.write_bytes(store.file(report, kind))
        print(path)
    return 0


def _wait(store: ReportStore, order: int, data: Path) -> str:
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        answer = store.answer(order)
        if answer is not None:
            report, error = answer
            if error:
                print(error, file=sys.stderr)
                raise SystemExit(2)
            return report
        time.sleep(0.2)
    raise LiuheError(
        "center-not-answering",
        Words("中心未处理月报任务", "the center did not take the order"),
        Words("请先启动中心:liuhe center run", "start the center: liuhe center run"),
        field=str(data),
    )
