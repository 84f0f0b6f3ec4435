"""Writes a folder of segments anew in the first version of the format, before a downgrade.

Older releases know neither packed nor sealed segments: everything is unpacked and in clear afterwards. What
is damaged stays lost at the same sequences, so that the older release reports it.
"""

from pathlib import Path

from crypto import sm3
from sensors.disk import REAL, Disk, read_file, replace_file
from sensors.segment_chain import contents_of
from sensors.segment_folder import lock_folder, raise_refused, segments_of
from sensors.segment_header import NO_DIGEST, Header, pack_header, unpack_header
from sensors.segment_packed import frame_bytes
from sensors.segment_seal import Keys


def rewrite_as_first(folder: Path, keys: Keys, disk: Disk = REAL) -> int:
    """Rewrite every segment of a log; returns how many. A second run after a crash goes on.

    Raises LiuheError: the log is in use, a key is missing, the disk refuses.
    """
    lock = lock_folder(folder, disk)
    count = 0
    try:
        known = segments_of(folder, disk)
        headers = [unpack_header(read_file(disk, segment.path)) for segment in known]
        digest = NO_DIGEST
        for index, (segment, header) in enumerate(zip(known, headers, strict=True)):
            data = read_file(disk, segment.path)
            if header is not None and header.version > 1:
                following = headers[index + 1] if index + 1 < len(headers) else None
                data = _rewritten(data, header, following, keys, digest)
                replace_file(disk, segment.path, data)
                count += 1
            digest = sm3.sm3(data)
    except OSError as error:
        raise_refused(error, folder)
    finally:
        disk.close(lock)
    return count


def _rewritten(data: bytes, header: Header, following: Header | None, keys: Keys, digest: bytes) -> bytes:
    found = contents_of(data, header, following, keys)
    first = Header(header.name, header.epoch, header.first, header.previous_last, header.salt, digest)
    return pack_header(first) + frame_bytes(first, found.frames, None)
