"""``liuhe center registry import | export``: units, systems, assets and people as a workbook or CSV."""

import argparse
import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crypto.words import BadInput, Refused, Words
from soc_api.arguments import folder

if TYPE_CHECKING:
    from compliance.registry_desk import RegistryDesk
    from compliance.registry_import_store import Imported

SHEETS: Final = ("units", "systems", "assets", "objects", "contacts")


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``registry`` to ``liuhe center``."""
    top = verbs.add_parser("registry", help=str(Words("登记表", "the registry")))
    acts = top.add_subparsers(dest="act", required=True, metavar="VERB")
    words = Words("导入工作簿或 CSV", "import a workbook or a CSV")
    taking = acts.add_parser("import", help=str(words), description=str(words))
    taking.add_argument("file", type=Path, metavar="FILE", help=str(Words("XLSX 或 CSV", "XLSX or CSV")))
    taking.add_argument("--dry-run", action="store_true", help=str(Words("只试不写", "change nothing")))
    taking.add_argument("--json", action="store_true")
    taking.set_defaults(run=run_import)
    words = Words("导出工作簿或一张 CSV", "export a workbook or one CSV")
    giving = acts.add_parser("export", help=str(words), description=str(words))
    giving.add_argument("file", type=Path, metavar="FILE", help=str(Words("写入的文件", "the file to write")))
    giving.set_defaults(run=run_export)
    for parser in (taking, giving):
        parser.add_argument(
            "--data", type=folder, default=Path("var/center"), help=str(Words("数据目录", "data folder"))
        )
        parser.add_argument(
            "--sheet", default="", choices=SHEETS, help=str(Words("CSV 是哪张表", "which sheet a CSV is"))
        )


def run_import(options: argparse.Namespace) -> int:
    """Enter the rows of a file, all of them or none; exit 1 where a row is wrong."""
    from compliance.registry_xlsx import FILE_BYTES_MAX

    sheet = _sheet(options)
    try:
        with options.file.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _unusable(options.file, error) from error
    about = f"registry:{options.sheet or 'xlsx'}{' dry-run' if options.dry_run else ''}"
    with _desk(options.data, "registry.import", about) as (desk, actor, now):
        found = desk.put_file(data, sheet, scope=None, dry_run=options.dry_run, now=now, actor=actor)
    _show(found, as_json=options.json)
    if found.errors:
        raise Refused(
            "registry-rejected",
            Words(f"{len(found.errors)} 处错误,全部未写入", f"{len(found.errors)} errors, nothing written"),
            Words("请按所列行改正后再导入", "correct the rows listed and import again"),
            field=str(options.file),
        )
    return 0


def run_export(options: argparse.Namespace) -> int:
    """Write everything registered to a file."""
    sheet = _sheet(options)
    with _desk(options.data, "registry.export", f"registry:{options.sheet or 'xlsx'}") as (desk, _, _now):
        data = desk.export(None) if sheet is None else desk.export_csv(sheet, None)
    try:
        options.file.write_bytes(data)
        options.file.chmod(0o600)  # it holds names and numbers of people
    except OSError as error:
        raise _unusable(options.file, error) from error
    print(Words(f"已写入 {options.file}", f"wrote {options.file}"), file=sys.stderr)
    return 0


@contextmanager
def _desk(data: Path, action: str, about: str) -> "Iterator[tuple[RegistryDesk, str, datetime]]":
    """The registry of a center's folder, whoever asks, and the time; told before it is done."""
    from compliance.checklist import load_checklist
    from compliance.registry_desk import RegistryDesk
    from detection.store.inventory_store import InventoryStore
    from rules import ROOT
    from soc_api.audit import entry
    from soc_api.folders import Folders, audit_of, state_engine
    from soc_api.migrate import upgrade
    from soc_api.settings import load_settings

    engine = state_engine(Folders(data), load_settings(data))
    now, actor = datetime.now(UTC), f"local:{getpass.getuser()}"
    try:
        upgrade(engine)
        audit_of(engine).record(entry(time=now, actor=actor, source="local", action=action, about=about))
        checks = load_checklist(ROOT / "checklist")
        desk = RegistryDesk(engine, InventoryStore(engine), checks, ROOT / "grading")
        desk.plant(now)
        yield desk, actor, now
    finally:
        engine.dispose()


def _show(found: "Imported", *, as_json: bool) -> None:
    if as_json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(found), ensure_ascii=False))
        return
    for sheet in SHEETS:
        rows = [kind[sheet] for kind in (found.added, found.changed, found.same)]
        if any(rows):
            print(f"{sheet}: +{rows[0]} ~{rows[1]} ={rows[2]}")
    for error in found.errors:
        place = f"{error.sheet} {error.row} {error.column}".rstrip()
        print(f"{place}: {error.what}. {error.fix}", file=sys.stderr)


def _sheet(options: argparse.Namespace) -> Any:
    is_csv = options.file.suffix.lower() == ".csv"
    if is_csv != bool(options.sheet):
        raise BadInput(
            "registry-file",
            Words("CSV 须给 --sheet,工作簿不给", "a CSV needs --sheet, a workbook has none"),
            Words(f"--sheet 为 {'、'.join(SHEETS)} 之一", f"--sheet is one of {', '.join(SHEETS)}"),
            field="--sheet",
        )
    return options.sheet or None


def _unusable(path: Path, error: OSError) -> BadInput:
    return BadInput(
        "registry-file",
        Words(f"文件不可用:{error.strerror}", f"the file can't be used: {error.strerror}"),
        Words("请核对路径与权限", "check its path and permissions"),
        field=str(path),
    )
