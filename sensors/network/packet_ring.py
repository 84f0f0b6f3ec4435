"""The ring of raw packets: what an alert can show and download as pcap; bounded, sealed, off by default.

``FOLDER/<interface>/<first packet's ms>-<number>.ring``, mode 0600: the 8 bytes ``LIUHEPR1``, a salt of 16,
then blocks. A block is a header in clear (sealed bytes, link type: u32; first and last time: f64; all
little-endian) and pcap records with nanoseconds under SM4-GCM; its key is HKDF-SM3 of the sensor's network
key and the salt, the nonce the block's number, the header authenticated. When the files exceed their bound
the oldest one goes.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import Struct, pack
from typing import BinaryIO, Final

from crypto import sm4
from crypto.kdf import hkdf
from crypto.words import LiuheError
from sensors.network.capture_file import Captured
from sensors.network.community import community_id
from sensors.network.packet import NO_IP, Packet, walk, walk_inner

MAGIC: Final = b"LIUHEPR1"
SALT_BYTES: Final = 16
BLOCK_BYTES: Final = 256 * 1024
BLOCK_SECONDS: Final = 5.0  # a block is written at least so often while packets come
FILES: Final = 16  # the ring is kept in about so many
FILE_BYTES_MIN: Final = 1 << 20
FOUND_PACKETS_MAX: Final = 10_000
FOUND_BYTES_MAX: Final = 16 * 1024 * 1024
_SUFFIX: Final = ".ring"
_PURPOSE: Final = b"liuhe packet ring"
_header: Final = Struct("<IIdd")
_record: Final = Struct("<4I")
_PCAP: Final = Struct("<IHHiIII")
_NANOSECONDS_MAGIC: Final = 0xA1B23C4D


class PacketRing:
    """Writes the ring of one interface. A disk that refuses ends the keeping, never the capture."""

    def __init__(self, folder: Path, key: bytes, *, bytes_max: int) -> None:
        self._folder = folder
        self._key = key
        self._bytes_max = bytes_max
        self._file_bytes_max = max(FILE_BYTES_MIN, bytes_max // FILES)
        self._records: list[bytes] = []
        self._size = 0
        self._first = self._last = 0.0
        self._link_type = -1
        self._file: BinaryIO | None = None
        self._file_key = b""
        self._written = self._number = self._block = 0
        self.failed = ""  # why nothing is kept any more

    def put(self, data: bytes, link_type: int, time: float) -> None:
        """Keep a packet."""
        if self.failed:
            return
        if link_type != self._link_type or self._size >= BLOCK_BYTES or time - self._first > BLOCK_SECONDS:
            self.flush()
            self._link_type, self._first = link_type, time
        seconds = int(time)
        nanoseconds = min(int((time - seconds) * 1e9), 999_999_999)
        size = len(data)
        self._records.append(_record.pack(seconds & 0xFFFF_FFFF, nanoseconds, size, size) + data)
        self._size += size + _record.size
        self._last = time

    def flush(self) -> None:
        """Write what is held back."""
        if not self._records:
            return
        plain = b"".join(self._records)
        self._records.clear()
        self._size = 0
        try:
            self._write(plain)
        except OSError as error:
            self.failed = error.strerror or str(error)
            self._close()

    def close(self) -> None:
        """Write and let go of the file."""
        self.flush()
        self._close()

    def _write(self, plain: bytes) -> None:
        if self._file is None or self._written >= self._file_bytes_max:
            self._close()
            self._open()
        if self._file is None:
            return
        head = _header.pack(len(plain) + sm4.TAG_BYTES, self._link_type, self._first, self._last)
        sealed = sm4.gcm_seal(self._file_key, pack("<IQ", 0, self._block), plain, head)
        self._block += 1
        self._file.write(head + sealed)
        self._written += len(head) + len(sealed)

    def _open(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._make_room()
        self._number += 1
        path = self._folder / f"{max(int(self._first * 1_000), 0):014d}-{self._number:08d}{_SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        salt = os.urandom(SALT_BYTES)
        self._file_key = _file_key(self._key, salt)
        self._file.write(MAGIC + salt)
        self._written, self._block = len(MAGIC) + SALT_BYTES, 0

    def _make_room(self) -> None:
        """Delete the oldest files until one more fits."""
        files = [(path, path.stat().st_size) for path in _files(self._folder)]
        total = sum(size for _, size in files) + self._file_bytes_max + BLOCK_BYTES
        for path, size in files:
            if total <= self._bytes_max:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def find_packets(folder: Path, key: bytes, community: str, since: float, until: float) -> Iterator[Captured]:
    """The packets of a flow between two times, of all interfaces, oldest first of each; bounded.

    Blocks that cannot be opened (cut by a crash, altered, of another key) are passed over.
    """
    known: dict[tuple[object, ...], str] = {}
    found = size = 0
    for packet in packets_between(folder, key, since, until):
        if community and community not in communities(packet.data, packet.link_type, known):
            continue
        found += 1
        size += len(packet.data)
        if found > FOUND_PACKETS_MAX or size > FOUND_BYTES_MAX:
            return
        yield packet


def packets_between(folder: Path, key: bytes, since: float, until: float) -> Iterator[Captured]:
    """All packets of the ring between two times."""
    for interface in sorted(folder.iterdir()) if folder.is_dir() else ():
        for path in _files(interface):
            try:
                with path.open("rb") as file:
                    yield from _read(file, key, since, until)
            except OSError:
                continue  # the writer deleted it meanwhile


def communities(data: bytes, link_type: int, known: dict[tuple[object, ...], str]) -> set[str]:
    """The Community IDs of a packet and of what it carries in a tunnel; ``known`` remembers flows."""
    packet = walk(data, link_type)
    answer: set[str] = set()
    while packet is not None and packet.protocol != NO_IP:
        answer.add(_community(packet, known))
        packet = walk_inner(data, packet)
    return answer


def as_pcap(packets: Iterator[Captured]) -> Iterator[bytes]:
    """A pcap file in pieces; packets of another link type than the first one's are left out."""
    link_type = -1
    for data, kind, time in packets:
        if link_type < 0:
            link_type = kind
            yield _PCAP.pack(_NANOSECONDS_MAGIC, 2, 4, 0, 0, 256 * 1024, link_type)
        if kind == link_type:
            seconds = int(time)
            yield _record.pack(seconds, int((time - seconds) * 1e9), len(data), len(data)) + data


