"""Write an evidence kit: chosen records with payloads and proofs, a checkpoint, and a verifier beside them.

The kit is a zip whose bytes depend only on the ledger and the choice: nothing is compressed, because a
compressor's output differs by version and has bits that mean nothing. The public key is also written next
to it, to be handed over by another way. Contents: docs/reference/formats/ledger.md.
"""

import base64
import json
import zipfile
from collections.abc import Collection, Iterator
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from compliance.evidence import Evidence
from compliance.ledger_files import sync_folder
from compliance.ledger_reader import LedgerView
from crypto import merkle
from crypto.sm3 import sm3_hex
from crypto.words import Refused, Words

ITEMS_MAX: Final = 1_000_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first time a zip can say; the same in every kit
_README: Final = """\
存证包 / Evidence kit

验证 / Verify:

    python3 -I verify.py KIT.zip --key PUBLIC.pem

PUBLIC.pem 应另行取得(例如当面、公文),或用 --key-id 核对公钥指纹;包内的 public.pem 只能说明本包自洽。
Obtain PUBLIC.pem by another way (in person, by letter), or compare its fingerprint with --key-id; the
public.pem inside only shows that the kit agrees with itself.

verify.py 只用 Python 标准库。items/ 为记录与包含证明,payload/ 为载荷,checkpoint 为签名的检查点。
verify.py needs the Python standard library only. items/ holds records and inclusion proofs, payload/ their
payloads, checkpoint is the signed head of the ledger.
"""


class Exported(NamedTuple):
    """What a kit holds."""

    kit: Path
    key: Path
    items: int
    size: int
    key_id: str


def chosen(
    reader: LedgerView, kinds: Collection[str], since: datetime | None
) -> Iterator[tuple[Evidence, bytes]]:
    """Records of these kinds (all where empty) at or after ``since``, oldest first, with their bytes."""
    for record, data in reader.records():
        if (not kinds or record.kind in kinds) and (since is None or record.time >= since):
            yield record, data


def export_kit(
    reader: LedgerView, output: Path, *, kinds: Collection[str] = (), since: datetime | None = None
) -> Exported:
    """Write ``output`` and its key file whole, or nothing. Raises Refused where there is nothing to write."""
    latest = reader.latest()
    public = reader.public
    if latest is None or public is None:
        raise _nothing("账本还没有检查点", "the ledger has no checkpoint yet")
    size = latest.checkpoint.size
    fresh = output.with_name(f".{output.name}.new")
    items: list[int] = []
    payloads: set[str] = set()
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as kit:
            for record, data in chosen(reader, kinds, since):
                index = record.sequence
                if index >= size:
                    break  # written since we began
                if len(items) >= ITEMS_MAX:
                    raise _nothing(
                        f"超过 {ITEMS_MAX} 条,请缩小范围", f"more than {ITEMS_MAX} records, choose fewer"
                    )
                items.append(index)
                _add(kit, f"items/{index:012d}.leaf", data)
                _add(kit, f"items/{index:012d}.proof", _proof(reader, index, size, latest.raw))
                if record.payload_sm3 not in payloads:
                    payloads.add(record.payload_sm3)
                    _add(kit, f"payload/{record.payload_sm3}", reader.payload_of(record))
            if not items:
                raise _nothing("没有符合条件的记录", "no record matches")
            manifest = {
                "schema": 1,
                "center": reader.center,
                "origin": reader.origin,
                "size": size,
                "items": items,
                "files": {name: sm3_hex(data) for name, data in _beside()},
            }
            _add(kit, "manifest.json", json.dumps(manifest, sort_keys=True, ensure_ascii=False).encode())
            _add(kit, "checkpoint", latest.raw)
            _add(kit, "public.pem", public.pem())
            for name, data in _beside():
                _add(kit, name, data)
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)
    key = output.with_suffix(".pem")
    key.write_bytes(public.pem())
    sync_folder(output.parent)
    return Exported(output, key, len(items), size, public.key_id)


def _beside() -> tuple[tuple[str, bytes], ...]:
    """What every kit carries for its reader."""
    verifier = files("compliance").joinpath("verify_kit.py").read_bytes()
    return ("verify.py", verifier), ("README.txt", _README.encode())


def _proof(reader: LedgerView, index: int, size: int, checkpoint: bytes) -> bytes:
    """The C2SP tlog-proof text of one record: header, index, hashes, empty line, checkpoint."""
    hashes = merkle.inclusion_proof(index, size, reader.hashes.node)
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}"]
    lines += [base64.b64encode(part).decode("ascii") for part in hashes]
    return "\n".join([*lines, "", ""]).encode() + checkpoint


def _add(kit: zipfile.ZipFile, name: str, data: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_STORED
    entry.external_attr = 0o644 << 16
    kit.writestr(entry, data)


def _nothing(zh: str, en: str) -> Refused:
    return Refused(
        "export-empty",
        Words(zh, en),
        Words(
            "请调整 --kind 与 --since,或先生成检查点", "change --kind and --since, or make a checkpoint first"
        ),
    )
