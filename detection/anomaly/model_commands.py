"""The command ``liuhe models``: versions of anomaly models, and one step back."""

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crypto.words import Refused, Words

if TYPE_CHECKING:  # numpy and the models take a while to import
    from detection.anomaly.registry import Chosen, ModelRegistry


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``models`` to the command line."""
    shows = Words(
        "列出异常检测模型的版本,或退回上一版本",
        "list versions of anomaly models, or go back to the one before",
    )
    parser = subparsers.add_parser("models", help=str(shows), description=str(shows))
    back = Words(
        "让该类(如 host、source)退回上一版本,下一个时间窗起生效",
        "let this kind (as host, source) go back one version, from the next window on",
    )
    parser.add_argument("--roll-back", metavar="KIND", default="", help=str(back))
    reason = Words("退回的理由,写入证据账本", "why, for the evidence ledger")
    parser.add_argument("--reason", default="", help=str(reason))
    json = Words("输出 JSON", "as JSON")
    parser.add_argument("--json", action="store_true", help=str(json))
    folder = Words("中心数据目录", "the center's folder")
    parser.add_argument("--data", type=Path, default=Path("var/center"), help=str(folder))
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from crypto.keys import SigningKey
    from detection.anomaly.open import KEY_NAME
    from detection.anomaly.registry import ModelRegistry

    key = SigningKey.load(arguments.data / "keys" / KEY_NAME)
    registry = ModelRegistry(arguments.data / "models", key)
    if arguments.roll_back:
        if arguments.roll_back not in registry.kinds() or len(arguments.reason) < 2:
            raise Refused(
                "model-none",
                Words(f"没有 {arguments.roll_back} 类模型,或缺少理由", "no such kind, or no reason given"),
                Words("请给出列表中的类别以及 --reason", "give a kind of the list, and --reason"),
                field="--roll-back",
            )
        actor = f"local:{getpass.getuser()}"
        registry.roll_back(arguments.roll_back, datetime.now(UTC), arguments.reason, actor)
    for kind in registry.kinds():
        chosen = registry.chosen(kind)
        for version in registry.versions(kind):
            sys.stdout.write(_line(registry, kind, version, _role(chosen, version), as_json=arguments.json))
    return 0


def _role(chosen: "Chosen", version: int) -> str:
    if version in (chosen.champion, chosen.challenger):
        return "champion" if version == chosen.champion else "challenger"
    return "before" if version in chosen.before else ""


def _line(registry: "ModelRegistry", kind: str, version: int, role: str, *, as_json: bool) -> str:
    row: dict[str, object] = {"kind": kind, "version": version, "role": role}
    try:
        model = registry.load(kind, version)
        span = [datetime.fromtimestamp(at, UTC).isoformat() for at in (model.first, model.last)]
        row |= {"rows": model.rows, "from": span[0], "to": span[1], "state": "signed"}
    except Refused as error:
        row |= {"rows": 0, "from": "", "to": "", "state": f"refused: {error.what}"}
    if as_json:
        return msgspec.json.encode(row).decode() + "\n"
    return f"{kind:<16}{version:>7}  {role:<11}{row['rows']:>7}  {row['from']}  {row['to']}  {row['state']}\n"
