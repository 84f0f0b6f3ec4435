"""The evidence ledger: one writer appends records to an RFC 9162 tree over SM3 and signs checkpoints.

``Ledger.open`` takes the folder's lock; ``append`` returns when its leaves are durable; ``checkpoint``
signs what is there. Other processes read with ``LedgerReader``. Threads that append at the same time share
one sync. Time is always an argument. File formats: docs/reference/formats/ledger.md.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from compliance.evidence import Evidence, leaf_bytes
from compliance.ledger_entry import BATCH_LEAVES_MAX, NewEvidence, bad_entry, check_entries, whole_second
from compliance.ledger_files import (
    Damage,
    Frame,
    Lock,
    damaged,
    replace_file,
    sync_folder,
)
from compliance.ledger_payloads import NewPayload
from compliance.ledger_reader import (
    CHECKPOINT,
    PUBLIC,
    SETTINGS,
    LedgerView,
    Settings,
    time_line,
)
from compliance.ledger_sources import SOURCES_MAX, Sources
from compliance.ledger_twin import Twin
from compliance.ledger_verify import Progress, VerifyOutcome, verify
from compliance.ledger_walk import DELETED
from crypto import merkle
from crypto.keys import PublicKey, SigningKey
from crypto.note import Checkpoint, sign_note
from crypto.note_ed25519 import Ed25519Key
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused, Words

__all__ = ["Ledger", "LedgerReader", "NewEvidence", "VerifyOutcome"]

NAME_CHARS_MAX: Final = 200
_LOCK_SECONDS: Final = 0.001  # between tries for the lock, of those whose entries another may be writing
_ROUNDS_MAX: Final = 8  # a caller works for the others that long and no longer


class LedgerReader(LedgerView):
    """The reading side, for any process: ``LedgerReader(folder)``, ``public=`` where it is held apart."""

    def verify(
        self,
        progress: Progress | None = None,
        *,
        trusted: Checkpoint | None = None,
        beside: Sequence[Words] = (),
    ) -> VerifyOutcome:
        """Recompute everything up to the latest checkpoint; ``progress`` hears (leaves done, leaves).

        ``beside`` is what was found wrong with files that belong to the ledger but lie elsewhere.
        """
        return verify(self, progress=progress, trusted=trusted, beside=beside)


class _Waiting(msgspec.Struct):
    """A caller's entries until some thread has written them."""

    entries: Sequence[NewEvidence]
    now: datetime
    done: "Future[list[int]]"


