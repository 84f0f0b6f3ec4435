"""The payloads of the ledger: small ones packed in one log, large ones a file each, found by their record.

``payloads.log`` has one frame for each leaf from the first one it knew, in their order, so that a payload
costs no file of its own and is durable with one sync a batch. A large payload, and every payload of a ledger
begun before there was a log, lies at ``payload/<first 2>/<SM3>``. What retention deletes becomes zeros.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from compliance.evidence import Evidence
from compliance.ledger_files import Damage, Frame, FramedLog, damaged, sync_folder, write_file
from crypto.merkle import HASH_BYTES
from crypto.sm3 import new, sm3_hex
from crypto.words import BadInput, Refused, Words

PAYLOADS_MAGIC: Final = b"liuhe-payload/1\0"
PAYLOAD_BYTES_MAX: Final = 64 * 1024 * 1024
PACKED_BYTES_MAX: Final = 64 * 1024
_CHUNK_BYTES: Final = 1 << 20
_HEX: Final = frozenset("0123456789abcdef")


class NewPayload(NamedTuple):
    """What a leaf is about, on its way to the disk."""

    leaf: int
    digest: str
    data: bytes


class Payloads:
    """All payloads of one ledger; one writer, readers anywhere for what a checkpoint covers."""

    def __init__(self, folder: Path, *, writer: bool) -> None:
        self.files: Final = PayloadFolder(folder / "payload")
        self._folder = folder
        self._log: FramedLog | None = None
        self._first: int | None = None  # the leaf of the log's first frame
        if writer:
            self._log = FramedLog(
                folder, "payloads", PAYLOADS_MAGIC, data_bytes_max=PACKED_BYTES_MAX, writer=True
            )

    def close(self) -> None:
        """Give the files back."""
        if self._log:
            self._log.close()

    def log(self) -> FramedLog | None:
        """The log of packed payloads; None while an older ledger has none."""
        if self._log is None:
            try:
                self._log = FramedLog(
                    self._folder, "payloads", PAYLOADS_MAGIC, data_bytes_max=PACKED_BYTES_MAX, writer=False
                )
            except FileNotFoundError:
                return None
            except OSError as error:
                raise damaged(f"{error.filename}: {error.strerror}") from error
        return self._log

    def first(self) -> int | None:
        """The first leaf that has a frame in the log; None where there is no frame."""
        log = self.log()
        if self._first is None and log and (count := log.indexed()):
            # Any intact frame tells it, so that damage to the first one hides no other.
            for number in (0, count - 1, count // 2):
                found = log.frame(number)
                if isinstance(found, Frame) and found.sequence >= number:
                    self._first = found.sequence - number
                    break
        return self._first

    def recover(self, covered: int, leaves: int) -> None:
        """After opening for writing: as many frames as there are leaves, or LiuheError where any is lost."""
        log, first = self.log(), self.first()
        assert log
        log.recover(max(0, covered - first) if first is not None else 0)
        if (first := self.first()) is None:
            return
        log.cut(max(0, leaves - first))
        if log.count < leaves - first:
            raise damaged(f"{log.path.name}: {log.count}")
        if not log.count:
            self._first = None

    def write(self, fresh: Sequence[NewPayload]) -> None:
        """Store the payloads of the next leaves, in their order; durable on return."""
        log = self.log()
        assert log
        large = {one.digest: one.data for one in fresh if len(one.data) > PACKED_BYTES_MAX}
        if large:
            self.files.write(large)
        log.cut(fresh[0].leaf - (self.first() or 0))  # frames whose leaves could not be written
        log.append([(one.leaf, b"" if one.digest in large else one.data) for one in fresh])

    def sync_index(self) -> None:
        """Make the index of the log durable."""
        if self._log:
            self._log.sync_index()

    def packed(self, record: Evidence) -> Frame | Damage | None:
        """The frame of a record's payload; None where it lies in a file of its own."""
        log, first = self.log(), self.first()
        if log is None or first is None or record.sequence < first or record.payload_bytes > PACKED_BYTES_MAX:
            return None
        found = log.frame(record.sequence - first)
        if isinstance(found, Frame) and found.sequence != record.sequence:
            return Damage(found.offset, f"sequence {found.sequence}")
        return found

    def read(self, record: Evidence) -> bytes:
        """What a record is about, checked. Raises Refused where deleted, LiuheError where lost or altered."""
        digest = record.payload_sm3
        if len(digest) != 2 * HASH_BYTES or set(digest) - _HEX:
            raise _no_digest()
        found = self.packed(record)
        if found is None:
            return self.files.read(digest)
        if isinstance(found, Damage) or sm3_hex(found.data) != digest:
            if isinstance(found, Frame) and blank(found, record.payload_bytes):
                raise _deleted(record.sequence)
            raise damaged(f"payloads.log: offset {found.offset}")
        return found.data

    def delete(self, record: Evidence) -> None:
        """Remove what a record is about; the caller has put the reason into the ledger. Durable on return."""
        found = self.packed(record)
        if found is None:
            path = self.files.path(record.payload_sm3)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
            return
        log, first = self.log(), self.first()
        assert log
        assert first is not None
        log.blank(record.sequence - first)


