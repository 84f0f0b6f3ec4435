"""``liuhe audit check``: an exported audit log checked offline; data on stdout, words on stderr."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crypto.words import BadInput, Words

if TYPE_CHECKING:
    from soc_api.audit_check import Leaf


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command of the auditor."""
    audit = subparsers.add_parser("audit", help=str(Words("审计日志", "the audit log")))
    actions = audit.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help=str(Words("离线核对导出的审计日志", "check an exported audit log offline"))
    )
    check.add_argument("file", type=Path, metavar="FILE", help=_FILE)
    check.add_argument("--evidence", type=Path, metavar="KIT|DIR", help=_EVIDENCE)
    check.add_argument("--key", type=Path, metavar="PEM", help=_KEY)
    check.add_argument("--key-id", metavar="HEX", help=_KEY_ID)
    check.add_argument("--whole", action="store_true", help=_WHOLE)
    check.add_argument("--json", action="store_true", help=str(Words("输出 JSON", "print JSON")))
    check.set_defaults(run=_check)


_FILE = str(Words("审计页导出的 CSV 或 NDJSON", "CSV or NDJSON as the audit page exported it"))
_EVIDENCE = str(
    Words("存证包,或中心的数据目录、账本目录", "an evidence kit, or the folder of a center or of its ledger")
)
_KEY = str(Words("另行取得的账本公钥", "the ledger's public key, obtained by another way"))
_KEY_ID = str(Words("账本公钥指纹:SPKI 的 SM3", "its fingerprint: SM3 of the SPKI"))
_WHOLE = str(Words("要求逐行齐全,缺行即不通过", "no line may be missing"))


def _check(chosen: argparse.Namespace) -> int:
    from soc_api.audit_check import FileCheck, check_file

    findings: list[Words] = []
    leaves: Iterator[Leaf] | None = None
    if chosen.evidence is not None:
        findings, leaves = _leaves(chosen.evidence, chosen.key, chosen.key_id)
    elif chosen.key is not None or chosen.key_id is not None:
        raise BadInput(
            "audit-evidence",
            Words("公钥须与存证一并给出", "a key is for evidence"),
            Words(
                "请用 --evidence 给出存证包或账本目录", "give a kit or the ledger's folder with --evidence"
            ),
            field="--key",
        )
    checked: FileCheck = check_file(chosen.file, leaves, whole=chosen.whole)
    findings += checked.findings
    if chosen.json:
        said: dict[str, Any] = {name: getattr(checked, name) for name in FileCheck.__struct_fields__}
        said |= {"ok": not findings, "findings": [{"zh": one.zh, "en": one.en} for one in findings]}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for finding in findings:
            print(finding)
    verdict = Words("通过", "VERIFIED") if not findings else Words("不通过", "REFUSED")
    zh, en = _summary(checked, held=leaves is not None)
    _say(Words(f"{verdict.zh}:{zh}", f"{verdict.en}: {en}"))
    return 1 if findings else 0


def _summary(checked: Any, *, held: bool) -> tuple[str, str]:
    zh = f"{checked.lines} 行(日志第 {checked.first}-{checked.last} 行,中间缺 {checked.missing} 行)"
    en = f"{checked.lines} lines ({checked.first}-{checked.last} of the log, {checked.missing} left out)"
    if held:
        zh += f",{checked.held} 行与账本相符,{checked.unheld} 行不在所给存证的范围"
        en += f", {checked.held} as the ledger holds them, {checked.unheld} outside the evidence given"
    else:
        zh += ";未给存证,只能说明文件自洽"
        en += "; without evidence this shows only that the file agrees with itself"
    return f"{zh},导出:{checked.taken}", f"{en}, taken: {checked.taken}"


def _leaves(evidence: Path, key: Path | None, key_id: str | None) -> "tuple[list[Words], Iterator[Leaf]]":
    from soc_api.audit_evidence import kit_leaves, ledger_leaves

    folder = next((one for one in (evidence / "evidence", evidence) if (one / "ledger.json").exists()), None)
    if folder is not None:
        return ledger_leaves(folder, key, key_id)
    if evidence.is_file() or (evidence / "manifest.json").exists():
        return kit_leaves(evidence, key, key_id, _note)
    raise BadInput(
        "audit-evidence",
        Words("既不是存证包,也不是账本目录", "neither an evidence kit nor the folder of a ledger"),
        Words(
            "请给出 liuhe evidence export 写出的文件,或中心的数据目录",
            "give a kit of liuhe evidence export, or a center's data folder",
        ),
        field=str(evidence),
    )


def _note(fingerprint: str) -> None:
    _say(
        Words(
            f"注意:公钥取自包内,请与中心核对指纹 {fingerprint}",
            f"note: the key is from the kit; compare its fingerprint with the center: {fingerprint}",
        )
    )


def _say(words: Words) -> None:
    print(words, file=sys.stderr)
