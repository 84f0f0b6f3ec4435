"""Verify an evidence kit offline: this one file, the Python standard library, nothing of the platform.

    python3 -I verify.py KIT.zip [--key PUBLIC.pem] [--key-id HEX] [--policy FILE] [--trusted FILE]… [--pure]

KIT is the zip file or the folder unpacked from it. Checked: the SM2 signature of the checkpoint, the place
of every record in the SM3 tree it signs (RFC 9162), every payload's SM3, and that nothing listed is
missing. With --policy also that the witnesses it names have cosigned the checkpoint, and with --trusted
that the ledger still contains what an older checkpoint, kept from an earlier visit, signed.

Give the public key (--key) or its fingerprint (--key-id) and the policy as obtained from the center by
another way: those inside the kit only prove that the kit agrees with itself.

SM3 and SM2 are written here a second time, on purpose. hashlib's SM3 does the bulk where it agrees with
the one below; --pure does without. Exit: 0 everything holds, 1 something does not, 2 wrong usage.
"""

import argparse
import binascii
import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compliance.verify_notes import (
    PROOF_HASHES_MAX,
    SPKI_HEAD,
    Tree,
    WrongError,
    check_policy,
    climb,
    grows,
    read_base64,
    read_checkpoint,
    read_key,
    remembered,
)
from compliance.verify_sm import Hash, choose_sm3

PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
TEXT_BYTES_MAX = 64 * 1024
MANIFEST_BYTES_MAX = 64 * 1024 * 1024
TRUSTED_MAX = 100
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError)
MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, binascii.Error)


class Kit:
    """The files of a kit, from the zip or from the folder; every read is bounded."""

    def __init__(self, path: Path) -> None:
        self.folder = path if path.is_dir() else None
        self.zip = None if self.folder else zipfile.ZipFile(path)

    def names(self) -> set[str]:
        """Every file in the kit."""
        if self.zip:
            listed = self.zip.namelist()
            if len(set(listed)) != len(listed):
                raise WrongError("存证包内有重名文件", "two files of one name in the kit")
            return set(listed)
        assert self.folder
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}

    def read(self, name: str, most: int) -> bytes:
        """One file, refused where it is missing or too large."""
        try:
            if self.zip:
                if self.zip.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise WrongError(f"{name} 的压缩方式不允许", f"{name}: compression not allowed")
                with self.zip.open(name) as packed:
                    data = packed.read(most + 1)
            else:
                assert self.folder
                with (self.folder / name).open("rb") as plain:
                    data = plain.read(most + 1)
        except (KeyError, OSError, RuntimeError, EOFError, *BROKEN_ZIP) as error:
            raise WrongError(f"读不到 {name}:{error}", f"cannot read {name}: {error}") from error
        if len(data) > most:
            raise WrongError(f"{name} 超过 {most} 字节", f"{name} has more than {most} bytes")
        return data


