"""Reading the ledger without its lock, in any process: records, payloads, proofs, up to the checkpoint.

Everything a checkpoint covers was synced before it was written and never changes, so a reader needs no
lock and sees one consistent tree while the writer goes on.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, Self

import msgspec

from compliance.evidence import Evidence, from_leaf
from compliance.ledger_files import Damage, FramedLog, HashFile, damaged
from compliance.ledger_payloads import Payloads
from crypto import merkle
from crypto.keys import PublicKey
from crypto.note import NOTE_BYTES_MAX, Checkpoint, Note, parse_note, verify_note
from crypto.words import BadInput, LiuheError, Refused, Words

LEAVES_MAGIC: Final = b"liuhe-leaves/1\n\0"
CHECKPOINTS_MAGIC: Final = b"liuhe-checks/1\n\0"
LEAF_BYTES_MAX: Final = 16 * 1024
PAGE_ROWS_MAX: Final = 500
SETTINGS: Final = "ledger.json"
PUBLIC: Final = "public.pem"
CHECKPOINT: Final = "checkpoint"
_TIME: Final = "time "


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``ledger.json``: what never changes in the life of a ledger."""

    schema: int = 1
    center: str
    origin: str

    def encode(self) -> bytes:
        """The one form it has on disk."""
        return msgspec.json.encode(self, order="sorted") + b"\n"

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it back, strictly. Raises LiuheError where there is no ledger."""
        try:
            data = (folder / SETTINGS).read_bytes()
            settings = msgspec.json.decode(data, type=cls)
        except FileNotFoundError:
            raise LiuheError(
                "ledger-missing",
                Words("这里没有存证账本", "there is no ledger here"),
                Words("请检查 --data 目录", "check the --data folder"),
                field=str(folder),
            ) from None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged(f"{SETTINGS}: {error}") from error
        if settings.schema != 1 or settings.encode() != data:
            raise damaged(SETTINGS)
        return settings


class Leaf(msgspec.Struct, frozen=True):
    """One record with its place and its hash in the tree."""

    index: int
    record: Evidence
    hash: bytes


class Page(NamedTuple):
    """Leaves newest first; ``next`` is the cursor of the following page, None at the end."""

    rows: list[Leaf]
    next: int | None


class Signed(NamedTuple):
    """A checkpoint with the bytes that carry it."""

    checkpoint: Checkpoint
    raw: bytes


class LedgerView:
    """The ledger up to its latest checkpoint; safe to share between threads."""

    def __init__(self, folder: Path, *, public: PublicKey | None = None, writer: bool = False) -> None:
        self.folder: Final = folder
        self.settings: Final = Settings.load(folder)
        self.public: Final = public or _stored_key(folder / PUBLIC)
        try:
            self.leaves: Final = FramedLog(
                folder, "leaves", LEAVES_MAGIC, data_bytes_max=LEAF_BYTES_MAX, writer=writer
            )
            self.checkpoints: Final = FramedLog(
                folder, "checkpoints", CHECKPOINTS_MAGIC, data_bytes_max=NOTE_BYTES_MAX, writer=writer
            )
            self.hashes: Final = HashFile(folder / "hashes", writer=writer)
            self.payloads: Final = Payloads(folder, writer=writer)
        except OSError as error:
            raise damaged(f"{error.filename}: {error.strerror}") from error
        self._seen: Signed | None = None

    def close(self) -> None:
        """Give the files back."""
        self.leaves.close()
        self.checkpoints.close()
        self.hashes.close()
        self.payloads.close()

    @property
    def center(self) -> str:
        """Whose ledger this is."""
        return self.settings.center

    @property
    def origin(self) -> str:
        """The name the ledger signs under."""
        return self.settings.origin

    def latest(self) -> Signed | None:
        """The latest checkpoint, its signature checked; None before the first. Raises Refused."""
        try:
            raw = (self.folder / CHECKPOINT).read_bytes()
        except FileNotFoundError:
            return None
        seen = self._seen
        if seen is None or seen.raw != raw:
            seen = self._seen = Signed(self.checked(raw), raw)
        return seen

    def checked(self, raw: bytes) -> Checkpoint:
        """A note as a checkpoint of this ledger under its key. Raises BadInput or Refused."""
        note: Note = parse_note(raw)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != self.origin:
            raise Refused(
                "checkpoint-origin",
                Words(f"检查点属于 {checkpoint.origin}", f"the checkpoint is of {checkpoint.origin}"),
                Words(f"本账本为 {self.origin}", f"this ledger is {self.origin}"),
            )
        if self.public is None:
            raise Refused(
                "ledger-keyless",
                Words("没有公钥,无法验签", "there is no public key to check the signature with"),
                Words("请用 --key 给出公钥", "give the public key with --key"),
            )
        verify_note(note, self.origin, self.public)
        return checkpoint

    @property
    def size(self) -> int:
        """How many leaves this reader may see."""
        latest = self.latest()
        return latest.checkpoint.size if latest else 0

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves, of all by default."""
        whole = self.size
        return merkle.root(self._within(whole if size is None else size, whole), self.hashes.node)

    def leaf(self, index: int) -> bytes:
        """The canonical bytes of a leaf, as hashed. Raises BadInput outside the ledger."""
        if not 0 <= index < self.size:
            raise _outside(index)
        return self._stored(index)

    def _stored(self, index: int) -> bytes:
        found = self.leaves.frame(index)
        if isinstance(found, Damage) or found.sequence != index:
            raise damaged(f"{self.leaves.path.name}: {index}")
        return found.data

    def record(self, index: int) -> Evidence:
        """The record of a leaf."""
        return self._record(self.leaf(index), index)

    def _record(self, data: bytes, index: int) -> Evidence:
        try:
            return from_leaf(data)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise damaged(f"{self.leaves.path.name}: {index}") from error

    def page(self, cursor: int | None, limit: int) -> Page:
        """Up to ``limit`` leaves below ``cursor`` (the newest where None), newest first."""
        size = self.size
        start = size if cursor is None else max(0, min(cursor, size))
        stop = max(0, start - max(1, min(limit, PAGE_ROWS_MAX)))
        rows = [
            Leaf(index, self._record(self._stored(index), index), self.hashes.node(0, index))
            for index in range(start - 1, stop - 1, -1)
        ]
        return Page(rows, stop or None)

    def payload_of(self, record: Evidence) -> bytes:
        """What a record is about, checked. Raises Refused (payload-deleted), LiuheError where it is lost."""
        return self.payloads.read(record)

    def records(self, start: int = 0) -> Iterator[tuple[Evidence, bytes]]:
        """Records from ``start`` to the latest checkpoint with their canonical bytes, in one pass."""
        size = self.size
        offset = self.leaves.offset_of(start) if start < size else None
        if offset is None:
            return
        for index, found in zip(range(start, size), self.leaves.scan(offset), strict=False):
            if isinstance(found, Damage) or found.sequence != index:
                raise damaged(f"{self.leaves.path.name}: {index}")
            yield self._record(found.data, index), found.data

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf ``index`` is in the tree of ``size`` leaves."""
        return merkle.inclusion_proof(index, self._within(size, self.size), self.hashes.node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first ``old`` leaves are unchanged at ``new``."""
        return merkle.consistency_proof(old, self._within(new, self.size), self.hashes.node)

    def _within(self, size: int, whole: int) -> int:
        if not 0 <= size <= whole:
            raise _outside(size)
        return size

    def checkpoint_at(self, size: int) -> bytes | None:
        """The signed note kept for exactly this size, if one was written."""
        low, high = 0, self.checkpoints.indexed()
        while low < high:
            middle = (low + high) // 2
            found = self.checkpoints.frame(middle)
            if isinstance(found, Damage):
                raise damaged(f"{self.checkpoints.path.name}: {found.offset}")
            if found.sequence == size:
                return found.data
            low, high = (middle + 1, high) if found.sequence < size else (low, middle)
        return None


def _stored_key(path: Path) -> PublicKey | None:
    try:
        return PublicKey.load(path) if path.exists() else None
    except BadInput as error:
        raise damaged(path.name) from error


def time_line(now: datetime) -> str:
    """The extension line that says when a checkpoint was signed, in whole seconds."""
    return f"{_TIME}{int(now.timestamp())}"


def _outside(index: int) -> BadInput:
    return BadInput(
        "ledger-range",
        Words(f"账本中没有 {index}", f"the ledger has no {index}"),
        Words("请在检查点的范围内查询", "ask within the checkpoint"),
        field="index",
    )
