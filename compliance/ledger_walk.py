"""One pass over the leaves of a ledger with everything that must agree with them.

Beside the log of leaves run its index, the log of payloads, the stored hashes and the numbering of sources;
each contradiction is noted with leaf, file and offset.
"""

from typing import Final

import msgspec

from compliance.evidence import Evidence, from_leaf, leaf_bytes
from compliance.ledger_files import Damage, Frame, FramedLog
from compliance.ledger_payloads import PACKED_BYTES_MAX, blank
from compliance.ledger_reader import LedgerView
from compliance.ledger_sources import SOURCES, Sources
from compliance.ledger_twin import TwinWalk
from crypto import merkle
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Words

FINDINGS_MAX: Final = 200
DELETED: Final = "payload:"  # a deletion record's subject: the payload was removed on purpose
DELETED_WORDS: Final = Words("已清零", "is blank")


class Findings:
    """Contradictions, the first ``FINDINGS_MAX`` in words, the rest counted."""

    def __init__(self) -> None:
        self.words: list[Words] = []
        self.more = 0

    def add(self, zh: str, en: str) -> None:
        """Note one."""
        if len(self.words) < FINDINGS_MAX:
            self.words.append(Words(zh, en))
        else:
            self.more += 1

    def all(self) -> list[Words]:
        """What was noted, and how many more there were."""
        if not self.more:
            return self.words
        return [*self.words, Words(f"另有 {self.more} 项问题", f"and {self.more} more")]


class Steps:
    """A log read from its start in step with the leaves; behind damage the index says where to go on."""

    def __init__(self, log: FramedLog, findings: Findings) -> None:
        self._log, self._findings = log, findings
        self._frames = log.scan()

    def next(self, number: int, leaf: int) -> Frame | Damage:
        """The frame of ``leaf``, which is entry ``number`` here; what is wrong with it is noted."""
        name, offset = self._log.path.name, self._log.offset_of(number)
        found = next(self._frames, None) or Damage(offset or 0, "no entry here")
        if isinstance(found, Damage):
            self._findings.add(
                f"第 {leaf} 条:文件 {name} 偏移 {found.offset}:{found.reason}",
                f"leaf {leaf}: file {name} offset {found.offset}: {found.reason}",
            )
            following = self._log.offset_of(number + 1)
            self._frames = self._log.scan(following) if following is not None else iter(())
            return found
        if found.offset != offset:
            index = self._log.index_path.name
            self._findings.add(
                f"第 {leaf} 条:文件 {index} 偏移 {number * 8} 不对",
                f"leaf {leaf}: file {index} offset {number * 8} is wrong",
            )
        if found.sequence != leaf:
            self._findings.add(
                f"第 {leaf} 条:文件 {name} 偏移 {found.offset} 的序号为 {found.sequence}",
                f"leaf {leaf}: file {name} offset {found.offset} has sequence {found.sequence}",
            )
        return found