class Check:
    """One kit under one head: what holds is counted, what does not is yielded."""

    def __init__(self, kit: Kit, tree: Tree, sm3: Hash) -> None:
        self.kit, self.tree, self.sm3 = kit, tree, sm3
        self.node_sm3 = remembered(sm3)
        self.manifest: dict[str, Any] = json.loads(kit.read("manifest.json", MANIFEST_BYTES_MAX))
        self.center = str(self.manifest["center"])
        self.items = [int(index) for index in self.manifest["items"]]
        self.deleted = {int(index) for index in self.manifest.get("deleted", [])}
        self.trusted = [int(size) for size in self.manifest.get("trusted", [])]
        self.excused: set[str] = set()  # payloads a deletion record of the kit speaks of
        self.absent: dict[int, str] = {}  # records whose payload was deleted
        if (self.manifest["origin"], self.manifest["size"]) != (tree.origin, tree.size):
            raise WrongError("清单与检查点不符", "the manifest does not match the checkpoint")
        if sorted(set(self.items)) != self.items or not self.deleted <= set(self.items):
            raise WrongError("清单不合格式", "the manifest is malformed")
        self.good = 0

    def run(self) -> Iterator[WrongError]:
        """Everything that is wrong."""
        yield from self.files()
        for index in self.items:
            try:
                self.item(index)
                self.good += 1
            except WrongError as wrong:
                yield wrong
            except MALFORMED as error:
                yield WrongError(f"第 {index} 条不合格式:{error}", f"record {index} is malformed: {error}")
        for index, digest in self.absent.items():
            if digest not in self.excused:
                self.good -= 1
                yield WrongError(
                    f"第 {index} 条没有载荷,也没有删除记录",
                    f"record {index} has neither its payload nor a deletion record",
                )

    def files(self) -> Iterator[WrongError]:
        """What lies beside the records: as listed, and nothing else."""
        listed = self.manifest["files"]
        others = {name: str(listed[name]) for name in ("verify.py", "README.txt")}
        if "policy" in listed:
            others["policy"] = str(listed["policy"])
        for name, digest in others.items():
            if self.sm3(self.kit.read(name, MANIFEST_BYTES_MAX)).hex() != digest:
                yield WrongError(f"{name} 被改动", f"{name} was altered")
        extra = {name for name in self.kit.names() if not name.startswith("payload/")}
        extra -= {f"items/{index:012d}.{end}" for index in self.items for end in ("leaf", "proof")}
        extra -= {f"trusted/{size}.proof" for size in self.trusted}
        extra -= {"checkpoint", "manifest.json", "public.pem", *others}
        if extra:
            yield WrongError(
                f"清单之外的文件:{min(extra)}", f"a file the manifest does not list: {min(extra)}"
            )

    def item(self, index: int) -> None:
        """One record: its proof, its place, its payload."""
        name = f"items/{index:012d}"
        leaf = self.kit.read(f"{name}.leaf", TEXT_BYTES_MAX)
        head, _, note = self.kit.read(f"{name}.proof", TEXT_BYTES_MAX).decode("utf-8").partition("\n\n")
        kind, place, *path = head.split("\n")
        if (kind, place) != ("c2sp.org/tlog-proof@v1", f"index {index}") or len(path) > PROOF_HASHES_MAX:
            raise ValueError("not a proof of this record")
        if note.encode() != self.tree.raw:
            raise WrongError(
                f"第 {index} 条的证明属于另一检查点", f"record {index}: proof of another checkpoint"
            )
        proof, size = [read_base64(line) for line in path], self.tree.size
        reached = climb(self.sm3(b"\0" + leaf), index, size, proof, self.node_sm3) if index < size else b""
        if reached != self.tree.root:
            raise WrongError(f"第 {index} 条不在签名的树中", f"record {index} is not in the signed tree")
        record = json.loads(leaf)
        if record["sequence"] != index or record["center"] != self.center:
            raise WrongError(f"第 {index} 条的序号或中心不符", f"record {index}: wrong sequence or center")
        if record["kind"] == "deletion":
            self.excused.add(str(record["subject"]).removeprefix("payload:"))
        self.payload(index, str(record["payload_sm3"]), record["payload_bytes"])

    def payload(self, index: int, digest: str, size: object) -> None:
        """What a record is about: as recorded, or deleted on record."""
        if index in self.deleted:
            self.absent[index] = digest
            return
        payload = self.kit.read(f"payload/{digest}", PAYLOAD_BYTES_MAX)
        if self.sm3(payload).hex() != digest or len(payload) != size:
            raise WrongError(f"第 {index} 条的载荷被改动", f"record {index}: its payload was altered")

    def extends(self, old: Tree) -> None:
        """Raise WrongError unless the ledger still contains what an older checkpoint signed."""
        proof: list[bytes] = []
        if 0 < old.size < self.tree.size:
            text = self.kit.read(f"trusted/{old.size}.proof", TEXT_BYTES_MAX).decode("ascii")
            proof = [read_base64(line) for line in text.split("\n")[:-1]]
        if old.origin != self.tree.origin or (old.size and not grows(old, self.tree, proof, self.sm3)):
            raise WrongError(
                f"账本不是 {old.size} 条时检查点的延续", f"the ledger does not extend its state at {old.size}"
            )


