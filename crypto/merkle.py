"""Merkle tree of RFC 9162 over SM3: hashing, proofs and their verification; pure, no storage.

Complete subtrees never change, so they are what is stored: ``Frontier`` says which hashes a new leaf
completes, ``position`` where each lies in one append-only array (each parent right after its right child),
and every proof is read back through a ``ReadNode`` of (level, index). The hash is a parameter: published
vectors exist for SHA-256 only.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Self

from crypto.sm3 import sm3
from crypto.words import BadInput, Refused, Words

Hash = Callable[[bytes], bytes]
ReadNode = Callable[
    [int, int], bytes
]  # (level, index) -> hash of leaves [index << level, (index+1) << level)

HASH_BYTES: Final = 32
PROOF_HASHES_MAX: Final = 64  # a tree of 2**64 leaves


def leaf_hash(data: bytes, digest: Hash = sm3) -> bytes:
    """Hash of a leaf: 0x00 then its bytes."""
    return digest(b"\x00" + data)


def node_hash(left: bytes, right: bytes, digest: Hash = sm3) -> bytes:
    """Hash of a parent: 0x01, left, right."""
    return digest(b"\x01" + left + right)


def empty_root(digest: Hash = sm3) -> bytes:
    """The root of no leaves."""
    return digest(b"")


def stored_count(size: int) -> int:
    """How many hashes of complete subtrees a tree of ``size`` leaves has."""
    return 2 * size - size.bit_count()


def position(level: int, index: int) -> int:
    """Where in the append-only array the hash of a complete subtree lies, counted in hashes."""
    last_leaf = ((index + 1) << level) - 1
    return stored_count(last_leaf) + level


class Frontier:
    """The right edge: the complete subtrees that no larger one covers yet, largest first."""

    __slots__ = ("_digest", "_edge", "size")

    def __init__(self, digest: Hash = sm3) -> None:
        self.size = 0
        self._edge: list[bytes] = []
        self._digest = digest

    @classmethod
    def at(cls, size: int, node: ReadNode, digest: Hash = sm3) -> Self:
        """The edge of a stored tree of ``size`` leaves."""
        frontier = cls(digest)
        frontier.size = size
        frontier._edge = [node(level, index) for level, index in _pieces(0, size)]
        return frontier

    def append(self, leaf: bytes) -> list[bytes]:
        """Add a leaf hash; the hashes it completes, leaf first, in the order they are stored."""
        fresh = [leaf]
        covered = self.size
        while covered & 1:
            fresh.append(node_hash(self._edge.pop(), fresh[-1], self._digest))
            covered >>= 1
        self._edge.append(fresh[-1])
        self.size += 1
        return fresh

    def root(self) -> bytes:
        """The root of the leaves so far."""
        return _fold(self._edge, self._digest) if self._edge else empty_root(self._digest)


def _pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Complete subtrees that make up [start, end), left to right; start is aligned to the first."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _fold(hashes: Sequence[bytes], digest: Hash) -> bytes:
    folded = hashes[-1]
    for left in reversed(hashes[:-1]):
        folded = node_hash(left, folded, digest)
    return folded


def _subtree(start: int, end: int, node: ReadNode, digest: Hash) -> bytes:
    return _fold([node(level, index) for level, index in _pieces(start, end)], digest)


def root(size: int, node: ReadNode, digest: Hash = sm3) -> bytes:
    """The root of the first ``size`` leaves."""
    return _subtree(0, size, node, digest) if size else empty_root(digest)


def _split(start: int, end: int) -> int:
    """Where RFC 9162 divides [start, end): the largest power of two below its length."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def inclusion_proof(index: int, size: int, node: ReadNode, digest: Hash = sm3) -> list[bytes]:
    """The path from leaf ``index`` to the root of ``size`` leaves, leaf's sibling first."""
    if not 0 <= index < size:
        raise _out_of_range(f"leaf {index} of {size}")
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            path.append(_subtree(middle, end, node, digest))
            end = middle
        else:
            path.append(_subtree(start, middle, node, digest))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: ReadNode, digest: Hash = sm3) -> list[bytes]:
    """The proof that the first ``old`` of ``new`` leaves are unchanged; empty where they are all."""
    if not 0 < old <= new:
        raise _out_of_range(f"sizes {old} and {new}")
    start, end, path = 0, new, list[bytes]()
    while old != end:
        middle = _split(start, end)
        if old <= middle:
            path.append(_subtree(middle, end, node, digest))
            end = middle
        else:
            path.append(_subtree(start, middle, node, digest))
            start = middle
    if start:  # else the old tree is a left subtree whose root the verifier holds
        path.append(_subtree(start, end, node, digest))
    return path[::-1]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes, digest: Hash = sm3
) -> None:
    """Return silently where the proof leads from the leaf hash to the root, else raise Refused."""
    if not 0 <= index < size:
        raise _refused(f"leaf {index} is not in a tree of {size}")
    if len(leaf) != HASH_BYTES:  # an empty "leaf" would match an empty "root" of one leaf
        raise _refused(f"the leaf hash does not have {HASH_BYTES} bytes")
    place, last, computed = index, size - 1, leaf
    for sibling in _bounded(proof):
        if last == 0:
            raise _refused("the proof is too long")
        if place & 1 or place == last:
            computed = node_hash(sibling, computed, digest)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling, digest)
        place, last = place >> 1, last >> 1
    if last:
        raise _refused("the proof is too short")
    if computed != expected:
        raise _refused("the proof does not lead to the root")


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes], digest: Hash = sm3
) -> None:
    """Return silently where the new tree extends the old one, else raise Refused."""
    if not 0 < old <= new:
        raise _refused(f"sizes {old} and {new} cannot be compared")
    if old == new:
        if proof or old_root != new_root:
            raise _refused("two trees of one size differ")
        return
    path = list(_bounded(proof))
    if old.bit_count() == 1:  # a complete subtree of the new tree: its root is the old root itself
        path.insert(0, old_root)
    if not path:
        raise _refused("the proof is empty")
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise _refused("the proof is too long")
        if place & 1 or place == last:
            from_old = node_hash(sibling, from_old, digest)
            from_new = node_hash(sibling, from_new, digest)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling, digest)
        place, last = place >> 1, last >> 1
    if last:
        raise _refused("the proof is too short")
    if from_old != old_root or from_new != new_root:
        raise _refused("the proof does not lead to both roots")


def _bounded(proof: Sequence[bytes]) -> Sequence[bytes]:
    if len(proof) > PROOF_HASHES_MAX:
        raise _refused("the proof is too long")
    if any(len(part) != HASH_BYTES for part in proof):
        raise _refused(f"a hash of the proof does not have {HASH_BYTES} bytes")
    return proof


def _out_of_range(what: str) -> BadInput:
    return BadInput(
        "merkle-range",
        Words(f"默克尔树中没有:{what}", f"not in the Merkle tree: {what}"),
        Words("请按检查点给出的大小查询", "ask within the size of the checkpoint"),
        field="index",
    )


def _refused(reason: str) -> Refused:
    return Refused(
        "merkle-proof",
        Words(f"默克尔证明不成立:{reason}", f"the Merkle proof does not hold: {reason}"),
        Words("请向存证方重新索取证明", "ask the ledger's owner for a fresh proof"),
    )
