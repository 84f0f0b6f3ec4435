"""Leaves of the audit log out of evidence somebody was handed: a kit, or the folder of a ledger.

What they stand on is checked first: the signature of the checkpoint, and that each leaf is in its tree.
"""

import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from compliance.ledger import LedgerReader
from compliance.verify_kit import MALFORMED, TEXT_BYTES_MAX, Check, Kit
from compliance.verify_notes import SPKI_HEAD, WrongError, read_checkpoint, read_key
from compliance.verify_sm import choose_sm3
from crypto.keys import PublicKey
from crypto.words import BadInput, Words
from soc_api.audit_check import FINDINGS_MAX, Leaf
from soc_api.audit_ledger import line_of

Found = tuple[list[Words], Iterator[Leaf]]  # what is wrong with the evidence, and the leaves it holds


def ledger_leaves(folder: Path, key: Path | None, key_id: str | None) -> Found:
    """Those of a ledger, recomputed whole. Raises LiuheError where it is none."""
    reader = LedgerReader(folder, public=None if key is None else PublicKey.load(key))
    findings: list[Words] = []
    if key_id is not None and (reader.public is None or reader.public.key_id != _fingerprint(key_id)):
        findings.append(_other_key("-" if reader.public is None else reader.public.key_id))
    findings += reader.verify(None).findings[:FINDINGS_MAX]

    def leaves() -> Iterator[Leaf]:
        for record, _ in reader.records():
            number = line_of(record.kind, record.subject)
            if number is not None:
                yield number, record.payload_sm3

    return findings, leaves()


def kit_leaves(path: Path, key: Path | None, key_id: str | None, note: Callable[[str], None]) -> Found:
    """Those of a kit, each of its records checked; ``note`` is told of a key that is the kit's own.

    Raises BadInput (audit-evidence).
    """
    try:
        kit, sm3 = Kit(path), choose_sm3(False)
        point = read_key(kit.read("public.pem", TEXT_BYTES_MAX) if key is None else key.read_bytes())
        own = sm3(SPKI_HEAD + point).hex()
        findings = [] if key_id is None or own == _fingerprint(key_id) else [_other_key(own)]
        if key is None and key_id is None:
            note(own)
        check = Check(kit, read_checkpoint(kit.read("checkpoint", TEXT_BYTES_MAX), point, sm3), sm3)
        for wrong in check.run():
            if len(findings) < FINDINGS_MAX:
                findings.append(_wrong(wrong))
    except WrongError as wrong:
        return [_wrong(wrong)], iter(())
    except (OSError, zipfile.BadZipFile, *MALFORMED) as error:
        raise BadInput(
            "audit-evidence",
            Words(f"存证包已损坏:{error}", f"the kit is damaged: {error}"),
            Words("请重新取得存证包", "obtain the kit again"),
            field=str(path),
        ) from error

    def leaves() -> Iterator[Leaf]:
        for index in check.items:
            record = json.loads(kit.read(f"items/{index:012d}.leaf", TEXT_BYTES_MAX))
            number = line_of(record["kind"], record["subject"])
            if number is not None:
                yield number, record["payload_sm3"]

    return findings, iter(()) if findings else leaves()


def _fingerprint(given: str) -> str:
    return given.strip().lower()


def _wrong(wrong: WrongError) -> Words:
    return Words(f"存证不成立:{wrong.args[0]}", f"the evidence does not hold: {wrong.args[1]}")


def _other_key(own: str) -> Words:
    return Words(
        f"账本公钥指纹为 {own},与所给不符", f"the ledger's key has the fingerprint {own}, not the one given"
    )
