"""The SHA-256 twin of a ledger: the same leaves in a second tree, so that C2SP tools of others check them.

``hashes.sha256`` lies beside ``hashes`` in the same order and can be made again from the leaves. Each SM2
checkpoint names the twin's root in a line ``sha256 <root>``; ``checkpoint.sha256`` states it once more under
an origin of its own, signed with Ed25519.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from compliance.ledger_files import HashFile, replace_file
from crypto import merkle
from crypto.note import Checkpoint, parse_note
from crypto.note_ed25519 import Ed25519Key, ed25519_key_id, verify_ed25519
from crypto.words import LiuheError

TWIN_HASHES: Final = "hashes.sha256"
TWIN_CHECKPOINT: Final = "checkpoint.sha256"
TWIN_KEY_FILE: Final = "ledger-sha256.pem"
TWIN_KEY: Final = "sha256.vkey"
EXTENSION: Final = "sha256 "
_BATCH_LEAVES: Final = 10_000


def sha256_digest(data: bytes) -> bytes:
    """SHA-256 as a tree's hash."""
    return sha256(data).digest()


def twin_origin(origin: str) -> str:
    """Under which origin the twin's checkpoints stand."""
    return f"{origin.removesuffix('/sm3')}/sha256"


def kept_twin(folder: Path, keys: Path) -> Ed25519Key | None:
    """The twin's key where the ledger in ``folder`` has a twin."""
    path = keys / TWIN_KEY_FILE
    return Ed25519Key.load(path) if path.exists() and (folder / TWIN_HASHES).exists() else None


def twin_key(keys: Path) -> Ed25519Key:
    """The key a center signs its twin with, made when first asked for."""
    path = keys / TWIN_KEY_FILE
    return Ed25519Key.load(path) if path.exists() else Ed25519Key.create(path)


class Twin:
    """The writing side, driven by the ledger under its lock."""

    def __init__(self, folder: Path, origin: str, key: Ed25519Key) -> None:
        self._folder, self._origin, self._key = folder, twin_origin(origin), key
        line = f"{key.verifier_line(self._origin)}\n".encode()
        if not (folder / TWIN_KEY).exists() or (folder / TWIN_KEY).read_bytes() != line:
            replace_file(folder / TWIN_KEY, line)
        self.hashes: Final = HashFile(folder / TWIN_HASHES, writer=True)
        self._frontier = merkle.Frontier(sha256_digest)

    def close(self) -> None:
        """Give the file back."""
        self.hashes.close()

    def recover(self, covered: int, size: int, leaf: Callable[[int], bytes]) -> None:
        """Take up what is stored of the first ``covered`` leaves, hash the rest anew."""
        if self.hashes.count() >= merkle.stored_count(covered):
            self._frontier = merkle.Frontier.at(covered, self.hashes.node, sha256_digest)
        for first in range(self._frontier.size, size, _BATCH_LEAVES):
            self.append([leaf(index) for index in range(first, min(first + _BATCH_LEAVES, size))])

    def append(self, leaves: Sequence[bytes]) -> None:
        """Add leaves; durable after ``sync``."""
        start = merkle.stored_count(self._frontier.size)
        fresh: list[bytes] = []
        for leaf in leaves:
            fresh += self._frontier.append(merkle.leaf_hash(leaf, sha256_digest))
        self.hashes.write(start, fresh)

    def root(self) -> bytes:
        """The twin's root now."""
        return self._frontier.root()

    def extension(self) -> str:
        """The line the SM2 checkpoint carries."""
        return f"{EXTENSION}{b64encode(self.root()).decode('ascii')}"

    def checkpoint(self) -> None:
        """Write the twin's own checkpoint; durable on return."""
        self.hashes.sync()
        text = Checkpoint(self._origin, self._frontier.size, self.root()).text()
        replace_file(self._folder / TWIN_CHECKPOINT, self._key.sign_note(text, self._origin).encode())


class TwinWalk:
    """The twin recomputed beside the ledger; every contradiction goes to ``found``."""

    def __init__(
        self, folder: Path, origin: str, roots: Mapping[int, bytes], found: Callable[[str, str], None]
    ) -> None:
        self._folder, self._origin, self._roots, self._found = folder, twin_origin(origin), roots, found
        self._frontier = merkle.Frontier(sha256_digest)
        self._hashes = HashFile(folder / TWIN_HASHES, writer=False)
        self._claimed = self._checkpoint()

    def leaf(self, data: bytes | None) -> None:
        """Take the next leaf; where its bytes are lost, the stored hash stands for it."""
        size = self._frontier.size
        first = merkle.position(0, size)
        leaf = self._stored(first, 1) if data is None else merkle.leaf_hash(data, sha256_digest)
        fresh = b"".join(self._frontier.append(leaf))
        if self._stored(first, len(fresh) // merkle.HASH_BYTES) != fresh:
            offset = first * merkle.HASH_BYTES
            self._found(
                f"第 {size} 条:文件 {TWIN_HASHES} 偏移 {offset} 起与记录不符",
                f"leaf {size}: file {TWIN_HASHES} from offset {offset} does not match the leaves",
            )
        size += 1
        root = self._roots.get(size)
        if root is not None and root != self._frontier.root():
            self._found(
                f"{size} 条时的 SHA-256 根与检查点不符",
                f"the SHA-256 root at {size} differs from the checkpoint",
            )
        if self._claimed and self._claimed.size == size and self._claimed.root != self._frontier.root():
            self._wrong_checkpoint()

    def finish(self) -> None:
        """Close; a checkpoint beyond what was walked must at least not be behind the newest root."""
        if self._claimed and self._claimed.size < max(self._roots, default=0):
            self._wrong_checkpoint()
        self._hashes.close()

    def _stored(self, first: int, count: int) -> bytes:
        return self._hashes.read(first, count)

    def _checkpoint(self) -> Checkpoint | None:
        try:
            line = (self._folder / TWIN_KEY).read_text("ascii").removesuffix("\n")
            name, key_id, encoded = line.split("+", 2)
            point = b64decode(encoded, validate=True)[1:]
            canonical = b64encode(b"\x01" + point).decode("ascii") == encoded
            if name != self._origin or ed25519_key_id(name, point).hex() != key_id or not canonical:
                raise ValueError(name)
        except (OSError, ValueError):
            self._found(f"文件 {TWIN_KEY} 无效", f"file {TWIN_KEY} is invalid")
            return None
        try:
            note = parse_note((self._folder / TWIN_CHECKPOINT).read_bytes())
            verify_ed25519(note, name, point)
            checkpoint = Checkpoint.parse(note.text)
        except (OSError, LiuheError):
            self._wrong_checkpoint()
            return None
        return checkpoint

    def _wrong_checkpoint(self) -> None:
        self._found(f"文件 {TWIN_CHECKPOINT} 与账本不符", f"file {TWIN_CHECKPOINT} does not match the ledger")


def twin_root(checkpoint: Checkpoint) -> bytes | None:
    """The twin's root an SM2 checkpoint names, None where it names none."""
    for line in checkpoint.extensions:
        if line.startswith(EXTENSION):
            try:
                return b64decode(line.removeprefix(EXTENSION), validate=True)
            except ValueError:
                return b""
    return None
