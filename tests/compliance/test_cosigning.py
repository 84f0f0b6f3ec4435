"""Getting cosigned: quorum, a witness out of reach, unwitnessed since, a rolled-back or forked ledger."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.cosigning import COSIGNED, POLICY, Cosigning, cosigned_findings, kept_checkpoint
from compliance.ledger import Ledger, NewEvidence
from compliance.witness_book import WitnessBook
from compliance.witness_policy import Log
from crypto.cosignature import Verifier
from crypto.keys import SigningKey
from crypto.words import BadInput, Words

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORIGIN = "log.example"
LOG = SigningKey.generate()
KEYS = {name: SigningKey.generate() for name in ("p", "a", "b")}


class Peers:
    """Three witnesses on the far side of ``ask``; ``gone`` are out of reach."""

    def __init__(self, folder: Path) -> None:
        self.gone: set[str] = set()
        self.books = {
            name: WitnessBook(folder / name, f"{name}.example", key, forked=lambda *_: None)
            for name, key in KEYS.items()
        }
        self.asked = 0

    def ask(self, url: str, body: bytes) -> tuple[int, str]:
        name = url.split("/")[2]
        self.asked += 1
        if name in self.gone:
            raise OSError("no route")
        logs = {ORIGIN: Log(Verifier(ORIGIN, LOG.public, False), "")}
        answer = self.books[name].add_checkpoint(body, logs, NOW)
        return answer.status, answer.body


class Center:
    """A ledger with the asking side."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[Words] = []
        self.ledger = Ledger.open(folder / "evidence", center="c", origin=ORIGIN, key=LOG)
        self.cosigning = self.again()

    def again(self) -> Cosigning:
        return Cosigning(
            self.folder / "witness",
            self.ledger,
            contradicted=lambda words, _: self.told.append(words),
        )

    def grow(self, count: int, now: datetime, text: str = "x") -> None:
        entry = NewEvidence(kind="audit", actor="user:a", subject="s", summary=text, payload=b"")
        self.ledger.append([entry] * count, now)
        self.ledger.checkpoint(now)


@pytest.fixture(name="peers")
def _peers(tmp_path: Path) -> Peers:
    return Peers(tmp_path / "peers")


@pytest.fixture(name="center")
def _center(tmp_path: Path) -> Iterator[Center]:
    made = Center(tmp_path / "center")
    lines = [
        f"witness {name} {Verifier(f'{name}.example', key.public, True).line()} http://{name}"
        for name, key in KEYS.items()
    ]
    policy = "\n".join([*lines, "group near 1 a b", "group both all p near", "quorum both", ""])
    (made.folder / "witness" / POLICY).write_text(policy)
    yield made
    made.ledger.close()


def test_a_quorum_cosigns_and_the_rest_does_not_hold_it_up(center: Center, peers: Peers) -> None:
    peers.gone = {"a"}
    assert not center.cosigning.round(NOW, peers.ask)  # no checkpoint yet
    center.grow(3, NOW)
    assert center.cosigning.witnessed().unwitnessed_since == NOW
    assert center.cosigning.round(NOW, peers.ask)
    state = center.again().witnessed()
    assert (state.quorum, state.size, state.time, state.unwitnessed_since) == (True, 3, NOW, None)
    sizes = {one.witness: one.size for one in state.witnesses}
    assert sizes == {"p": 3, "a": 0, "b": 3}
    problem = next(one.problem for one in state.witnesses if one.witness == "a")
    assert problem is not None
    assert "no route" in problem.en
    peers.gone = set()
    peers.asked = 0
    assert center.cosigning.round(NOW, peers.ask)
    assert peers.asked == 1  # only the one that was missing
    assert not center.told


def test_cut_off_it_goes_on_and_says_since_when(center: Center, peers: Peers) -> None:
    center.grow(3, NOW)
    center.cosigning.round(NOW, peers.ask)
    peers.gone = {"p"}
    for step in (1, 2):
        center.grow(2, NOW + step * MINUTE)
        assert not center.cosigning.round(NOW + step * MINUTE, peers.ask)
    state = center.cosigning.witnessed()
    assert (state.size, state.unwitnessed_since) == (3, NOW + MINUTE)
    peers.gone = set()
    assert center.again().round(NOW + 3 * MINUTE, peers.ask)
    assert center.cosigning.witnessed().unwitnessed_since is None