class Walk:
    """One pass over the leaves with everything that must agree with them."""

    def __init__(
        self,
        reader: LedgerView,
        findings: Findings,
        roots: dict[int, list[tuple[str, bytes]]],
        twin: TwinWalk | None = None,
    ) -> None:
        self._twin = twin
        self._reader, self._findings, self._roots = reader, findings, roots
        self.frontier: Final = merkle.Frontier()
        self.intact = 0
        self.payloads = 0  # intact ones in the log
        self.files: dict[str, Words | None] = {}  # those that are files, each looked at once
        self._missing: list[tuple[str, int, str, Words]] = []  # digest, leaf, place, what is wrong
        self._deleted: set[str] = set()
        self._leaves = Steps(reader.leaves, findings)
        self._packed_from = reader.payloads.first()
        log = reader.payloads.log()
        self._packed = Steps(log, findings) if log and self._packed_from is not None else None
        self._hashes = memoryview(b"")
        self._hashes_from = 0
        self._good = 0  # the last size whose root a checkpoint confirmed
        self._lost = False
        self._sources = Sources()
        self._stored_sources = _stored_sources(reader, findings)
        self._compare_roots()

    def leaf(self, index: int) -> None:
        """Take the next leaf: its frame, record, place in the index, hashes, payload."""
        found = self._leaves.next(index, index)
        data = found.data if isinstance(found, Frame) else None
        packed: Frame | Damage | None = None
        if self._packed and self._packed_from is not None and index >= self._packed_from:
            packed = self._packed.next(index - self._packed_from, index)
        if data is None:
            self._lost = True
        elif self._record(data, index, packed):
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
        if self._twin:
            self._twin.leaf(data)
        self._compare_roots()
        self._compare_sources()

    def _record(self, data: bytes, index: int, packed: Frame | Damage | None) -> bool:
        try:
            record = from_leaf(data)
            canonical = leaf_bytes(record) == data
        except (msgspec.MsgspecError, UnicodeDecodeError):
            record, canonical = None, False
        if (
            record is None
            or not canonical
            or (record.sequence, record.center) != (index, self._reader.center)
        ):
            self._lost = True
            self._findings.add(
                f"第 {index} 条:不是本中心该序号的规范记录",
                f"leaf {index}: not the canonical record of this center and sequence",
            )
            return False
        if not self._sources.count(record) and not self._lost:  # behind a lost record none can be judged
            self._findings.add(
                f"第 {index} 条:来源 {record.source} 的编号 {record.number} 不连续",
                f"leaf {index}: number {record.number} of source {record.source} does not follow",
            )
        if record.kind == "deletion" and record.subject.startswith(DELETED):
            self._deleted.add(record.subject.removeprefix(DELETED))
        return self._payload(record, index, packed)

    def _payload(self, record: Evidence, index: int, packed: Frame | Damage | None) -> bool:
        digest = record.payload_sm3
        if len(digest) != 64 or not digest.isalnum():
            self._findings.add(
                f"第 {index} 条:payload_sm3 不合格式", f"leaf {index}: payload_sm3 is malformed"
            )
            return False
        if packed is None or record.payload_bytes > PACKED_BYTES_MAX:
            if digest not in self.files:
                problem = self.files[digest] = self._reader.payloads.files.problem(
                    digest, record.payload_bytes
                )
                if problem:
                    self._missing.append((digest, index, f"payload/{digest[:2]}/{digest}", problem))
        elif isinstance(packed, Frame):
            if len(packed.data) == record.payload_bytes and sm3_hex(packed.data) == digest:
                self.payloads += 1
            else:
                place = f"payloads.log offset {packed.offset}"
                problem = (
                    DELETED_WORDS if blank(packed, record.payload_bytes) else Words("被改动", "was altered")
                )
                self._missing.append((digest, index, place, problem))
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

    def _compare_sources(self) -> None:
        stored = self._stored_sources
        if self._lost or stored is None or stored.size != self.frontier.size:
            return
        if stored.next != self._sources.next:
            self._findings.add(
                f"文件 {SOURCES} 与前 {stored.size} 条记录不符",
                f"file {SOURCES} does not match the first {stored.size} leaves",
            )

    def finish(self) -> None:
        """Payloads that are gone count unless a deletion record says why; numbering counted past the end."""
        if self._stored_sources and self._stored_sources.size > self.frontier.size and not self._lost:
            self._count_further(self._stored_sources)
        if self._twin:
            self._twin.finish()
        files = self._reader.payloads.files
        for digest, index, place, problem in self._missing:
            gone = problem is DELETED_WORDS or (digest in self.files and not files.path(digest).exists())
            if digest in self._deleted and gone:
                continue
            self._findings.add(
                f"第 {index} 条:载荷 {place} {problem.zh}", f"leaf {index}: payload {place} {problem.en}"
            )

    def _count_further(self, stored: Sources) -> None:
        """The numbering may be newer than the checkpoint: it is written just before."""
        size = self.frontier.size
        offset = self._reader.leaves.offset_of(size)
        frames = self._reader.leaves.scan(offset) if offset is not None else iter(())
        for _, found in zip(range(size, stored.size), frames, strict=False):
            if isinstance(found, Damage):
                break
            try:
                self._sources.count(from_leaf(found.data))
            except (msgspec.MsgspecError, UnicodeDecodeError):
                break
        if (stored.size, stored.next) != (self._sources.size, self._sources.next):
            self._findings.add(
                f"文件 {SOURCES} 与前 {stored.size} 条记录不符",
                f"file {SOURCES} does not match the first {stored.size} leaves",
            )

    @property
    def payloads_intact(self) -> int:
        """Payloads looked at and found as recorded."""
        return self.payloads + sum(problem is None for problem in self.files.values())


def _stored_sources(reader: LedgerView, findings: Findings) -> Sources | None:
    """The stored numbering, to be compared where the walk comes to its size."""
    path = reader.folder / SOURCES
    if not path.exists():
        return None
    try:
        stored = Sources.load(reader.folder, reader.leaves.indexed())
        if stored.encode(stored.size) == path.read_bytes():
            return stored
    except (LiuheError, OSError):
        pass
    findings.add(f"文件 {SOURCES} 已损坏", f"file {SOURCES} is damaged")
    return None
