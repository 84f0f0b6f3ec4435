"""The witness: cosigns growth, refuses what is not shown to be growth, and knows a fork when it sees one."""

import functools
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.witness import SIZE_TYPE, Answer, Request, decide, parse_request
from compliance.witness_policy import Log
from crypto import merkle
from crypto.cosignature import Verifier, verify_cosignature
from crypto.keys import SigningKey
from crypto.note import Checkpoint, sign_note, signature_line
from crypto.words import BadInput

C2SP = Path(__file__).parents[2].parent / "shared/data/ledger/c2sp"
NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
LOG, WITNESS = SigningKey.generate(), SigningKey.generate()
ORIGIN, NAME = "log.example", "w.example"
LOGS = {ORIGIN: Log(Verifier(ORIGIN, LOG.public, False), "")}


class Tree:
    """Leaves 0… of one history; ``fork`` changes leaf ``at``."""

    def __init__(self, at: int | None = None) -> None:
        frontier = merkle.Frontier()
        self.stored: list[bytes] = []
        for number in range(20):
            data = b"other" if number == at else b"%d" % number
            self.stored += frontier.append(merkle.leaf_hash(data))

    def node(self, level: int, index: int) -> bytes:
        return self.stored[merkle.position(level, index)]

    @functools.cache  # noqa: B019 -- a signature differs each time
    def request(self, old: int, size: int, key: SigningKey = LOG, origin: str = ORIGIN) -> Request:
        checkpoint = Checkpoint(origin, size, merkle.root(size, self.node))
        proof = merkle.consistency_proof(old, size, self.node) if 0 < old <= size else []
        return Request(old, tuple(proof), sign_note(checkpoint.text(), origin, key), checkpoint)

    @functools.cache  # noqa: B019
    def note(self, size: int) -> bytes:
        return self.request(0, size).note.encode()


TREE, FORKED = Tree(), Tree(5)


def ask(request: Request, seen: bytes | None) -> Answer:
    return decide(parse_request(request.encode()), LOGS, seen, NAME, WITNESS, NOW)


@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 7), (7, 7), (7, 8), (8, 20), (1, 20)])
def test_growth_is_cosigned_and_remembered(old: int, size: int) -> None:
    request = TREE.request(old, size)
    answer = ask(request, TREE.note(old) if old else None)
    assert (answer.status, answer.remember, answer.fork) == (200, request.note.encode(), None)
    line = signature_line(answer.body.removesuffix("\n"))
    assert verify_cosignature(request.note.text, line, Verifier(NAME, WITNESS.public, True)) == NOW


def test_who_errs_about_what_was_seen_is_told_the_size() -> None:
    for request in (TREE.request(0, 9), TREE.request(8, 9), TREE.request(3, 5)):
        answer = ask(request, TREE.note(7))
        assert (answer.status, answer.body, answer.type, answer.fork) == (409, "7\n", SIZE_TYPE, None)
    assert ask(TREE.request(7, 9), None)[:2] == (409, "0\n")


def test_a_fork_at_one_size_is_certain_whatever_old_says() -> None:
    for old in (0, 7):
        answer = ask(FORKED.request(old, 7), TREE.note(7))
        assert (answer.status, answer.remember) == (409, None)
        assert answer.fork is not None
        assert (answer.fork.certain, answer.fork.size) == (True, 7)
        assert answer.fork.seen == TREE.note(7)


def test_growth_from_another_history_is_refused() -> None:
    answer = ask(FORKED.request(7, 12), TREE.note(7))
    assert (answer.status, answer.remember) == (422, None)
    assert answer.fork is not None
    assert not answer.fork.certain
    for request in (TREE.request(7, 12)._replace(proof=()), TREE.request(0, 12)._replace(proof=(bytes(32),))):
        seen = TREE.note(7) if request.old else None
        assert ask(request, seen).status == 422
    empty = Checkpoint(ORIGIN, 0, bytes(32))
    lie = Request(0, (), sign_note(empty.text(), ORIGIN, LOG), empty)
    assert ask(lie, None).status == 422


def test_strangers_get_nothing() -> None:
    assert ask(TREE.request(0, 7, WITNESS), None).status == 403
    assert ask(TREE.request(0, 7, origin="else.example"), None).status == 404
    assert ask(TREE.request(0, 7)._replace(old=8), None).status == 400


def test_the_published_request_is_kept_byte_for_byte() -> None:
    if not C2SP.is_dir():
        pytest.skip(f"no published examples at {C2SP}")
    raw = (C2SP / "tlog-witness.add-checkpoint.request.txt").read_bytes()
    request = parse_request(raw)
    assert (request.old, request.checkpoint.size, len(request.proof)) == (20852014, 20852163, 4)
    assert request.encode() == raw
    response = (C2SP / "tlog-witness.add-checkpoint.response.txt").read_text()
    lines = [signature_line(line) for line in response.removesuffix("\n").split("\n")]
    assert "".join(line.line() for line in lines) == response


GOOD = TREE.request(7, 12).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        GOOD.replace(b"old 7", b"old 07"),
        GOOD.replace(b"old 7", b"old -7"),
        GOOD.replace(b"old 7", b"new 7"),
        GOOD.replace(b"old 7\n", b"old 7\nAAAA\n"),
        GOOD.replace(b"old 7\n", b"old 7\n" + b"A" * 43 + b"=\n" + b"\xff\n"),
        GOOD.replace(b"\n\n", b"\n", 1),
        GOOD[:-1],
        GOOD + bytes(65_536),
    ],
)
def test_malformed_requests_are_bad_input(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse_request(body)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_no_changed_byte_gets_a_cosignature_over_it(at: int, by: int) -> None:
    body = GOOD[:at] + bytes([GOOD[at] ^ by]) + GOOD[at + 1 :]
    try:
        request = parse_request(body)
    except BadInput:
        return
    answer = decide(request, LOGS, TREE.note(7), NAME, WITNESS, NOW)
    assert answer.status != 200 or request.note.text == TREE.request(7, 12).note.text
