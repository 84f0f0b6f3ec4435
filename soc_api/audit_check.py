"""An exported audit log checked: its chain, and its digests against leaves of the ledger.

One pass over the file and one over the leaves, both in the order of the log; memory does not grow with them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from crypto.sm3 import sm3_hex
from crypto.words import Words
from soc_api.audit import FORMAT, GENESIS
from soc_api.audit_file import FileRow, Placed, read_file

FINDINGS_MAX: Final = 20
Leaf = tuple[int, str]  # a line's sequence and the SM3 of its leaf's payload


class FileCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked of a file; ``ok`` exactly where there are no findings."""

    ok: bool
    taken: str  # the watermark: by whom and when
    lines: int
    first: int
    last: int
    missing: int  # lines between the first and the last that the file does not have
    held: int  # lines whose digest is that of their leaf
    unheld: int  # lines before the first leaf given or after the last
    head: str  # digest of the last line
    findings: tuple[Words, ...]


def check_file(path: Path, leaves: Iterator[Leaf] | None = None, *, whole: bool = False) -> FileCheck:
    """Compute every line of the file again; with ``leaves``, compare their digests with these.

    ``whole``: no line may be missing, from the first of the log to the last that has a leaf. Raises BadInput
    (audit-file), OSError.
    """
    taken, rows = read_file(path)
    return _Check(taken, None if leaves is None else _Leaves(leaves), whole).run(rows)


class _Leaves:
    """Leaves by sequence, each once; what the ledger tells twice is left out and named."""

    def __init__(self, leaves: Iterator[Leaf]) -> None:
        self._leaves = leaves
        self.next: Leaf | None = None
        self.begun = False
        self.twice: list[int] = []
        self.step()

    def step(self) -> None:
        """Go on to the leaf of a later line."""
        before = self.next
        for leaf in self._leaves:
            if before is None or leaf[0] > before[0]:
                self.next, self.begun = leaf, before is not None
                return
            if len(self.twice) < FINDINGS_MAX:
                self.twice.append(leaf[0])
        self.next, self.begun = None, True


class _Check:
    """One file."""

    def __init__(self, taken: str, leaves: _Leaves | None, whole: bool) -> None:
        self._taken, self._leaves, self._whole = taken, leaves, whole
        self._lines = self._missing = self._held = self._unheld = self._first = 0
        self._last: FileRow | None = None
        self._findings: list[Words] = []

    def run(self, rows: Iterator[Placed]) -> FileCheck:
        for placed in rows:
            if len(self._findings) >= FINDINGS_MAX:
                break
            if placed.row is None:
                self._say(placed, "不合格式", "is malformed")
            else:
                self._row(placed, placed.row)
        last = self._last
        if self._leaves is not None and len(self._findings) < FINDINGS_MAX:
            self._ended(self._leaves, 0 if last is None else last.sequence)
        return FileCheck(
            ok=not self._findings,
            taken=self._taken,
            lines=self._lines,
            first=self._first,
            last=0 if last is None else last.sequence,
            missing=self._missing,
            held=self._held,
            unheld=self._unheld,
            head="" if last is None else last.digest,
            findings=tuple(self._findings[:FINDINGS_MAX]),
        )

    def _row(self, placed: Placed, row: FileRow) -> None:
        before = self._last
        self._lines += 1
        if before is not None and row.sequence <= before.sequence:
            self._say(placed, "次序颠倒或重复", "is out of order, or there twice")
            return
        gap = row.sequence - (before.sequence if before is not None else 0) - 1
        if gap and (before is not None or self._whole):
            self._missing += gap
            if self._whole:
                from_ = row.sequence - gap
                self._say(
                    placed,
                    f"之前缺第 {from_}-{row.sequence - 1} 行",
                    f"comes after {from_} and more are missing",
                )
        if not self._fits(before, row, gap):
            self._say(placed, "与前一行不衔接", "does not follow from the line before it")
        elif row.computed() != row.digest:
            self._say(placed, "内容与摘要不符", "does not have the digest of what it says")
        self._first, self._last = self._first or row.sequence, row
        if self._leaves is not None:
            self._compare(self._leaves, placed, row)

    def _fits(self, before: FileRow | None, row: FileRow, gap: int) -> bool:
        if row.sequence == 1:
            return row.previous == GENESIS and row.format in range(1, FORMAT + 1)
        written = 1 if before is None else before.format  # formats only ever go up
        return row.format in range(written, FORMAT + 1) and (
            before is None or gap > 0 or row.previous == before.digest
        )

    def _compare(self, leaves: _Leaves, placed: Placed, row: FileRow) -> None:
        while leaves.next is not None and leaves.next[0] < row.sequence:
            leaves.step()
        if leaves.next is None:
            self._unheld += 1
        elif leaves.next[0] == row.sequence:
            if leaves.next[1] == sm3_hex(row.digest.encode()):
                self._held += 1
            else:
                self._say(placed, "与账本中的摘要不符", "is not the line the ledger holds")
        elif leaves.begun:
            self._say(placed, "在账本中没有存证", "has no leaf in the ledger, though later ones have")
        else:
            self._unheld += 1

    def _ended(self, leaves: _Leaves, last: int) -> None:
        while leaves.next is not None and self._whole:
            if leaves.next[0] > last:
                self._findings.append(
                    Words(
                        f"文件到第 {last} 行为止,账本中还有第 {leaves.next[0]} 行",
                        f"the file ends with line {last}, the ledger holds line {leaves.next[0]}",
                    )
                )
                break
            leaves.step()
        while leaves.next is not None:
            leaves.step()
        self._findings += [
            Words(
                f"账本中审计日志第 {sequence} 行有两种说法或次序颠倒",
                f"the ledger holds line {sequence} of the audit log twice, or out of order",
            )
            for sequence in leaves.twice
        ]

    def _say(self, placed: Placed, zh: str, en: str) -> None:
        about = "" if placed.row is None else str(placed.row.sequence)
        self._findings.append(
            Words(
                f"文件第 {placed.number} 行(日志第 {about or '?'} 行){zh}",
                f"line {placed.number} of the file (line {about or '?'} of the log) {en}",
            )
        )