def _community(packet: Packet, known: dict[tuple[object, ...], str]) -> str:
    key = packet[3:8]
    found = known.get(key)
    if found is None:
        if len(known) > FOUND_PACKETS_MAX:
            known.clear()
        found = known[key] = community_id(
            packet.protocol, packet.source, packet.destination, packet.source_port, packet.destination_port
        )
    return found


def _read(file: BinaryIO, key: bytes, since: float, until: float) -> Iterator[Captured]:
    magic = file.read(len(MAGIC))
    salt = file.read(SALT_BYTES)
    if magic != MAGIC or len(salt) < SALT_BYTES:
        return
    file_key = _file_key(key, salt)
    number = 0
    while len(head := file.read(_header.size)) == _header.size:
        size, link_type, first, last = _header.unpack(head)
        if size > 4 * BLOCK_BYTES:
            return
        if last < since or first > until:
            file.seek(size, os.SEEK_CUR)
        else:
            try:
                plain = sm4.gcm_open(file_key, pack("<IQ", 0, number), file.read(size), head)
            except LiuheError:
                return
            yield from _records(plain, link_type, since, until)
        number += 1


def _records(plain: bytes, link_type: int, since: float, until: float) -> Iterator[Captured]:
    at = 0
    while at + _record.size <= len(plain):
        seconds, nanoseconds, size, _ = _record.unpack_from(plain, at)
        at += _record.size
        time = seconds + nanoseconds * 1e-9
        if since <= time <= until:
            yield Captured(plain[at : at + size], link_type, time)
        at += size


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []


def _file_key(key: bytes, salt: bytes) -> bytes:
    return bytes(hkdf(key, salt, _PURPOSE, sm4.KEY_BYTES))
