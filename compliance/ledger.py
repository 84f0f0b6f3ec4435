"""The evidence ledger: one writer appends records to an RFC 9162 tree over SM3 and signs checkpoints.

``Ledger.open`` takes the folder's lock; ``append`` returns when its leaves are durable; ``checkpoint``
signs what is there. Other processes read with ``LedgerReader``. Threads that append at the same time share
one sync. Time is always an argument. File formats: docs/reference/formats/ledger.md.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self, get_args
from unicodedata import category

import msgspec

from compliance.evidence import Evidence, EvidenceKind, leaf_bytes
from compliance.ledger_files import (
    PAYLOAD_BYTES_MAX,
    Damage,
    Frame,
    Lock,
    damaged,
    replace_file,
    sync_folder,
)
from compliance.ledger_reader import (
    CHECKPOINT,
    LEAF_BYTES_MAX,
    PUBLIC,
    SETTINGS,
    LedgerView,
    Settings,
    time_line,
)
from compliance.ledger_verify import Progress, VerifyOutcome, verify
from crypto import merkle
from crypto.keys import PublicKey, SigningKey
from crypto.note import Checkpoint, sign_note
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused, Words

__all__ = ["Ledger", "LedgerReader", "NewEvidence", "VerifyOutcome"]

BATCH_LEAVES_MAX: Final = 10_000
NAME_CHARS_MAX: Final = 200
_TEXT_CHARS_MAX: Final = {"actor": 128, "subject": 256, "summary": 1024}
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, surrogates, line separators
_KINDS: Final = frozenset(get_args(EvidenceKind))


class LedgerReader(LedgerView):
    """The reading side, for any process: ``LedgerReader(folder)``, ``public=`` where it is held apart."""

    def verify(self, progress: Progress | None = None, *, trusted: Checkpoint | None = None) -> VerifyOutcome:
        """Recompute everything up to the latest checkpoint; ``progress`` hears (leaves done, leaves)."""
        return verify(self, progress=progress, trusted=trusted)


class NewEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants recorded; the ledger adds center, sequence and digest. ``time`` None is now."""

    kind: EvidenceKind
    actor: str
    subject: str
    summary: str
    payload: bytes
    time: datetime | None = None


class _Waiting(msgspec.Struct):
    """A caller's entries until some thread has written them."""

    entries: Sequence[NewEvidence]
    now: datetime
    done: "Future[list[int]]"


