"""Write an evidence kit: chosen records with payloads and proofs, a checkpoint, and a verifier beside them.

The kit is a zip whose bytes depend only on the ledger and the choice: nothing is compressed, because a
compressor's output differs by version and has bits that mean nothing. The public key is also written next
to it, to be handed over by another way. Contents: docs/reference/formats/ledger.md.
"""

import base64
import json
import re
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

from compliance.cosigning import POLICY, cosigned_note
from compliance.evidence import Evidence
from compliance.ledger_files import sync_folder
from compliance.ledger_reader import LedgerView
from compliance.ledger_walk import DELETED
from crypto import merkle
from crypto.note import Note
from crypto.sm3 import sm3_hex
from crypto.words import Refused, Words

ITEMS_MAX: Final = 1_000_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first time a zip can say; the same in every kit
_README: Final = """\
存证包 / Evidence kit

验证 / Verify:

    python3 -I verify.py KIT.zip --key PUBLIC.pem --policy POLICY --trusted OLDER-CHECKPOINT

PUBLIC.pem 应另行取得(例如当面、公文),或用 --key-id 核对公钥指纹;包内的 public.pem 只能说明本包自洽。
见证策略 POLICY 与以前另存的检查点同理,没有时略去相应选项。
Obtain PUBLIC.pem by another way (in person, by letter), or compare its fingerprint with --key-id; the
public.pem inside only shows that the kit agrees with itself. The same holds for the witness policy and for
a checkpoint kept from an earlier visit; leave those options out where there is none.

verify.py 只用 Python 标准库。items/ 为记录与包含证明,payload/ 为载荷,checkpoint 为签名的检查点,trusted/ 为
自以前检查点以来的一致性证明。
verify.py needs the Python standard library only. items/ holds records and inclusion proofs, payload/ their
payloads, checkpoint is the signed head of the ledger, trusted/ the consistency proofs from older ones.
"""
_OWN_IMPORT: Final = re.compile(
    r"^from compliance\.(verify_\w+) import (?:\([^)]*\)|[^\n(]*)\n", re.MULTILINE
)


class Witnesses(NamedTuple):
    """Whose cosignatures the kit carries: the policy's bytes and the checkpoint its quorum signed."""

    policy: bytes
    cosigned: Note


def witnesses_of(folder: Path, reader: LedgerView) -> Witnesses | None:
    """What the witnesses of a center's ``folder`` signed, where there is a policy with a quorum that did."""
    note = cosigned_note(folder, reader)
    return Witnesses((folder / POLICY).read_bytes(), note) if note else None


class Exported(NamedTuple):
    """What a kit holds; ``left_out`` records match but are newer than its checkpoint."""

    kit: Path
    key: Path
    items: int
    size: int
    key_id: str
    left_out: int
    policy: Path | None


def chosen(
    reader: LedgerView, kinds: Collection[str], since: datetime | None
) -> Iterator[tuple[Evidence, bytes]]:
    """Records of these kinds (all where empty) at or after ``since``, oldest first, with their bytes."""
    for record, data in reader.records():
        if (not kinds or record.kind in kinds) and (since is None or record.time >= since):
            yield record, data


def export_kit(
    reader: LedgerView,
    output: Path,
    *,
    kinds: Collection[str] = (),
    since: datetime | None = None,
    wanted: Callable[[Evidence], bool] = lambda _: True,
    witnesses: Witnesses | None = None,
    trusted: Sequence[bytes] = (),
) -> Exported:
    """Write ``output`` and its key file whole, or nothing. Raises Refused where there is nothing to write.

    With ``witnesses`` the kit stands on the checkpoint they cosigned. ``trusted`` are older checkpoints of
    this ledger, for each of which it carries the consistency proof.
    """
    latest, public = reader.latest(), reader.public
    if latest is None or public is None:
        raise _nothing("账本还没有检查点", "the ledger has no checkpoint yet")
    raw = witnesses.cosigned.encode() if witnesses else latest.raw
    fresh = output.with_name(f".{output.name}.new")
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_STORED) as file:
            kit = _Kit(file, reader, raw)
            for record, data in chosen(reader, kinds, since):
                if wanted(record):
                    kit.take(record, data)
            if not kit.items:
                raise _nothing("没有符合条件的记录", "no record matches")
            kit.finish(public.pem(), witnesses.policy if witnesses else None, trusted)
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)
    key = output.with_suffix(".pem")
    key.write_bytes(public.pem())
    policy = output.with_suffix(".policy") if witnesses else None
    if policy and witnesses:
        policy.write_bytes(witnesses.policy)
    sync_folder(output.parent)
    return Exported(output, key, len(kit.items), kit.size, public.key_id, kit.left_out, policy)


