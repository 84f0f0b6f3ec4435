"""A folder of segments: what is a segment, who writes there, what is said when the disk refuses."""

import errno
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from crypto.words import LiuheError, Words
from sensors.disk import PARTIAL, REAL, Disk

SUFFIX: Final = ".seg"
LOCK: Final = "lock"
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Segment(NamedTuple):
    """One file of the log: its first sequence (also its name) and where it lies."""

    first: int
    path: Path


def segment_at(folder: Path, first: int) -> Segment:
    """The segment that begins with a sequence, whether it exists or not."""
    return Segment(first, folder / f"{first:020d}{SUFFIX}")


def segments_of(folder: Path, disk: Disk = REAL) -> list[Segment]:
    """The segments of a folder in order; other files are passed over."""
    found: list[Segment] = []
    for name in disk.list_folder(folder):
        stem = name.removesuffix(SUFFIX)
        if stem != name and len(stem) == 20 and stem.isascii() and stem.isdigit():
            found.append(Segment(int(stem), folder / name))
    return sorted(found)


def sizes_of(folder: Path, disk: Disk = REAL) -> dict[int, int]:
    """Bytes of each segment by its first sequence, ascending."""
    sizes = {}
    for segment in segments_of(folder, disk):
        with suppress(FileNotFoundError):
            sizes[segment.first] = disk.size(segment.path)
    return sizes


def clear_partial(folder: Path, disk: Disk) -> None:
    """Remove what a crash left half written beside the segments."""
    for name in disk.list_folder(folder):
        if name.endswith(SUFFIX + PARTIAL):
            disk.unlink(folder / name)


def clear_empty(folder: Path, last_first: int, disk: Disk) -> int:
    """Remove segments behind the last one that holds frames: a later segment may start below them.

    Returns the number up to which their names say that none is to be given out again.
    """
    known = 0
    for segment in segments_of(folder, disk):
        if segment.first > last_first:
            disk.unlink(segment.path)
            known = segment.first - 1
    return known


def lock_folder(folder: Path, disk: Disk) -> int:
    """The writer's lock. Raises LiuheError where another process has it."""
    try:
        return disk.lock(folder / LOCK)
    except BlockingIOError as error:
        raise LiuheError(
            "log-in-use",
            Words("另一个进程正在写这个日志", "another process is writing this log"),
            Words("请先停止它,同一目录只能有一个写者", "stop it first: a folder has one writer"),
            field=str(folder),
        ) from error


def raise_refused(error: OSError, folder: Path) -> NoReturn:
    """The disk's refusal as one line for a person."""
    reason = error.strerror or str(error)
    if error.errno in FULL:
        raise LiuheError(
            "disk-full",
            Words("磁盘已满,日志写不进去", "the disk is full, the log cannot be written"),
            Words(
                "请腾出空间或减小配额;数据未丢,会重试", "free some space or lower the quota; it is retried"
            ),
            field=str(folder),
        ) from error
    raise LiuheError(
        "log-write-failed",
        Words(f"日志写入失败:{reason}", f"the log cannot be written: {reason}"),
        Words("请检查磁盘、挂载和权限", "check the disk, the mount and the permissions"),
        field=str(folder),
    ) from error