class Ledger(LedgerReader):
    """The writing side; also reads, including leaves no checkpoint covers yet. Safe between threads."""

    def __init__(
        self, folder: Path, key: SigningKey | None, lock: Lock, twin: Ed25519Key | None = None
    ) -> None:
        super().__init__(folder, public=key.public if key else None, writer=True)
        self.recovered: Words | None = None  # what was cut from a torn tail on opening
        self._key, self._lock = key, lock
        self._writing = threading.Lock()
        self._queue: list[_Waiting] = []
        self._queueing = threading.Lock()
        self._failed = False
        self._size = 0
        self._sources = Sources()
        self._twin = Twin(folder, self.origin, twin) if twin else None
        self._recover()

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        center: str,
        origin: str,
        key: SigningKey | None,
        twin: Ed25519Key | None = None,
    ) -> Self:
        """Take the lock, create what is missing, recover what was torn. Raises LiuheError.

        ``twin`` keeps a second tree over SHA-256 and signs its checkpoints.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = Lock(folder / "lock")
        try:
            _check_names(center=center, origin=origin)
            _settle(folder, Settings(center=center, origin=origin), key)
            return cls(folder, key, lock, twin)
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
            if self._twin:
                self._twin.close()
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
        check_entries(entries)
        if not entries:
            return []
        waiting = _Waiting(entries, now, Future())
        with self._queueing:
            self._queue.append(waiting)
        # Whoever gets the lock writes for all. The others wait for their own result, not for the lock: to
        # hand that round would cost more than the writing.
        while not waiting.done.done():
            if self._writing.acquire(blocking=False):
                try:
                    self._write_queue()
                finally:
                    self._writing.release()
            else:
                with suppress(TimeoutError):
                    waiting.done.exception(_LOCK_SECONDS)
        return waiting.done.result()

    def _write_queue(self) -> None:
        """Write what waits, and a few times what came meanwhile; each caller is told its own outcome."""
        for _ in range(_ROUNDS_MAX):
            with self._queueing:
                batch, self._queue = self._queue, []
            if not batch:
                return
            try:
                first = self._write([(entry, one.now) for one in batch for entry in one.entries])
            except BaseException as error:
                reason = _disk(error) if isinstance(error, OSError) else error
                for one in batch:  # whatever it was, nobody may wait for ever
                    one.done.set_exception(reason)
                if not isinstance(error, Exception):
                    raise
                return
            for one in batch:
                one.done.set_result(list(range(first, first + len(one.entries))))
                first += len(one.entries)

    def _write(self, entries: Sequence[tuple[NewEvidence, datetime]]) -> int:
        """Payloads first, then the leaves in one sync, then what can be rebuilt from them."""
        if self._failed:
            raise damaged("reopen")
        first, center, times = self._size, self.center, dict[datetime, datetime]()
        leaves: list[bytes] = []
        payloads: list[NewPayload] = []
        taken: list[str] = []
        try:
            for sequence, (entry, now) in enumerate(entries, first):
                source = entry.source or entry.kind
                if self._sources.full(source):
                    raise bad_entry("source", f"more than {SOURCES_MAX} sources")
                number = self._sources.take(source)
                taken.append(source)
                if now not in times:
                    times[now] = whole_second(now)
                digest = sm3_hex(entry.payload)
                payloads.append(NewPayload(sequence, digest, entry.payload))
                leaves.append(leaf_bytes(entry.record(center, sequence, number, digest, times[now])))
            self.payloads.write(payloads)
            self.leaves.append(list(enumerate(leaves, first)))
        except BaseException:
            for source in taken:
                self._sources.give_back(source)
            raise
        self._failed = True
        self._hash(leaves)
        if self._twin:
            self._twin.append(leaves)
        self._failed = False
        self._size = first + len(leaves)
        return first

    def _hash(self, leaves: Sequence[bytes]) -> None:
        start = merkle.stored_count(self._frontier.size)
        fresh: list[bytes] = []
        for leaf in leaves:
            fresh += self._frontier.append(merkle.leaf_hash(leaf))
        self.hashes.write(start, fresh)

    def numbers(self) -> dict[str, int]:
        """How many records each source has given so far."""
        with self._writing:
            return dict(self._sources.next)

    def delete_payloads(
        self, records: Sequence[Evidence], actor: str, reason: str, now: datetime
    ) -> list[int]:
        """Record why payloads go, sign that, then blank them; the leaves of the deletion records.

        The records themselves stay. After a crash in between, the same call finishes it.
        """
        leaves = self.append(
            [
                NewEvidence(
                    kind="deletion",
                    actor=actor,
                    subject=f"{DELETED}{record.payload_sm3}",
                    summary=reason,
                    payload=b"",
                )
                for record in records
            ],
            now,
        )
        self.checkpoint(now)
        with self._writing:
            for record in records:
                self.payloads.delete(record)
        return leaves

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
            extensions = [time_line(now), *([self._twin.extension()] if self._twin else [])]
            text = Checkpoint(self.origin, self._size, self._frontier.root(), tuple(extensions)).text()
            raw = sign_note(text, self.origin, self._key).encode()
            try:
                self.leaves.sync_index()
                self.payloads.sync_index()
                self.hashes.sync()
                self._sources.save(self.folder, self._size)
                self.checkpoints.append([(self._size, raw)])
                self.checkpoints.sync_index()
                if self._twin:
                    self._twin.checkpoint()
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
        self.payloads.recover(covered, found.entries)
        self._rehash(found.entries)
        if self._twin:
            self._twin.recover(covered, found.entries, self._stored)
        self._sources = Sources.load(self.folder, found.entries)
        for number in range(self._sources.size, found.entries):
            self._sources.count(self._record(self._stored(number), number))
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
            raise bad_entry(field, f"1-{NAME_CHARS_MAX} characters, no space, no plus")


def _disk(error: OSError) -> LiuheError:
    return LiuheError(
        "ledger-disk",
        Words(f"写入账本失败:{error.strerror}", f"writing the ledger failed: {error.strerror}"),
        Words("请检查磁盘空间与权限", "check disk space and permissions"),
        field=str(error.filename or ""),
    )
