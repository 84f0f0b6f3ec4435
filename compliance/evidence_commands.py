"""``liuhe evidence verify|checkpoint|export``: data on stdout, words on stderr."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from crypto.words import BadInput, LiuheError, Words

if TYPE_CHECKING:
    from compliance.ledger_reader import LedgerView, Signed

_PATHS: Final = ("kit", "key", "policy")


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of the ledger."""
    from compliance.evidence import EvidenceKind

    evidence = subparsers.add_parser("evidence", help=str(Words("存证账本", "the evidence ledger")))
    actions = evidence.add_subparsers(dest="action", metavar="ACTION", required=True)
    verify = actions.add_parser("verify", help=str(Words("重新计算整个账本", "recompute the whole ledger")))
    checkpoint = actions.add_parser(
        "checkpoint", help=str(Words("输出最新检查点", "print the latest checkpoint"))
    )
    export = actions.add_parser(
        "export", help=str(Words("导出可离线验证的存证包", "write a kit that verifies offline"))
    )
    for action in (verify, checkpoint, export):
        action.add_argument("--data", type=Path, required=True, metavar="DIR", help=_DATA)
        action.add_argument("--key", type=Path, metavar="PEM", help=_KEY)
        action.add_argument("--json", action="store_true", help=str(Words("输出 JSON", "print JSON")))
    verify.add_argument("--trusted", type=Path, metavar="FILE", help=_TRUSTED)
    verify.set_defaults(run=_verify)
    checkpoint.add_argument("--sign", action="store_true", help=_SIGN)
    checkpoint.add_argument("--keys", action="store_true", help=_KEYS)
    checkpoint.add_argument("--tiles", type=Path, metavar="DIR", help=_TILES)
    checkpoint.set_defaults(run=_checkpoint)
    export.add_argument("--output", type=Path, required=True, metavar="KIT.zip", help=_OUTPUT)
    export.add_argument("--kind", action="append", default=[], choices=get_args(EvidenceKind), help=_KIND)
    export.add_argument("--since", metavar="TIME", help=_SINCE)
    export.add_argument("--trusted", type=Path, action="append", default=[], metavar="FILE", help=_OLDER)
    export.add_argument("--newest", action="store_true", help=_NEWEST)
    export.set_defaults(run=_export)


_DATA = str(Words("监管中心的数据目录", "the data folder of the center"))
_KEY = str(Words("另行保存的账本公钥", "the ledger's public key, kept apart"))
_TRUSTED = str(Words("另行保存的旧检查点", "an older checkpoint, kept apart"))
_SIGN = str(Words("先签署新检查点(中心须已停止)", "sign a new one first (the center must be stopped)"))
_KEYS = str(Words("输出供他方写入策略的公钥行", "print the key lines that others put into their policy"))
_TILES = str(Words("另将账本写成 C2SP 瓦片目录", "also write the ledger as C2SP tiles below this folder"))
_OLDER = str(Words("附上自该旧检查点以来的一致性证明,可重复", "prove growth since this one; may be repeated"))
_NEWEST = str(Words("用最新检查点,即使尚未见证", "use the newest checkpoint though no quorum cosigned it"))
_OUTPUT = str(Words("存证包文件;公钥写在旁边的 .pem", "the kit; the public key goes beside it as .pem"))
_KIND = str(Words("只要这类记录,可重复", "only records of this kind; may be repeated"))
_SINCE = str(Words("自该时间起,如 2026-11-01", "from this time on, for example 2026-11-01"))


def _verify(chosen: argparse.Namespace) -> int:
    from compliance.cosigning import cosigned_findings, kept_checkpoint
    from compliance.ledger import LedgerReader
    from compliance.segment_findings import segment_findings
    from crypto.keys import PublicKey
    from crypto.note import Checkpoint, parse_note

    public = PublicKey.load(chosen.key) if chosen.key else None
    trusted = None
    if chosen.trusted:
        trusted = Checkpoint.parse(parse_note(_file(chosen.trusted)).text)
    try:
        reader = LedgerReader(chosen.data / "evidence", public=public)
    except LiuheError as error:
        if error.code != "ledger-damaged":
            raise
        if chosen.json:
            found = {"zh": f"{error.what.zh} [{error.field}]", "en": f"{error.what.en} [{error.field}]"}
            print(json.dumps({"ok": False, "findings": [found]}, ensure_ascii=False))
        _say(error)
        return 1
    witness = chosen.data / "witness"
    outcome = reader.verify(
        _progress if sys.stderr.isatty() else None,
        trusted=trusted or kept_checkpoint(witness, reader),
        beside=[*cosigned_findings(witness, reader), *segment_findings(reader, chosen.data / "events")],
    )
    if chosen.json:
        findings = [finding._asdict() for finding in outcome.findings]
        print(json.dumps({**outcome._asdict(), "findings": findings}, ensure_ascii=False))
    else:
        for finding in outcome.findings:
            print(finding)
    key_id = reader.public.key_id if reader.public else "-"
    leaves, payloads = outcome.checked_leaves, outcome.checked_payloads
    verdict = Words("通过", "VERIFIED") if outcome.ok else Words("不通过", "REFUSED")
    _say(
        Words(
            f"{verdict.zh}:{outcome.size} 条,完好 {leaves} 条、载荷 {payloads} 份,根 {outcome.root},"
            f"用时 {outcome.seconds:.1f} 秒,公钥指纹 {key_id}",
            f"{verdict.en}: {outcome.size} leaves, {leaves} intact, {payloads} payloads, "
            f"root {outcome.root}, {outcome.seconds:.1f} s, key {key_id}",
        )
    )
    return 0 if outcome.ok else 1


