"""The segment being written: header and frames go to the end of one file, each commit with one sync."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from crypto import sm3
from sensors.disk import Disk, read_file, replace_file, write_all
from sensors.segment_format import pack_frame, seed_of
from sensors.segment_header import Header, pack_header
from sensors.segment_seal import Seal


class Written(NamedTuple):
    """A segment that was left: what the next header says of it."""

    path: Path
    first: int
    size: int
    sm3: bytes


class SegmentWriter:
    """Nothing before ``size`` is ever written again; after a failed commit the segment has to be left."""

    def __init__(self, disk: Disk, path: Path, header: Header, seal: Seal | None) -> None:
        self.path = path
        self.first = header.first
        self.created_ms = header.created_ms
        self.size = 0
        self.synced = True  # whether the last sync, if any, succeeded
        self._head = pack_header(header)  # written together with the first frames
        self._seed = seed_of(header.salt)
        self._seal = seal
        self._digest = sm3.new()
        self._disk = disk
        # A file of that name can only hold frames that were never acknowledged: they are overwritten.
        self._handle = disk.open(path, "create")

    def commit(self, first: int, flags: int, payloads: Sequence[bytes]) -> None:
        """Append frames from sequence ``first`` on and sync; on OSError none of them counts."""
        seed, seal = self._seed, self._seal
        if seal is not None:
            payloads = [seal.seal(first + index, flags, one) for index, one in enumerate(payloads)]
        frames = [pack_frame(seed, first + index, flags, one) for index, one in enumerate(payloads)]
        blob = b"".join(frames if self.size else [self._head, *frames])
        write_all(self._disk, self._handle, blob, self.size)
        self.synced = False
        self._disk.sync(self._handle)
        self.synced = True
        if not self.size:
            self._disk.sync_folder(self.path.parent)
        self.size += len(blob)
        self._digest.update(blob)

    def undo(self) -> None:
        """Take back what a failed commit may have left; the file is gone where it held nothing else."""
        with suppress(OSError):  # readers end this segment at the next one's first sequence
            if self.size:
                self._disk.truncate(self._handle, self.size)
            else:
                self._disk.unlink(self.path)

    def leave(self) -> Written:
        """Close the file for good."""
        with suppress(OSError):
            self._disk.close(self._handle)
        return Written(self.path, self.first, self.size, self._digest.digest())


def write_again(disk: Disk, written: Written) -> bool:
    """Put a segment on fresh blocks, after a failed sync made the old ones doubtful; False: try again later.

    The kernel may have dropped the page that the segment's last good frames share with the failed ones. The
    bytes are the same, so readers notice nothing. What can no longer be read whole is left as it is.
    """
    try:
        data = read_file(disk, written.path)[: written.size]
        if sm3.sm3(data) == written.sm3:
            replace_file(disk, written.path, data)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
