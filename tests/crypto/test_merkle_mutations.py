"""One hundred thousand mutated proofs, none accepted: by the product's verifier and by the kit's own."""

import random  # noqa: TID251 -- a seeded generator
from functools import partial

import pytest

from compliance.verify_kit import climb
from crypto import merkle
from crypto.sm3 import sm3
from crypto.words import Refused

MUTATIONS = 100_000
SIZE_MAX = 5_000
SEED = 20261122


class Tree:
    """Hashes of every complete subtree of the largest tree."""

    def __init__(self) -> None:
        frontier = merkle.Frontier()
        self.stored: list[bytes] = []
        for number in range(SIZE_MAX):
            self.stored += frontier.append(merkle.leaf_hash(b"%d" % number))

    def node(self, level: int, index: int) -> bytes:
        return self.stored[merkle.position(level, index)]


def mutated(lots: random.Random, parts: list[bytes]) -> list[bytes]:
    """The same list with one thing wrong."""
    wrong, at = list(parts), lots.randrange(len(parts))
    way = lots.randrange(7)
    if way == 0:
        wrong[at] = (int.from_bytes(wrong[at], "big") ^ (1 << lots.randrange(256))).to_bytes(32, "big")
    elif way == 1:
        del wrong[at]
    elif way == 2:
        wrong.insert(at, lots.randbytes(32))
    elif way == 3:
        wrong[at] = wrong[at][: lots.randrange(32)]
    elif way == 4:
        wrong.append(wrong[at])
    elif way == 5:
        wrong[at] = lots.choice(
            (bytes(32), sm3(b""), wrong[at][::-1], merkle.node_hash(wrong[at], wrong[at]))
        )
    else:
        other = lots.randrange(len(parts))
        wrong[at], wrong[other] = wrong[other], wrong[at]
    return wrong


def accepted(check: partial[None]) -> bool:
    try:
        check()
    except Refused:
        return False
    return True


def climbed(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    try:
        return climb(leaf, index, size, path, sm3) == root
    except ValueError:
        return False


@pytest.mark.slow
def test_no_mutated_proof_is_accepted() -> None:
    tree, lots, tried = Tree(), random.Random(SEED), 0
    while tried < MUTATIONS:
        size = lots.randint(2, SIZE_MAX)
        index, old = lots.randrange(size), lots.randint(1, size - 1)
        root, old_root = merkle.root(size, tree.node), merkle.root(old, tree.node)
        path = merkle.inclusion_proof(index, size, tree.node)
        growth = merkle.consistency_proof(old, size, tree.node)
        leaf = tree.node(0, index)
        inclusion = partial(merkle.verify_inclusion, leaf, index, size)
        consistency = partial(merkle.verify_consistency, old, size)
        assert accepted(partial(inclusion, path, root))
        assert accepted(partial(consistency, old_root, root, growth))
        assert climbed(leaf, index, size, path, root)
        for _ in range(10):
            # Everything the verifier takes may lie: path, leaf, root.
            inside = mutated(lots, [*path, leaf, root])
            if inside != [*path, leaf, root] and len(inside) >= 2:
                tried += 1
                path_, leaf_, root_ = inside[:-2], inside[-2], inside[-1]
                assert not accepted(partial(merkle.verify_inclusion, leaf_, index, size, path_, root_))
                assert not climbed(leaf_, index, size, path_, root_)
            both = mutated(lots, [*growth, old_root, root])
            if both != [*growth, old_root, root] and len(both) >= 2:
                tried += 1
                assert not accepted(partial(consistency, both[-2], both[-1], both[:-2]))