def _checkpoint(chosen: argparse.Namespace) -> int:
    from compliance.ledger import Ledger, LedgerReader
    from compliance.ledger_reader import Settings
    from compliance.ledger_twin import kept_twin
    from crypto.keys import PublicKey, SigningKey

    folder = chosen.data / "evidence"
    if chosen.sign:
        settings = Settings.load(folder)
        key = SigningKey.load(chosen.data / "keys" / "ledger.pem")
        with Ledger.open(
            folder,
            center=settings.center,
            origin=settings.origin,
            key=key,
            twin=kept_twin(folder, chosen.data / "keys"),
        ) as ledger:
            ledger.checkpoint(datetime.now(UTC))
    reader = LedgerReader(folder, public=PublicKey.load(chosen.key) if chosen.key else None)
    if chosen.keys:
        return _keys(chosen.data, reader)
    latest = reader.latest()
    if latest is None:
        _say(Words("还没有检查点", "there is no checkpoint yet"))
        return 1
    if chosen.json:
        origin, size, root, _ = latest.checkpoint
        print(json.dumps({"origin": origin, "size": size, "root": root.hex(), "note": latest.raw.decode()}))
    else:
        print(latest.raw.decode(), end="")
    if chosen.tiles:
        _tiles(chosen.tiles, reader, latest)
    return 0


def _keys(data: Path, reader: "LedgerView") -> int:
    """What a peer needs to witness us, and to be witnessed by us."""
    from crypto.cosignature import Verifier
    from crypto.keys import SigningKey

    if reader.public:
        print(f"log {Verifier(reader.origin, reader.public, False).line()}")
    path = data / "keys" / "witness.pem"
    if path.exists():  # made by the first start of a center
        name = f"liuhe.local/{reader.center}/witness"
        print(f"witness {reader.center} {Verifier(name, SigningKey.load(path).public, True).line()}")
    return 0


def _tiles(folder: Path, reader: "LedgerView", latest: "Signed") -> None:
    """The ledger as files for tools of others; the SHA-256 twin beside it where there is one."""
    from compliance.ledger_files import HashFile
    from compliance.ledger_tiles import export_tiles
    from compliance.ledger_twin import TWIN_CHECKPOINT, TWIN_HASHES, TWIN_KEY
    from crypto.note import Checkpoint, parse_note

    made = export_tiles(folder / "sm3", latest.checkpoint.size, reader.hashes.node, reader.leaves, latest.raw)
    _say(Words(f"SM3 瓦片 {made.written} 个", f"{made.written} SM3 tiles"))
    twin = reader.folder / TWIN_CHECKPOINT
    if twin.exists():
        raw = twin.read_bytes()
        hashes = HashFile(reader.folder / TWIN_HASHES, writer=False)
        size = Checkpoint.parse(parse_note(raw).text).size
        made = export_tiles(folder / "sha256", size, hashes.node, reader.leaves, raw)
        hashes.close()
        (folder / "sha256.vkey").write_bytes((reader.folder / TWIN_KEY).read_bytes())
        _say(Words(f"SHA-256 瓦片 {made.written} 个", f"{made.written} SHA-256 tiles"))


def _export(chosen: argparse.Namespace) -> int:
    from compliance.evidence_export import export_kit, witnesses_of
    from compliance.ledger import LedgerReader
    from crypto.keys import PublicKey

    reader = LedgerReader(chosen.data / "evidence", public=PublicKey.load(chosen.key) if chosen.key else None)
    if chosen.output.suffix != ".zip":
        raise _wrong("--output", "存证包文件名须以 .zip 结尾", "the kit's name must end in .zip")
    since = _time(chosen.since) if chosen.since else None
    try:
        made = export_kit(
            reader,
            chosen.output,
            kinds=frozenset(chosen.kind),
            since=since,
            witnesses=None if chosen.newest else witnesses_of(chosen.data / "witness", reader),
            trusted=[_file(path) for path in chosen.trusted],
        )
    except OSError as error:
        raise _wrong("--output", f"无法写入:{error.strerror}", f"cannot write: {error.strerror}") from error
    if chosen.json:
        texts = {name: str(path) if path else None for name, path in made._asdict().items() if name in _PATHS}
        print(json.dumps({**made._asdict(), **texts}))
    if made.left_out:
        _say(
            Words(
                f"{made.left_out} 条新记录尚未见证,未列入(可用 --newest)",
                f"{made.left_out} newer records are not witnessed yet and left out (--newest takes them)",
            )
        )
    _say(
        Words(
            f"已写入 {made.kit}:{made.items} 条记录;公钥 {made.key} 请另行交付,指纹 {made.key_id}",
            f"wrote {made.kit}: {made.items} records; hand over the key {made.key} by another way, "
            f"fingerprint {made.key_id}",
        )
    )
    return 0


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong("--since", "不是 ISO 8601 时间", "not an ISO 8601 time") from None
    return time if time.tzinfo else time.astimezone()  # a bare date means this machine's day


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise _wrong(str(path), f"读不到:{error.strerror}", f"cannot be read: {error.strerror}") from error


def _wrong(field: str, zh: str, en: str) -> BadInput:
    return BadInput("evidence-argument", Words(zh, en), Words("请改正该参数", "correct it"), field=field)


def _progress(done: int, whole: int) -> None:
    print(f"\r{done}/{whole}", end="" if done < whole else "\n", file=sys.stderr, flush=True)


def _say(words: object) -> None:
    print(words, file=sys.stderr)
