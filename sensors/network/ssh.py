"""SSH opening (RFC 4253), one direction: identification, algorithm lists, HASSH, the server's host key.

Everything up to the new keys is in the clear. HASSH is the MD5 of the algorithm lists in their order, as its
authors (Salesforce, BSD-3-Clause) describe it: of a client those it would send with, of a server likewise.
"""

from hashlib import md5
from typing import Final, NamedTuple

from sensors.network.reading import text

BANNER_BYTES_MAX: Final = 255  # RFC 4253 4.2
PREAMBLE_BYTES_MAX: Final = 4 * 1024  # lines a server may send before its identification
PACKET_BYTES_MAX: Final = 35_000  # RFC 4253 6.1
LIST_CHARS_MAX: Final = 4 * 1024
PACKETS_MAX: Final = 64  # of one direction before its new keys
KEX_INIT: Final = 20
NEW_KEYS: Final = 21
REPLIES: Final = frozenset({31, 33})  # of key exchanges; both begin with the host key where they carry one
_LISTS: Final = 10


class KexInit(NamedTuple):
    """The ten name lists, in the order of the standard; ``c2s`` is client to server."""

    kex: tuple[str, ...]
    host_key: tuple[str, ...]
    cipher_c2s: tuple[str, ...]
    cipher_s2c: tuple[str, ...]
    mac_c2s: tuple[str, ...]
    mac_s2c: tuple[str, ...]
    compression_c2s: tuple[str, ...]
    compression_s2c: tuple[str, ...]
    language_c2s: tuple[str, ...]
    language_s2c: tuple[str, ...]

    def hassh(self, *, server: bool) -> str:
        """The fingerprint of the side that sent the lists."""
        lists = (
            (self.kex, self.cipher_s2c, self.mac_s2c, self.compression_s2c)
            if server
            else (self.kex, self.cipher_c2s, self.mac_c2s, self.compression_c2s)
        )
        joined = ";".join(",".join(names) for names in lists)
        return md5(joined.encode(), usedforsecurity=False).hexdigest()


class Side:
    """One direction: fills ``banner``, then gives packets as (type, payload), until the new keys."""

    def __init__(self) -> None:
        self.done = False
        self.banner = ""
        self._held = b""
        self._packets = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The packets these bytes complete; the banner is in ``banner`` once it is known."""
        if self.done:
            return []
        self._held += data
        if not self.banner and not self._identify():
            return []
        found: list[tuple[int, bytes]] = []
        while len(self._held) >= 6:
            size, padding = int.from_bytes(self._held[:4], "big"), self._held[4]
            if not 2 <= size <= PACKET_BYTES_MAX or padding + 2 > size:
                self._end()
                break
            if len(self._held) < 4 + size:
                break
            payload = self._held[5 : 4 + size - padding]
            self._held = self._held[4 + size :]
            if not payload:
                self._end()
                break
            found.append((payload[0], payload))
            self._packets += 1
            if payload[0] == NEW_KEYS or self._packets >= PACKETS_MAX:
                self._end()
                break
        return found

    def _identify(self) -> bool:
        """Read lines up to the identification; whether it is there."""
        while b"\n" in self._held:
            line, _, self._held = self._held.partition(b"\n")
            if line.startswith(b"SSH-"):
                self.banner = text(line.rstrip(b"\r")[:BANNER_BYTES_MAX])
                if not self.banner.startswith(("SSH-2.", "SSH-1.99-")):
                    self._end()  # protocol 1 goes on otherwise
                return True
        if len(self._held) > PREAMBLE_BYTES_MAX:
            self._end()
        return False

    def _end(self) -> None:
        self.done = True
        self._held = b""


def parse_kex_init(payload: bytes) -> KexInit | None:
    """The lists of an SSH_MSG_KEXINIT, None where they do not fit."""
    lists: list[tuple[str, ...]] = []
    at = 17
    for _ in range(_LISTS):
        raw = _string(payload, at)
        if raw is None:
            return None
        at += 4 + len(raw)
        lists.append(tuple(text(raw, LIST_CHARS_MAX).split(",")) if raw else ())
    return KexInit(*lists)


def host_key(payload: bytes) -> tuple[str, bytes] | None:
    """(kind, key blob) of a key exchange reply that begins with one."""
    blob = _string(payload, 1)
    kind = _string(blob, 0) if blob else None
    if blob is None or not kind or len(kind) > 64 or not kind.isascii() or b"-" not in kind:
        return None
    return text(kind), blob


def chosen(client: tuple[str, ...], server: tuple[str, ...]) -> str:
    """What the two lists agree on: the client's first that the server has; '' for none."""
    offered = frozenset(server)
    return next((name for name in client if name in offered), "")


def _string(raw: bytes, at: int) -> bytes | None:
    if at + 4 > len(raw):
        return None
    size = int.from_bytes(raw[at : at + 4], "big")
    return raw[at + 4 : at + 4 + size] if at + 4 + size <= len(raw) else None