class _Kit:
    """The zip while it is written."""

    def __init__(self, file: zipfile.ZipFile, reader: LedgerView, raw: bytes) -> None:
        self._file, self._reader, self._raw = file, reader, raw
        self.size = reader.checked(raw).size
        self.items: set[int] = set()
        self.left_out = 0
        self._payloads: set[str] = set()
        self._deleted: dict[int, str] = {}

    def take(self, record: Evidence, data: bytes) -> None:
        """Add a record with its proof and what it is about."""
        index = record.sequence
        if index >= self.size:
            self.left_out += 1
            return
        if index in self.items:
            return
        if len(self.items) >= ITEMS_MAX:
            raise _nothing(f"超过 {ITEMS_MAX} 条,请缩小范围", f"more than {ITEMS_MAX} records, choose fewer")
        self.items.add(index)
        _add(self._file, f"items/{index:012d}.leaf", data)
        _add(self._file, f"items/{index:012d}.proof", _proof(self._reader, index, self.size, self._raw))
        if record.payload_sm3 in self._payloads:
            return
        try:
            payload = self._reader.payload_of(record)
        except Refused as error:
            if error.code != "payload-deleted":
                raise
            self._deleted[index] = record.payload_sm3
            return
        self._payloads.add(record.payload_sm3)
        _add(self._file, f"payload/{record.payload_sm3}", payload)

    def finish(self, public: bytes, policy: bytes | None, trusted: Sequence[bytes]) -> None:
        """Add why payloads are missing, the proofs of growth, and what tells the reader how to check."""
        gone = {f"{DELETED}{digest}" for digest in self._deleted.values()}
        for record, data in chosen(self._reader, ("deletion",), None) if gone else ():
            if record.subject in gone and record.sequence < self.size:
                self.take(record, data)
        sizes = sorted({self._reader.checked(note).size for note in trusted} - {0, self.size})
        for old in sizes:
            proof = merkle.consistency_proof(old, self.size, self._reader.hashes.node)
            text = "".join(f"{base64.b64encode(part).decode('ascii')}\n" for part in proof)
            _add(self._file, f"trusted/{old}.proof", text.encode())
        beside = {"verify.py": verifier_source(), "README.txt": _README.encode()}
        if policy is not None:
            beside["policy"] = policy
        manifest = {
            "schema": 2,
            "center": self._reader.center,
            "origin": self._reader.origin,
            "size": self.size,
            "items": sorted(self.items),
            "deleted": sorted(self._deleted),
            "trusted": sizes,
            "files": {name: sm3_hex(data) for name, data in beside.items()},
        }
        _add(self._file, "manifest.json", json.dumps(manifest, sort_keys=True, ensure_ascii=False).encode())
        for name, data in {"checkpoint": self._raw, "public.pem": public, **beside}.items():
            _add(self._file, name, data)


def verifier_source() -> bytes:
    """The kit's verify.py: one file, put together from the parts it is kept in here."""
    return _joined("verify_kit", set()).encode()


def _joined(module: str, taken: set[str]) -> str:
    """A module's text with the modules of ours it imports in place of the import, each once."""

    def inlined(found: re.Match[str]) -> str:
        if found[1] in taken:
            return ""
        taken.add(found[1])
        body = _joined(found[1], taken).split('"""\n', 1)[1]  # its docstring speaks of a module of its own
        return f"# --- {found[1]}\n{body}\n"

    text = files("compliance").joinpath(f"{module}.py").read_text("utf-8")
    return _OWN_IMPORT.sub(inlined, text)


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
