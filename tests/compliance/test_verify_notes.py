"""The kit's reading of notes, proofs and policies agrees with the product's."""

from datetime import UTC, datetime

import pytest

from compliance import verify_notes
from compliance.verify_notes import Tree, WrongError, check_policy, cosigned, grows, read_checkpoint, read_key
from compliance.witness_policy import Policy
from crypto import merkle
from crypto.cosignature import Verifier, cosign
from crypto.keys import SigningKey
from crypto.note import Checkpoint, sign_note, with_signatures
from crypto.sm3 import sm3

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LOG, WITNESS = SigningKey.generate(), SigningKey.generate()


def test_a_checkpoint_is_read_under_its_key_only() -> None:
    raw = sign_note(Checkpoint("o", 3, bytes(32)).text(), "o", LOG).encode()
    point = read_key(LOG.public.pem())
    assert read_checkpoint(raw, point, sm3) == Tree("o", 3, bytes(32), raw)
    with pytest.raises(WrongError):
        read_checkpoint(raw, WITNESS.public.point, sm3)
    for wrong in (raw[:-1], raw.replace(b"\n3\n", b"\n03\n"), raw.replace("—".encode(), b"-")):
        with pytest.raises((ValueError, WrongError)):
            read_checkpoint(wrong, point, sm3)


def test_growth_is_judged_alike() -> None:
    frontier, stored = merkle.Frontier(), list[bytes]()
    for number in range(40):
        stored += frontier.append(merkle.leaf_hash(b"%d" % number))

    def node(level: int, index: int) -> bytes:
        return stored[merkle.position(level, index)]

    for new in range(1, 41):
        head = Tree("o", new, merkle.root(new, node), b"")
        for old in range(1, new + 1):
            before = Tree("o", old, merkle.root(old, node), b"")
            proof = merkle.consistency_proof(old, new, node)
            assert grows(before, head, proof, sm3)
            assert not grows(before, head, [*proof, bytes(32)], sm3)
            assert not grows(before._replace(root=bytes(32)), head, proof, sm3)
            assert not grows(before, head._replace(root=bytes(32)), proof, sm3)
            assert not proof or not grows(before, head, proof[:-1], sm3)
            assert not proof or not grows(before, head, [part[:-1] for part in proof], sm3)


def test_no_node_is_hashed_twice_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_notes, "NODES_MAX", 2)
    asked: list[bytes] = []

    def counted(data: bytes) -> bytes:
        asked.append(data)
        return sm3(data)

    known = verify_notes.remembered(counted)
    for data in (b"a", b"b", b"a", b"c", b"a"):
        assert known(data) == sm3(data)
    assert asked == [b"a", b"b", b"c", b"a"]


def test_cosignatures_and_policies_are_judged_alike() -> None:
    note = sign_note(Checkpoint("o", 3, bytes(32)).text(), "o", LOG)
    raw = with_signatures(note, [cosign(note.text, "w.example", WITNESS, NOW)]).encode()
    point = WITNESS.public.point
    assert cosigned(raw, "w.example", point, sm3) == NOW
    assert cosigned(raw, "v.example", point, sm3) is None
    assert cosigned(raw.replace(b"\n3\n", b"\n4\n"), "w.example", point, sm3) is None
    line = f"witness w {Verifier('w.example', WITNESS.public, True).line()}\n"
    other = f"witness v {Verifier('v.example', LOG.public, True).line()} http://v\n"
    tree = Tree("o", 3, bytes(32), raw)
    for text in (
        "quorum w\n",
        "quorum v\n",
        "quorum none\n",
        "group g any w v\nquorum g\n",
        "group g 2 w v\nquorum g\n",
        "group g 1 v\ngroup h all g w\nquorum h\n",
    ):
        policy = line + other + text
        held = Policy.parse(policy.encode()).satisfied({"w"})
        if held:
            assert check_policy(policy, tree, sm3) == {"w": NOW}
        else:
            with pytest.raises(WrongError):
                check_policy(policy, tree, sm3)
