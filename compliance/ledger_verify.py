"""The whole ledger recomputed from its leaves, up to a checkpoint; every contradiction is located.

One pass over the leaf log gives the tree; beside it run the index, the stored hashes, the log of
checkpoints and the payloads. A finding names the leaf, the file and the offset.
"""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Final, NamedTuple

from compliance.ledger_files import MAGIC_BYTES, Damage, Frame
from compliance.ledger_reader import PUBLIC, LedgerView, Signed
from compliance.ledger_twin import TWIN_HASHES, TwinWalk, twin_root
from compliance.ledger_walk import Findings, Walk
from crypto.note import Checkpoint
from crypto.words import LiuheError, Words

PROGRESS_LEAVES: Final = 2_000
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


def verify(
    reader: LedgerView,
    *,
    progress: Progress | None = None,
    trusted: Checkpoint | None = None,
    beside: Sequence[Words] = (),
) -> VerifyOutcome:
    """Recompute everything a checkpoint covers; ``trusted`` is an older one the caller kept apart."""
    began = perf_counter()
    findings = Findings()
    for one in beside:
        findings.add(one.zh, one.en)
    _stored_key(reader, findings)
    latest = _latest(reader, findings)
    size = latest.checkpoint.size if latest else 0
    roots: dict[int, list[tuple[str, bytes]]] = {}
    twins: dict[int, bytes] = {}
    if latest:
        roots.setdefault(size, []).append(("checkpoint", latest.checkpoint.root))
    _checkpoints(reader, latest, roots, twins, findings)
    if trusted:
        _expect_trusted(trusted, reader.origin, size, roots, findings)
    walk = Walk(reader, findings, roots, _twin(reader, twins, findings))
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
        checked_payloads=walk.payloads_intact,
        seconds=perf_counter() - began,
        findings=findings.all(),
    )


def _stored_key(reader: LedgerView, findings: Findings) -> None:
    """The copy of the public key beside the ledger, where the caller brought one of its own."""
    path = reader.folder / PUBLIC
    if reader.public and path.exists() and path.read_bytes() != reader.public.pem():
        findings.add(f"文件 {PUBLIC} 与所用公钥不符", f"file {PUBLIC} differs from the public key used")


def _latest(reader: LedgerView, findings: Findings) -> Signed | None:
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
    twins: dict[int, bytes],
    findings: Findings,
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
        if (twin := twin_root(checkpoint)) is not None:
            twins[checkpoint.size] = twin
    if not matched:
        findings.add(f"{name} 中没有当前检查点", f"{name} does not hold the current checkpoint")


def _twin(reader: LedgerView, roots: dict[int, bytes], findings: Findings) -> TwinWalk | None:
    """The SHA-256 twin, where checkpoints name its root."""
    if not roots:
        return None
    try:
        return TwinWalk(reader.folder, reader.origin, roots, findings.add)
    except OSError as error:
        findings.add(f"文件 {TWIN_HASHES}:{error.strerror}", f"file {TWIN_HASHES}: {error.strerror}")
        return None


def _resumed(reader: LedgerView, findings: Findings) -> Iterator[tuple[int, Frame]]:
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
    findings: Findings,
) -> None:
    if trusted.origin != origin or trusted.size > size:
        findings.add(
            f"账本与另存的检查点({trusted.origin},{trusted.size} 条)不符,可能被回退",
            f"the ledger falls short of the checkpoint kept apart ({trusted.origin}, {trusted.size} leaves)",
        )
        return
    roots.setdefault(trusted.size, []).append(("trusted", trusted.root))