class Ledger(LedgerReader):
    """The writing side; also reads, including leaves no checkpoint covers yet. Safe between threads."""

    def __init__(self, folder: Path, key: SigningKey | None, lock: Lock) -> None:
        super().__init__(folder, public=key.public if key else None, writer=True)
        self.recovered: Words | None = None  # what was cut from a torn tail on opening
        self._key, self._lock = key, lock
        self._writing = threading.Lock()
        self._queue: list[_Waiting] = []
        self._queueing = threading.Lock()
        self._failed = False
        self._size = 0
        self._recover()

    @classmethod
    def open(cls, folder: Path, *, center: str, origin: str, key: SigningKey | None) -> Self:
        """Take the lock, create what is missing, recover what was torn. Raises LiuheError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Lock(folder / "lock")
        try:
            _check_names(center=center, origin=origin)
            _settle(folder, Settings(center=center, origin=origin), key)
            return cls(folder, key, lock)
        except OSError as error:
            lock.release()
            raise _disk(error) from error
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Sync, close the files and let another writer in."""
        with self._writing:
            super().close()
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Durable leaves, covered by a checkpoint or not."""
        return self._size

    def append(self, entries: Sequence[NewEvidence], now: datetime) -> list[int]:
        """Record entries; their indices, without a hole. Durable on return.

        All or nothing: a malformed entry (BadInput names it) or a full disk (LiuheError) records none of
        this call's.
        """
        for number, entry in enumerate(entries):
            _check(entry, number)
        if len(entries) > BATCH_LEAVES_MAX:
            raise _bad("entries", f"{len(entries)} > {BATCH_LEAVES_MAX}")
        if not entries:
            return []
        waiting = _Waiting(entries, now, Future())
        with self._queueing:
            self._queue.append(waiting)
        with self._writing:
            if not waiting.done.done():  # else a thread before us took ours along
                self._write_queue()
        return waiting.done.result()

    def _write_queue(self) -> None:
        with self._queueing:
            batch, self._queue = self._queue, []
        try:
            first = self._write([(entry, one.now) for one in batch for entry in one.entries])
        except BaseException as error:
            reason = _disk(error) if isinstance(error, OSError) else error
            for one in batch:  # whatever it was, nobody may wait for ever
                one.done.set_exception(reason)
            raise reason from error
        for one in batch:
            one.done.set_result(list(range(first, first + len(one.entries))))
            first += len(one.entries)

    def _write(self, entries: Sequence[tuple[NewEvidence, datetime]]) -> int:
        """Payloads first, then the leaves in one sync, then what can be rebuilt from them."""
        if self._failed:
            raise damaged("reopen")
        first = self._size
        payloads: dict[str, bytes] = {}
        leaves: list[bytes] = []
        for sequence, (entry, now) in enumerate(entries, first):
            digest = sm3_hex(entry.payload)
            payloads[digest] = entry.payload
            leaves.append(leaf_bytes(self._evidence(entry, now, sequence, digest)))
        self.payloads.write(payloads)
        self.leaves.append(list(enumerate(leaves, first)))
        self._failed = True
        self._hash(leaves)
        self._failed = False
        self._size = first + len(leaves)
        return first

    def _evidence(self, entry: NewEvidence, now: datetime, sequence: int, digest: str) -> Evidence:
        return Evidence(
            kind=entry.kind,
            center=self.center,
            sequence=sequence,
            time=(entry.time or now).astimezone(UTC).replace(microsecond=0),
            actor=entry.actor,
            subject=entry.subject,
            summary=entry.summary,
            payload_sm3=digest,
            payload_bytes=len(entry.payload),
        )

    def _hash(self, leaves: Sequence[bytes]) -> None:
        start = merkle.stored_count(self._frontier.size)
        fresh: list[bytes] = []
        for leaf in leaves:
            fresh += self._frontier.append(merkle.leaf_hash(leaf))
        self.hashes.write(start, fresh)

    def checkpoint(self, now: datetime) -> str:
        """Sign the tree as it is; the note. The same note again where nothing was added.

        Written durably to the log of checkpoints, then to the file ``checkpoint``. Raises Refused without
        a key, LiuheError where the disk fails.
        """
        with self._writing:
            latest = self.latest()
            if latest and latest.checkpoint.size == self._size:
                return latest.raw.decode()
            if self._key is None:
                raise Refused(
                    "ledger-unsigned",
                    Words("打开账本时没有给签名密钥", "the ledger was opened without a signing key"),
                    Words("请给出 keys 目录中的密钥", "give the key of the keys folder"),
                )
            if self._failed:
                raise damaged("reopen")
            text = Checkpoint(self.origin, self._size, self._frontier.root(), (time_line(now),)).text()
            raw = sign_note(text, self.origin, self._key).encode()
            try:
                self.leaves.sync_index()
                self.hashes.sync()
                self.checkpoints.append([(self._size, raw)])
                self.checkpoints.sync_index()
                replace_file(self.folder / CHECKPOINT, raw)
            except OSError as error:
                raise _disk(error) from error
            return raw.decode()

    def _recover(self) -> None:
        """Bring log, index, hashes and checkpoint to one state, or refuse where they contradict."""
        newest = self._newest_checkpoint()
        covered = newest.size if newest else 0
        found = self.leaves.recover(covered)
        if found.cut:
            (self.folder / f"torn-{found.entries}").write_bytes(found.cut)
            self.recovered = Words(
                f"上次写入中断,第 {found.entries} 条之后的 {len(found.cut)} 字节未完成,已移出",
                f"an interrupted write left {len(found.cut)} bytes after leaf {found.entries}, moved aside",
            )
        sound = self.hashes.count() >= merkle.stored_count(covered)
        self._frontier = merkle.Frontier.at(covered, self.hashes.node) if sound else merkle.Frontier()
        if sound and newest and self._frontier.root() != newest.root:
            raise damaged("hashes")
        self._rehash(found.entries)
        self._size = found.entries
        if not sound and newest and merkle.root(covered, self.hashes.node) != newest.root:
            raise damaged("leaves.log")

    def _rehash(self, entries: int) -> None:
        """Hash the leaves that the stored hashes are not known to cover."""
        pending: list[bytes] = []
        for number in range(self._frontier.size, entries):
            pending.append(self._stored(number))
            if len(pending) == BATCH_LEAVES_MAX or number + 1 == entries:
                self._hash(pending)
                pending = []

    def _newest_checkpoint(self) -> Checkpoint | None:
        """The last one logged; the file is brought up to it where a crash came in between."""
        self.checkpoints.recover(self.checkpoints.count)
        if not self.checkpoints.count:
            return None
        last: Frame | Damage = self.checkpoints.frame(self.checkpoints.count - 1)
        if isinstance(last, Damage):
            raise damaged(f"{self.checkpoints.path.name}: {last.offset}")
        checkpoint = self.checked(last.data) if self.public else None
        path = self.folder / CHECKPOINT
        if not path.exists() or path.read_bytes() != last.data:
            replace_file(path, last.data)
        return checkpoint


def _settle(folder: Path, settings: Settings, key: SigningKey | None) -> None:
    """Write what never changes once; afterwards it must agree."""
    path = folder / SETTINGS
    if not path.exists():
        if (folder / "leaves.log").exists():
            raise damaged(SETTINGS)
        replace_file(path, settings.encode())
    elif Settings.load(folder) != settings:
        raise BadInput(
            "ledger-other",
            Words("该目录属于另一中心的账本", "the folder holds the ledger of another center or origin"),
            Words("请核对 center 与 origin", "check center and origin"),
            field=str(folder),
        )
    stored = folder / PUBLIC
    if key and not stored.exists():
        key.public.save(stored)
        sync_folder(folder)
    elif key and PublicKey.load(stored).key_id != key.public.key_id:
        raise Refused(
            "ledger-other-key",
            Words(
                "签名密钥与账本登记的公钥不符", "the signing key is not the one this ledger was begun with"
            ),
            Words("请使用原密钥", "use the original key"),
            field=str(stored),
        )


def _check_names(**names: str) -> None:
    for field, name in names.items():
        if not name.isprintable() or not 1 <= len(name) <= NAME_CHARS_MAX or set(name) & set(" +\u3000"):
            raise _bad(field, f"1-{NAME_CHARS_MAX} characters, no space, no plus")


def _check(entry: NewEvidence, number: int) -> None:
    if entry.kind not in _KINDS:
        raise _bad(f"entries[{number}].kind", str(entry.kind))
    for field, most in _TEXT_CHARS_MAX.items():
        text: str = getattr(entry, field)
        if not text or len(text) > most or any(category(one) in _UNPRINTABLE for one in text):
            raise _bad(f"entries[{number}].{field}", f"1-{most} characters on one line")
    if len(entry.payload) > PAYLOAD_BYTES_MAX:
        raise _bad(f"entries[{number}].payload", f"{len(entry.payload)} bytes > {PAYLOAD_BYTES_MAX}")
    if entry.time is not None and entry.time.tzinfo is None:
        raise _bad(f"entries[{number}].time", "no zone")
    assert 6 * sum(_TEXT_CHARS_MAX.values()) < LEAF_BYTES_MAX


def _bad(field: str, reason: str) -> BadInput:
    return BadInput(
        "evidence-malformed",
        Words(f"证据不合格式:{reason}", f"malformed evidence: {reason}"),
        Words(
            "请按 docs/reference/evidence.md 改正该字段", "correct that field, see docs/reference/evidence.md"
        ),
        field=field,
    )


def _disk(error: OSError) -> LiuheError:
    return LiuheError(
        "ledger-disk",
        Words(f"写入账本失败:{error.strerror}", f"writing the ledger failed: {error.strerror}"),
        Words("请检查磁盘空间与权限", "check disk space and permissions"),
        field=str(error.filename or ""),
    )