def blank(frame: Frame, size: int) -> bool:
    """Whether a payload was deleted: its length is there, its bytes are zero."""
    return size > 0 and frame.data == bytes(size)


class PayloadFolder:
    """``payload/<first 2>/<SM3>``: each payload once, found by its digest."""

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder

    def path(self, digest: str) -> Path:
        """Where a payload lies."""
        assert len(digest) == 2 * HASH_BYTES
        return self.folder / digest[:2] / digest

    def write(self, payloads: Mapping[str, bytes]) -> None:
        """Store payloads by digest; all durable on return. One that is already there intact stays."""
        fresh = self.folder / "new"
        touched: set[Path] = set()
        for digest, data in payloads.items():
            path = self.path(digest)
            touched.add(path.parent)
            if self.problem(digest, len(data)) is None:
                continue
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, parents=True)
                touched.add(self.folder)
            fresh.mkdir(mode=0o700, exist_ok=True)
            write_file(fresh / digest, data)
            (fresh / digest).replace(path)
        for folder in sorted(touched):
            sync_folder(folder)

    def read(self, digest: str) -> bytes:
        """A payload, checked against its digest. Raises LiuheError where it is missing or altered."""
        path = self.path(digest)
        try:
            with path.open("rb") as file:
                data = file.read(PAYLOAD_BYTES_MAX + 1)
        except OSError as error:
            raise damaged(f"payload/{digest[:2]}/{digest}: {error.strerror}") from error
        if sm3_hex(data) != digest:
            raise damaged(f"payload/{digest[:2]}/{digest}: SM3 differs")
        return data

    def problem(self, digest: str, size: int) -> Words | None:
        """Why a payload is not as recorded; None where it is."""
        running, seen = new(), 0
        try:
            with self.path(digest).open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    running.update(chunk)
                    seen += len(chunk)
        except FileNotFoundError:
            return Words("缺失", "missing")
        except OSError as error:
            return Words(f"读取失败:{error.strerror}", f"cannot be read: {error.strerror}")
        if seen != size:
            return Words(f"长度为 {seen} 字节,应为 {size}", f"has {seen} bytes instead of {size}")
        if running.hexdigest() != digest:
            return Words("内容的 SM3 与记录不符", "its SM3 differs from the record")
        return None


def _no_digest() -> BadInput:
    return BadInput(
        "payload-digest",
        Words("不是 64 位小写十六进制的 SM3 值", "not an SM3 of 64 lower-case hex digits"),
        Words("请照抄记录中的 payload_sm3", "copy payload_sm3 of the record"),
        field="digest",
    )


def _deleted(leaf: int) -> Refused:
    return Refused(
        "payload-deleted",
        Words(f"第 {leaf} 条的载荷已按留存期限删除", f"retention has deleted the payload of record {leaf}"),
        Words("请查阅对应的删除记录", "see the deletion record"),
        field=str(leaf),
    )
