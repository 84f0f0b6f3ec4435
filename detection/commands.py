"""``liuhe rules check|test`` and ``liuhe detect``: data on stdout, words on stderr."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from crypto.words import LiuheError, Words

_SAMPLES = Path("rules/samples")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of this package."""
    rules = subparsers.add_parser("rules", help=str(Words("检查和测试规则", "check and test rules")))
    actions = rules.add_subparsers(dest="action", required=True)
    check = actions.add_parser("check", help=str(Words("检查规则文件", "check rule files")))
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    check.add_argument("--json", action="store_true", help=str(Words("逐行输出 JSON", "JSON lines")))
    check.set_defaults(run=_check)
    test = actions.add_parser("test", help=str(Words("用样例测试规则", "test rules on their samples")))
    test.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    test.add_argument("--samples", type=Path, default=_SAMPLES, help=str(Words("样例目录", "samples folder")))
    test.add_argument("--json", action="store_true", help=str(Words("逐行输出 JSON", "JSON lines")))
    test.set_defaults(run=_test)


def main(arguments: Sequence[str] | None = None) -> int:
    """The same commands without the rest of the product: ``python -m detection.commands``."""
    parser = argparse.ArgumentParser(prog="liuhe")
    register(parser.add_subparsers(dest="command", required=True))
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except LiuheError as error:
        _say(error)
        return error.exit_code


def _check(chosen: argparse.Namespace) -> int:
    from detection.sigma.load import load_rules

    rules, errors = load_rules(chosen.paths)
    if chosen.json:
        for rule in rules:
            _data({"id": rule.id, "path": rule.path, "level": rule.level, "title": rule.title._asdict()})
    for error in errors:
        _say(error)
    _say(
        Words(
            f"{len(rules)} 条规则可用,{len(errors)} 处错误",
            f"{len(rules)} rules usable, {len(errors)} errors",
        )
    )
    return 1 if errors else 0


def _test(chosen: argparse.Namespace) -> int:
    from detection.sigma.load import load_rules
    from detection.sigma.samples import prove

    rules, errors = load_rules(chosen.paths)
    proofs = prove(rules, chosen.samples)
    for proof in proofs:
        if chosen.json:
            wrong = [error.what.en for error in proof.wrong]
            _data({"id": proof.rule.id, "hits": proof.hits, "misses": proof.misses, "wrong": wrong})
        errors.extend(proof.wrong)
    for error in errors:
        _say(error)
    good = sum(not proof.wrong for proof in proofs)
    _say(
        Words(
            f"{len(proofs)} 条规则中 {good} 条通过样例,{len(errors)} 处错误",
            f"{good} of {len(proofs)} rules pass their samples, {len(errors)} errors",
        )
    )
    return 1 if errors else 0


def _data(row: object) -> None:
    sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def _say(words: object) -> None:
    sys.stderr.write(f"{words}\n")


if __name__ == "__main__":
    sys.exit(main())
