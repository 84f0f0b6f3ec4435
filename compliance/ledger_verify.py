"""The whole ledger recomputed from its leaves, up to a checkpoint; every contradiction is located.

One pass over the leaf log gives the tree; beside it run the index, the stored hashes, the log of
checkpoints and the payloads. A finding names the leaf, the file and the offset.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import msgspec

from compliance.evidence import Evidence, from_leaf, leaf_bytes
from compliance.ledger_files import MAGIC_BYTES, Damage, Frame
from compliance.ledger_reader import PUBLIC, LedgerView, Signed
from crypto import merkle
from crypto.note import Checkpoint
from crypto.words import LiuheError, Words

FINDINGS_MAX: Final = 200
PROGRESS_LEAVES: Final = 2_000
DELETED: Final = "payload:"  # a deletion record's subject: the payload was removed on purpose
Progress = Callable[[int, int], None]  # leaves done, leaves in all


class VerifyOutcome(NamedTuple):
    """What recomputing found; ``ok`` exactly where there are no findings."""

    ok: bool
    size: int
    root: str  # hex, as recomputed
    checked_leaves: int
    checked_payloads: int
    seconds: float
    findings: list[Words]


class _Findings:
    """Contradictions, the first ``FINDINGS_MAX`` in words, the rest counted."""

    def __init__(self) -> None:
        self.words: list[Words] = []
        self.more = 0

    def add(self, zh: str, en: str) -> None:
        if len(self.words) < FINDINGS_MAX:
            self.words.append(Words(zh, en))
        else:
            self.more += 1

    def all(self) -> list[Words]:
        if not self.more:
            return self.words
        return [*self.words, Words(f"另有 {self.more} 项问题", f"and {self.more} more")]


def verify(
    reader: LedgerView, *, progress: Progress | None = None, trusted: Checkpoint | None = None
) -> VerifyOutcome:
    """Recompute everything a checkpoint covers; ``trusted`` is an older one the caller kept apart."""
    began = perf_counter()
    findings = _Findings()
    _stored_key(reader, findings)
    latest = _latest(reader, findings)
    size = latest.checkpoint.size if latest else 0
    roots: dict[int, list[tuple[str, bytes]]] = {}
    if latest:
        roots.setdefault(size, []).append(("checkpoint", latest.checkpoint.root))
    _checkpoints(reader, latest, roots, findings)
    if trusted:
        _expect_trusted(trusted, reader.origin, size, roots, findings)
    walk = _Walk(reader, findings, roots)
    for index in range(size):
        walk.leaf(index)
        if progress and (index + 1) % PROGRESS_LEAVES == 0:
            progress(index + 1, size)
    walk.finish()
    if progress:
        progress(size, size)
    return VerifyOutcome(
        ok=not findings.words,
        size=size,
        root=walk.frontier.root().hex(),
        checked_leaves=walk.intact,
        checked_payloads=len(walk.payloads) - len(walk.missing),
        seconds=perf_counter() - began,
        findings=findings.all(),
    )


def _stored_key(reader: LedgerView, findings: _Findings) -> None:
    """The copy of the public key beside the ledger, where the caller brought one of its own."""
    path = reader.folder / PUBLIC
    if reader.public and path.exists() and path.read_bytes() != reader.public.pem():
        findings.add(f"文件 {PUBLIC} 与所用公钥不符", f"file {PUBLIC} differs from the public key used")


def _latest(reader: LedgerView, findings: _Findings) -> Signed | None:
    """The checkpoint to verify up to; where the file is bad, the last logged one that is not."""
    try:
        latest = reader.latest()
    except LiuheError as error:
        findings.add(f"文件 checkpoint:{error.what.zh}", f"file checkpoint: {error.what.en}")
        latest = None
    if latest:
        return latest
    for number in range(reader.checkpoints.indexed() - 1, -1, -1):
        found = reader.checkpoints.frame(number)
        if isinstance(found, Frame):
            try:
                latest = Signed(reader.checked(found.data), found.data)
            except LiuheError:
                continue
            findings.add(
                f"文件 checkpoint 缺失或无效,改用第 {latest.checkpoint.size} 条处的检查点",
                f"file checkpoint is missing or invalid; used the one kept for size {latest.checkpoint.size}",
            )
            return latest
    if next(reader.leaves.scan(), None) is not None:
        findings.add("账本中有记录,但没有有效的检查点", "there are leaves but no valid checkpoint")
    return None


def _checkpoints(
    reader: LedgerView,
    latest: Signed | None,
    roots: dict[int, list[tuple[str, bytes]]],
    findings: _Findings,
) -> None:
    """Every older checkpoint: its frame, signature, order and index; its root is checked in the walk."""
    name, last = reader.checkpoints.path.name, -1
    limit = latest.checkpoint.size if latest else 0
    matched = latest is None
    for number, found in _resumed(reader, findings):
        if latest and found.sequence > limit:
            break  # written since we began
        where = f"{name} 偏移 {found.offset}", f"{name} offset {found.offset}"
        try:
            checkpoint = reader.checked(found.data)
        except LiuheError as error:
            findings.add(f"{where[0]}:{error.what.zh}", f"{where[1]}: {error.what.en}")
            continue
        if checkpoint.size != found.sequence or checkpoint.size <= last:
            findings.add(f"{where[0]}:检查点次序不对", f"{where[1]}: a checkpoint out of order")
        if reader.checkpoints.offset_of(number) != found.offset:
            index = reader.checkpoints.index_path.name
            findings.add(f"{index} 第 {number} 项不对", f"{index}: entry {number} is wrong")
        matched = matched or (latest is not None and found.data == latest.raw)
        last = checkpoint.size
        roots.setdefault(checkpoint.size, []).append((where[1], checkpoint.root))
    if not matched:
        findings.add(f"{name} 中没有当前检查点", f"{name} does not hold the current checkpoint")


def _resumed(reader: LedgerView, findings: _Findings) -> Iterator[tuple[int, Frame]]:
    """Frames of the log of checkpoints; after a damaged one the index says where the next begins."""
    log, number, offset = reader.checkpoints, 0, MAGIC_BYTES
    while True:
        damage: Damage | None = None
        for found in log.scan(offset):
            if isinstance(found, Damage):
                damage = found
                break
            yield number, found
            number += 1
        if damage is None:
            return
        name = log.path.name
        findings.add(
            f"{name} 偏移 {damage.offset}:{damage.reason}", f"{name} offset {damage.offset}: {damage.reason}"
        )
        number += 1
        following = log.offset_of(number)
        if following is None or following <= damage.offset:
            return
        offset = following


def _expect_trusted(
    trusted: Checkpoint,
    origin: str,
    size: int,
    roots: dict[int, list[tuple[str, bytes]]],
    findings: _Findings,
) -> None:
    if trusted.origin != origin or trusted.size > size:
        findings.add(
            f"账本与另存的检查点({trusted.origin},{trusted.size} 条)不符,可能被回退",
            f"the ledger falls short of the checkpoint kept apart ({trusted.origin}, {trusted.size} leaves)",
        )
        return
    roots.setdefault(trusted.size, []).append(("trusted", trusted.root))


class _Walk:
    """One pass over the leaves with everything that must agree with them."""

    def __init__(
        self, reader: LedgerView, findings: _Findings, roots: dict[int, list[tuple[str, bytes]]]
    ) -> None:
        self._reader, self._findings, self._roots = reader, findings, roots
        self.frontier: Final = merkle.Frontier()
        self.intact = 0
        self.payloads: set[str] = set()
        self.missing: dict[str, tuple[int, Words]] = {}
        self._deleted: set[str] = set()
        self._frames = reader.leaves.scan()
        self._hashes = memoryview(b"")
        self._hashes_from = 0
        self._good = 0  # the last size whose root a checkpoint confirmed
        self._compare_roots()

    def leaf(self, index: int) -> None:
        """Take the next leaf: its frame, record, place in the index, hashes, payload."""
        data = self._frame(index)
        if data is not None and self._record(data, index):
            self.intact += 1
        stored = self._stored(merkle.position(0, index))
        # Where the bytes are lost, the stored hash still tells whether the rest of the tree is whole.
        leaf = merkle.leaf_hash(data) if data is not None else stored
        at = merkle.position(0, index)
        for number, computed in enumerate(self.frontier.append(leaf), at):
            if self._stored(number) != computed:
                offset = number * merkle.HASH_BYTES
                self._findings.add(
                    f"第 {index} 条:文件 hashes 偏移 {offset} 处的哈希与记录不符",
                    f"leaf {index}: file hashes offset {offset} does not match the leaves",
                )
        self._compare_roots()

    def _frame(self, index: int) -> bytes | None:
        log = self._reader.leaves
        name, offset = log.path.name, log.offset_of(index)
        found = next(self._frames, None)
        if found is None:
            found = Damage(offset or 0, "no entry here")
        if isinstance(found, Damage):
            self._findings.add(
                f"第 {index} 条:文件 {name} 偏移 {found.offset}:{found.reason}",
                f"leaf {index}: file {name} offset {found.offset}: {found.reason}",
            )
            following = log.offset_of(index + 1)
            self._frames = log.scan(following) if following is not None else iter(())
            return None
        if found.offset != offset:
            self._findings.add(
                f"第 {index} 条:文件 {log.index_path.name} 偏移 {index * 8} 不对",
                f"leaf {index}: file {log.index_path.name} offset {index * 8} is wrong",
            )
        if found.sequence != index:
            self._findings.add(
                f"第 {index} 条:文件 {name} 偏移 {found.offset} 的序号为 {found.sequence}",
                f"leaf {index}: file {name} offset {found.offset} has sequence {found.sequence}",
            )
        return found.data

    def _record(self, data: bytes, index: int) -> bool:
        try:
            record = from_leaf(data)
            canonical = leaf_bytes(record) == data
        except msgspec.MsgspecError:
            record, canonical = None, False
        if (
            record is None
            or not canonical
            or (record.sequence, record.center) != (index, self._reader.center)
        ):
            self._findings.add(
                f"第 {index} 条:不是本中心该序号的规范记录",
                f"leaf {index}: not the canonical record of this center and sequence",
            )
            return False
        if record.kind == "deletion" and record.subject.startswith(DELETED):
            self._deleted.add(record.subject.removeprefix(DELETED))
        return self._payload(record, index)

    def _payload(self, record: Evidence, index: int) -> bool:
        digest = record.payload_sm3
        if len(digest) != 64 or not digest.isalnum():
            self._findings.add(
                f"第 {index} 条:payload_sm3 不合格式", f"leaf {index}: payload_sm3 is malformed"
            )
            return False
        if digest not in self.payloads:
            self.payloads.add(digest)
            problem = self._reader.payloads.problem(digest, record.payload_bytes)
            if problem:
                self.missing[digest] = (index, problem)
        return True

    def _stored(self, number: int) -> bytes:
        """A stored hash by its number, read in windows; empty past the end of the file."""
        if not 0 <= number - self._hashes_from < len(self._hashes) // merkle.HASH_BYTES:
            self._hashes, self._hashes_from = memoryview(self._reader.hashes.read(number, 1 << 13)), number
        at = (number - self._hashes_from) * merkle.HASH_BYTES
        return bytes(self._hashes[at : at + merkle.HASH_BYTES])

    def _compare_roots(self) -> None:
        size = self.frontier.size
        for name, expected in self._roots.get(size, ()):
            if self.frontier.root() == expected:
                self._good = size
            else:
                self._findings.add(
                    f"{size} 条时的根与检查点({name})不符:第 {self._good} 至 {size - 1} 条之间有改动",
                    f"the root at {size} differs from {name}: changed in leaves {self._good} to {size - 1}",
                )

    def finish(self) -> None:
        """Payloads that are gone count unless a deletion record says why."""
        for digest, (index, problem) in self.missing.items():
            if digest in self._deleted and not self._reader.payloads.path(digest).exists():
                continue
            path = Path("payload") / digest[:2] / digest
            self._findings.add(
                f"第 {index} 条:载荷 {path} {problem.zh}", f"leaf {index}: payload {path} {problem.en}"
            )