def test_a_changed_byte_of_what_was_cosigned_is_a_finding(center: Center, peers: Peers) -> None:
    assert cosigned_findings(center.folder / "witness", center.ledger) == []
    center.grow(3, NOW)
    assert center.cosigning.round(NOW, peers.ask)
    path = center.folder / "witness" / COSIGNED
    raw = path.read_bytes()
    assert cosigned_findings(path.parent, center.ledger) == []
    for at in range(len(raw)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        (finding, *_) = cosigned_findings(path.parent, center.ledger)
        assert f"witness/{COSIGNED}" in finding.en
    path.write_bytes(b"rubbish")
    assert kept_checkpoint(path.parent, center.ledger) is None
    assert center.cosigning.witnessed().size == 0  # counts as absent, and the next round mends it
    assert center.again().round(NOW, peers.ask)
    assert cosigned_findings(path.parent, center.ledger) == []
    (path.parent / POLICY).write_text("nonsense")
    assert "witness/policy" in cosigned_findings(path.parent, center.ledger)[0].en


def test_lost_notes_of_where_the_witness_stands_are_asked_for(center: Center, peers: Peers) -> None:
    center.grow(3, NOW)
    center.cosigning.round(NOW, peers.ask)
    (center.folder / "witness/standing.json").write_text("rubbish")
    center.grow(1, NOW)
    assert center.again().round(NOW, peers.ask)


def test_a_rolled_back_ledger_is_told_by_its_witnesses(center: Center, peers: Peers, tmp_path: Path) -> None:
    center.grow(3, NOW)
    center.cosigning.round(NOW, peers.ask)
    center.ledger.close()
    shutil.copytree(center.folder, tmp_path / "copy")
    center.ledger = Ledger.open(center.folder / "evidence", center="c", origin=ORIGIN, key=LOG)
    center.cosigning = center.again()
    center.grow(4, NOW)
    assert center.cosigning.round(NOW, peers.ask)
    back = Center(tmp_path / "copy")
    back.grow(1, NOW)
    for _ in range(2):
        assert not back.cosigning.round(NOW, peers.ask)
    assert [words.en.split(" ")[1] for words in back.told] == ["p", "a", "b"]
    assert "rolled back" in back.told[0].en
    back.grow(3, NOW, "else")  # as large as what they saw, with another root
    assert not back.again().round(NOW, peers.ask)
    assert "another root at 7" in back.told[-1].en
    back.grow(3, NOW)
    assert not back.again().round(NOW, peers.ask)
    assert "another history of the first 7" in back.told[-1].en
    back.ledger.close()


def test_a_cosigned_note_counts_only_under_the_policy_of_today(center: Center, peers: Peers) -> None:
    center.grow(3, NOW)
    center.cosigning.round(NOW, peers.ask)
    folder = center.folder / "witness"
    note = center.cosigning.cosigned()
    assert note is not None
    assert len(note.signatures) == 4
    policy = (folder / POLICY).read_text()
    (folder / POLICY).write_text(policy.replace("group both all p near", "group both all p near a b"))
    assert center.cosigning.cosigned() is not None
    kept = parse_and_drop(folder / COSIGNED)
    assert center.cosigning.cosigned() is None
    (folder / COSIGNED).write_bytes(kept)
    (folder / POLICY).write_text("nonsense")
    with pytest.raises(BadInput, match="policy-malformed"):
        center.cosigning.round(NOW, peers.ask)
    (folder / POLICY).unlink()
    assert center.cosigning.cosigned() is None
    assert not center.cosigning.round(NOW, peers.ask)
    assert not center.cosigning.witnessed().quorum


def parse_and_drop(path: Path) -> bytes:
    """Take the last line, a cosignature, off a note."""
    whole = path.read_bytes()
    path.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    return whole


def test_a_witness_that_signs_something_else_is_not_believed(center: Center, peers: Peers) -> None:
    center.grow(3, NOW)

    def ask(url: str, body: bytes) -> tuple[int, str]:
        status, text = peers.ask(url, body)
        return status, text.replace("p.example", "a.example") if "//p" in url else text

    assert not center.cosigning.round(NOW, ask)
    problem = center.cosigning.witnessed().witnesses[0].problem
    assert problem is not None
    assert "does not hold" in problem.en
    for answer in ((500, "broken"), (409, "x" * 30), (409, "3\n"), (200, "")):
        assert not center.again().round(NOW, lambda *_, answer=answer: answer)
