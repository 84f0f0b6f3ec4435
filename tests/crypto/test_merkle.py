"""Merkle tree: published vectors in SHA-256, a naive recursive tree in both hashes, mutated proofs."""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle
from crypto.sm3 import sm3
from crypto.words import BadInput, Refused

LEDGER = Path(__file__).parents[2].parent / "shared/data/ledger"


def _sha256(data: bytes) -> bytes:
    return sha256(data).digest()


def _vectors(kind: str) -> list[dict[str, Any]]:
    folder = LEDGER / "merkle" / kind
    if not folder.is_dir():
        pytest.skip(f"no Merkle vectors at {folder}")
    return [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def test_published_inclusion_vectors() -> None:
    for vector in _vectors("inclusion"):
        proof = [_bytes(part) for part in vector["proof"] or []]
        arguments = (_bytes(vector["leafHash"]), vector["leafIdx"], vector["treeSize"], proof)
        try:
            merkle.verify_inclusion(*arguments, _bytes(vector["root"]), _sha256)
            accepted = True
        except Refused:
            accepted = False
        assert accepted != vector["wantErr"], vector["desc"]


def test_published_consistency_vectors() -> None:
    for vector in _vectors("consistency"):
        proof = [_bytes(part) for part in vector["proof"] or []]
        roots = (_bytes(vector["root1"]), _bytes(vector["root2"]))
        try:
            merkle.verify_consistency(vector["size1"], vector["size2"], *roots, proof, _sha256)
            accepted = True
        except Refused:
            accepted = False
        assert accepted != vector["wantErr"], vector["desc"]


def test_published_log_of_fifteen_entries() -> None:
    log = LEDGER / "tessera-log"
    if not log.is_dir():
        pytest.skip(f"no sample log at {log}")
    bundle = (log / "tile/entries/000.p/15").read_bytes()
    frontier, nodes, entries = merkle.Frontier(_sha256), list[bytes](), 0
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        nodes += frontier.append(merkle.leaf_hash(bundle[2 : 2 + length], _sha256))
        bundle, entries = bundle[2 + length :], entries + 1
        tile = (log / f"tile/0/000.p/{entries}").read_bytes()
        assert tile == b"".join(nodes[merkle.position(0, i)] for i in range(entries))
        checkpoint = (log / f"checkpoint.{entries}").read_text().split("\n")
        assert _bytes(checkpoint[2]) == frontier.root()
    assert entries == 15


def _naive_root(leaves: list[bytes], digest: merkle.Hash) -> bytes:
    if not leaves:
        return digest(b"")
    if len(leaves) == 1:
        return digest(b"\0" + leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return digest(b"\1" + _naive_root(leaves[:half], digest) + _naive_root(leaves[half:], digest))


class _Tree:
    def __init__(self, size: int, digest: merkle.Hash) -> None:
        self.leaves = [b"leaf %d" % index for index in range(size)]
        self.frontier, self.stored = merkle.Frontier(digest), list[bytes]()
        for leaf in self.leaves:
            self.stored += self.frontier.append(merkle.leaf_hash(leaf, digest))

    def node(self, level: int, index: int) -> bytes:
        return self.stored[merkle.position(level, index)]


@pytest.mark.parametrize("digest", [sm3, _sha256])
def test_roots_and_every_proof_of_small_trees(digest: merkle.Hash) -> None:
    tree = _Tree(33, digest)
    roots = [_naive_root(tree.leaves[:size], digest) for size in range(34)]
    for size in range(34):
        assert merkle.root(size, tree.node, digest) == roots[size]
        assert merkle.Frontier.at(size, tree.node, digest).root() == roots[size]
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, tree.node, digest)
            leaf = merkle.leaf_hash(tree.leaves[index], digest)
            merkle.verify_inclusion(leaf, index, size, proof, roots[size], digest)
        for old in range(1, size + 1):
            proof = merkle.consistency_proof(old, size, tree.node, digest)
            merkle.verify_consistency(old, size, roots[old], roots[size], proof, digest)


TREE = _Tree(300, sm3)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_inclusion_proofs_are_never_accepted(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 300))
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, TREE.node)
    leaf, root = TREE.node(0, index), merkle.root(size, TREE.node)
    merkle.verify_inclusion(leaf, index, size, proof, root)
    wrong = _mutate(data, proof)
    other_index = data.draw(st.integers(0, size - 1).filter(lambda other: other != index))
    for arguments in (
        (leaf, index, size, wrong, root),
        (leaf, other_index, size, proof, root),
        (TREE.node(0, other_index), index, size, proof, root),
        (leaf, size, size, proof, root),
    ):
        with pytest.raises(Refused):
            merkle.verify_inclusion(*arguments)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_consistency_proofs_are_never_accepted(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    proof = merkle.consistency_proof(old, new, TREE.node)
    roots = merkle.root(old, TREE.node), merkle.root(new, TREE.node)
    merkle.verify_consistency(old, new, *roots, proof)
    wrong = _mutate(data, proof)
    for arguments in (
        (old, new, *roots, wrong),
        (old, new, roots[1], roots[0], proof),
        (new, old, *roots, proof),
        (0, new, *roots, proof),
        (old, new, roots[0], bytes(32), proof),
    ):
        with pytest.raises(Refused):
            merkle.verify_consistency(*arguments)


def _mutate(data: st.DataObject, proof: list[bytes]) -> list[bytes]:
    at = data.draw(st.integers(0, len(proof) - 1))
    way = data.draw(st.sampled_from(["flip", "drop", "insert", "swap", "append", "short"]))
    wrong = list(proof)
    if way == "flip":
        bit = data.draw(st.integers(0, 255))
        wrong[at] = (int.from_bytes(wrong[at], "big") ^ (1 << bit)).to_bytes(32, "big")
    elif way == "drop":
        del wrong[at]
    elif way == "insert":
        wrong.insert(at, bytes(32))
    elif way == "swap" and len(proof) > 1:
        wrong[at - 1], wrong[at] = wrong[at], wrong[at - 1]
    elif way == "short":
        wrong[at] = wrong[at][:-1]
    else:
        wrong.append(wrong[at])
    return wrong


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_asking_outside_the_tree_is_bad_input(index: int, size: int) -> None:
    with pytest.raises(BadInput):
        merkle.inclusion_proof(index, size, TREE.node)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_asking_for_impossible_sizes_is_bad_input(old: int, new: int) -> None:
    with pytest.raises(BadInput):
        merkle.consistency_proof(old, new, TREE.node)


def test_a_proof_of_absurd_length_is_refused() -> None:
    with pytest.raises(Refused, match="too long"):
        merkle.verify_inclusion(bytes(32), 0, 2, [bytes(32)] * 1000, bytes(32))
