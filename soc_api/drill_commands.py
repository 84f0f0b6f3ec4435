"""``liuhe drill``: acts on this machine, waits for the alerts, prints the table; exit 1 if one is missing."""

import argparse
import sys
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crypto.words import Refused, Words, reads_chinese
from soc_api.arguments import folder
from soc_api.speech import say

if TYPE_CHECKING:
    from soc_api.drill import Outcome


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``drill`` to the command line."""
    parser = subparsers.add_parser(
        "drill",
        help=str(Words("用无害动作自测整条链路", "test the whole chain with harmless actions")),
        description=str(
            Words(
                "在本机做若干无害、可还原的动作,等待各自的告警,并列出用时。",
                "Does harmless, reversible actions on this machine and waits for their alerts.",
            )
        ),
    )
    parser.add_argument(
        "--data", type=folder, default=Path("var/center"), help=str(Words("中心目录", "center folder"))
    )
    parser.add_argument(
        "--json", action="store_true", help=str(Words("每行一个 JSON", "one JSON object a line"))
    )
    parser.add_argument(
        "--slow",
        action="store_true",
        help=str(
            Words(
                "改做慢速与大流量的步骤(约 35 分钟)", "do the slow and heavy steps instead (about 35 minutes)"
            )
        ),
    )
    parser.add_argument(
        "--learned",
        action="store_true",
        help=str(
            Words(
                "改做学习期满后才能告警的步骤(约 6 分钟)",
                "do the steps of detectors that have learned instead (about 6 minutes)",
            )
        ),
    )
    parser.set_defaults(run=run_drill)


def run_drill(options: argparse.Namespace) -> int:
    """Run the drill against the center of ``--data``."""
    from detection.store.alert_store import AlertStore
    from detection.store.event_store import EventStore
    from detection.store.inventory_store import InventoryStore
    from soc_api.drill import run, seen_by
    from soc_api.drill_learned import learned_actions
    from soc_api.drill_steps import actions
    from soc_api.folders import Folders, state_engine
    from soc_api.run import listens
    from soc_api.settings import load_settings

    folders = Folders(options.data)
    settings = load_settings(options.data)
    if not listens(settings.ingest):
        raise Refused(
            "center-not-running",
            Words("监管中心没有在运行,演练不会有告警", "the center is not running: no alert would come"),
            Words("请先启动:liuhe center run", "start it first: liuhe center run"),
            field=str(options.data),
        )
    engine = state_engine(folders, settings)
    try:
        now = datetime.now(UTC)
        sensors = InventoryStore(engine).sensors(now)
        if options.learned:
            oldest = EventStore(folders.data, engine).oldest([one.sensor for one in sensors])
            steps = learned_actions(folders.data, min(oldest.values(), default=None), now)
        else:
            steps = actions(folders.drill, slow=options.slow)
        todo = seen_by(steps, sensors)
        outcomes = run(todo, AlertStore(engine), say)
    finally:
        engine.dispose()
    if options.json:
        for outcome in outcomes:
            print(msgspec.json.encode(outcome).decode())
    else:
        for line in table(outcomes):
            print(line)
    missing = [outcome for outcome in outcomes if not outcome.answered]
    if missing:
        names = ", ".join(outcome.action for outcome in missing)
        print(Words(f"未见告警:{names}", f"no alert for: {names}"), file=sys.stderr)
    return 1 if missing else 0


def table(outcomes: "Sequence[Outcome]") -> list[str]:
    """action -> seen by sensor -> alert -> seconds, as aligned text."""
    head = ("动作", "传感器", "告警", "秒") if reads_chinese() else ("action", "sensor", "alert", "seconds")
    rows = [head]
    for one in outcomes:
        seconds = f"{one.seconds:.1f}" if one.seconds is not None else "—"
        rows.append((str(one.title), one.sensor or "—", one.alert or str(one.note), seconds))
    widths = [max(_width(row[column]) for row in rows) for column in range(4)]
    return ["  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
