"""The command ``liuhe hunt``."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crypto.words import Words

LIMIT_DEFAULT: Final = 1_000


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``hunt`` to the command line."""
    searches = Words(
        "在已存储的事件中查询或回溯规则,结果为 NDJSON", "search the stored events, NDJSON on stdout"
    )
    parser = subparsers.add_parser("hunt", help=str(searches), description=str(searches))
    example = "user.name:root and not Image:*/sshd"
    parser.add_argument(
        "query", metavar="QUERY", nargs="?", help=str(Words(f"例如 {example}", f"for example {example}"))
    )
    rule = Words(
        "改为回溯一条规则:规则文件,或随产品规则的 id;输出它本应产生的告警",
        "a rule instead: its file, or the id of a shipped one; prints the alerts it would have raised",
    )
    parser.add_argument("--rule", metavar="FILE|ID", default="", help=str(rule))
    parser.add_argument(
        "--since",
        default="",
        help=str(Words("起始时间,如 90m、24h、7d 或 RFC 3339", "90m, 24h, 7d or an RFC 3339 time")),
    )
    parser.add_argument(
        "--until", default="", help=str(Words("截止时间,写法同 --since", "the end, written like --since"))
    )
    limit = Words("最多返回多少条(1-100000)", "results at most (1-100000)")
    parser.add_argument("--limit", type=_limit, default=LIMIT_DEFAULT, help=str(limit))
    folder = Words("中心数据目录", "the center's folder")
    parser.add_argument("--data", type=Path, default=Path("var/center"), help=str(folder))
    parser.set_defaults(run=_run)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:7]) <= 100_000):
        raise argparse.ArgumentTypeError("1-100000")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    from detection.store.hunt import hunt  # DuckDB and SQLAlchemy take a second to import

    return hunt(arguments, datetime.now(UTC))
