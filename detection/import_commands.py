"""``liuhe rules import``: take in a release of rules, offline."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crypto.words import LiuheError, Words

CHANGES_SHOWN: Final = 200
_WORDS: Final = {
    "added": Words("新增", "added"),
    "changed": Words("改动", "changed"),
    "removed": Words("移除", "removed"),
}


def add_import(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``import`` to the commands on rules."""
    says = Words("离线导入 SigmaHQ 规则发布包", "take in a SigmaHQ release archive, offline")
    parser = actions.add_parser("import", help=str(says), description=str(says))
    archive = Words("发布包(zip 或 tar.gz)", "the release (zip or tar.gz)")
    parser.add_argument("archive", type=Path, metavar="ARCHIVE", help=str(archive))
    folder = Words("中心数据目录", "the center's folder")
    parser.add_argument("--data", type=Path, default=Path("var/center"), help=str(folder))
    every = Words("逐行输出每条改动的 JSON", "a JSON line for each change")
    parser.add_argument("--json", action="store_true", help=str(every))
    parser.set_defaults(run=_import)


def _import(chosen: argparse.Namespace) -> int:
    from detection.sigma.archive import read_archive
    from detection.sigma.imported import LICENCE, take_in
    from detection.sigma.lists import read_lists
    from detection.sigma.load import SHIPPED

    if not (chosen.data / "center.toml").is_file():
        raise LiuheError(
            "center-absent",
            Words("此目录中没有监管中心", "there is no center in this folder"),
            Words("请先运行 liuhe center init", "run liuhe center init first"),
            field=str(chosen.data),
        )
    lists, _ = read_lists([SHIPPED, chosen.data / "lists"])
    folder = chosen.data / "rules" / "imported"
    release = read_archive(chosen.archive)
    manifest, changes = take_in(folder, release, chosen.archive.name, datetime.now(UTC), lists)
    for number, one in enumerate(changes):
        entry = one.entry
        if chosen.json:
            row = {"change": one.change, "id": one.id, "title": entry.title, "author": entry.author}
            row |= {"level": entry.level, "status": entry.status, "path": entry.path}
            sys.stdout.write(json.dumps(row | {"licence": manifest.licence}, ensure_ascii=False) + "\n")
        elif number < CHANGES_SHOWN:
            _say(f"{_WORDS[one.change]}  {entry.path}  {entry.title} — {entry.author or '–'}")
    if len(changes) > CHANGES_SHOWN and not chosen.json:
        more = len(changes) - CHANGES_SHOWN
        _say(Words(f"……另有 {more} 处,--json 列出全部", f"… and {more} more, --json lists all"))
    for sentence in manifest.unusable:
        _say(Words(f"不可用:{sentence}", f"unusable: {sentence}"))
    counts = {kind: sum(one.change == kind for one in changes) for kind in _WORDS}
    authors = len({entry.author for entry in manifest.rules.values() if entry.author})
    licence = f"{manifest.licence}: {folder / manifest.digest / LICENCE.name}"
    _say(Words(f"{authors} 位(组)作者;{licence}", f"{authors} authors; {licence}"))
    usable, unusable = len(manifest.rules), len(manifest.unusable)
    added, changed, removed = counts.values()
    _say(
        Words(
            f"{usable} 条规则可用,{unusable} 处不可用;新增 {added},改动 {changed},移除 {removed};"
            "中心重启后生效",
            f"{usable} rules usable, {unusable} unusable; {added} added, {changed} changed, "
            f"{removed} removed; in force from the center's next start",
        )
    )
    return 0


def _say(words: object) -> None:
    sys.stderr.write(f"{words}\n")