def _say(zh: str, en: str) -> None:
    chinese = (os.environ.get("LIUHE_LANG") or os.environ.get("LANG") or "zh").startswith(
        ("zh", "C", "POSIX")
    )
    print(zh if chinese else en)


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="离线验证存证包 Verify an evidence kit offline")
    parser.add_argument("kit", type=Path, help="存证包 zip 或解压后的目录 the kit, zip or folder")
    parser.add_argument("--key", type=Path, help="另行取得的公钥 public key obtained by another way")
    parser.add_argument("--key-id", help="公钥指纹:SPKI 的 SM3 fingerprint: SM3 of the SPKI")
    parser.add_argument("--policy", type=Path, help="另行取得的见证策略 witness policy, by another way")
    parser.add_argument(
        "--trusted",
        type=Path,
        action="append",
        default=[],
        help="以前另存的检查点 an older checkpoint kept apart",
    )
    parser.add_argument("--pure", action="store_true", help="只用本文件的 SM3 only this file's SM3")
    options = parser.parse_args(arguments)
    failed = True
    try:
        failed = not verified(options)
    except WrongError as wrong:
        _say(f"不成立:{wrong.args[0]}", f"WRONG: {wrong.args[1]}")
    except (OSError, zipfile.BadZipFile, *MALFORMED) as error:
        _say(f"不成立:存证包已损坏({error})", f"WRONG: the kit is damaged ({error})")
    _say("结论:不通过" if failed else "结论:通过", "RESULT: REFUSED" if failed else "RESULT: VERIFIED")
    return 1 if failed else 0


def verified(options: argparse.Namespace) -> bool:
    """Check everything asked for, say what is found; whether all of it holds."""
    sm3, kit, failed = choose_sm3(options.pure), Kit(options.kit), False
    pem = options.key.read_bytes() if options.key else kit.read("public.pem", TEXT_BYTES_MAX)
    point = read_key(pem)
    fingerprint = sm3(SPKI_HEAD + point).hex()
    if options.key_id and options.key_id.strip().lower() != fingerprint:
        raise WrongError(f"公钥指纹为 {fingerprint}", f"the key's fingerprint is {fingerprint}")
    if not (options.key or options.key_id):
        _say(
            f"注意:公钥取自包内,请与中心核对指纹 {fingerprint}",
            f"note: key from the kit, compare {fingerprint}",
        )
    tree = read_checkpoint(kit.read("checkpoint", TEXT_BYTES_MAX), point, sm3)
    check = Check(kit, tree, sm3)
    for wrong in check.run():
        failed = True
        _say(f"不成立:{wrong.args[0]}", f"WRONG: {wrong.args[1]}")
    _say(
        f"{tree.origin}:{check.good} 条记录属于 {tree.size} 条的树,根 {tree.root.hex()}",
        f"{tree.origin}: {check.good} records belong to the tree of {tree.size}, root {tree.root.hex()}",
    )
    if options.policy:
        signed = check_policy(options.policy.read_text("utf-8"), tree, sm3)
        names = ", ".join(f"{name} {when:%Y-%m-%dT%H:%M:%SZ}" for name, when in signed.items())
        _say(f"见证签名达到法定数:{names}", f"cosigned by a quorum: {names}")
    for path in options.trusted[:TRUSTED_MAX]:
        old = read_checkpoint(path.read_bytes(), point, sm3)
        check.extends(old)
        _say(f"账本是 {old.size} 条时检查点的延续", f"the ledger extends its checkpoint at {old.size}")
    return not failed


if __name__ == "__main__":
    sys.exit(main())
