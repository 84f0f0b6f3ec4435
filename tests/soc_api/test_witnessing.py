"""A center as witness and as witnessed: alarms with leaf and alert, the policy on record, real HTTP."""

import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from compliance.ledger import Ledger, NewEvidence
from crypto.cosignature import Verifier, cosign
from crypto.keys import SigningKey
from crypto.note import parse_note, with_signatures
from crypto.words import BadInput, Words
from detection.store.hit_store import HitStore
from soc_api.witness_client import asker
from soc_api.witnessing import Witnessing, witness_key, witness_name
from tests.compliance.test_witness import FORKED, LOG, ORIGIN, TREE

NOW = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)


def witnessing(folder: Path, world: Any) -> Witnessing:
    made = Witnessing(
        folder / "witness",
        world.ledger,
        world.alerts,
        hits=HitStore(world.engine),
        name=witness_name("local"),
        key=SigningKey.generate(),
        unit="320000-local",
    )
    (folder / "witness/logs").write_text(f"log {Verifier(ORIGIN, LOG.public, False).line()}\n")
    return made


def kinds(world: Any) -> list[tuple[str, str]]:
    records = map(world.ledger.record, range(world.ledger.size))
    return [(record.kind, record.subject) for record in records]


def test_a_fork_of_a_peer_is_a_leaf_and_a_critical_alert(world: Any, tmp_path: Path) -> None:
    here = witnessing(tmp_path / "w", world)
    assert here.add_checkpoint(TREE.request(0, 7).encode(), NOW).status == 200
    assert here.add_checkpoint(FORKED.request(0, 7).encode(), NOW).status == 409
    assert kinds(world) == [("witness", f"fork:{ORIGIN}")]
    payload = world.ledger.payload_of(world.ledger.record(0))
    assert TREE.request(0, 7).note.encode() in payload
    assert FORKED.request(0, 7).note.encode() in payload
    (group,) = world.alerts.page().rows
    assert (group.rule, group.severity, group.entity) == ("ledger-fork", "critical", f"ledger:{ORIGIN}")
    assert [(one.kind, one.origin, one.group) for one in here.alarms()] == [("fork", ORIGIN, group.id)]
    assert [(one.origin, one.size) for one in here.watched()] == [(ORIGIN, 7)]
    alert = world.alerts.detail(group.id).alerts[0].alert
    assert "two different roots at 7" in alert.reason.en
    assert alert.events[-1].fields["gov.witness.leaf"] == 0


def test_a_policy_that_comes_into_force_is_recorded_once(world: Any, tmp_path: Path) -> None:
    here = witnessing(tmp_path / "w", world)
    policy = tmp_path / "w/witness/policy"
    key = SigningKey.generate().public
    policy.write_text(f"witness p {Verifier('p', key, True).line()}\nquorum p\n")
    for _ in range(2):
        assert not here.round(NOW, lambda *_: (500, ""))
    policy.write_text("nonsense")
    with pytest.raises(BadInput):
        here.round(NOW, lambda *_: (500, ""))
    policy.unlink()
    here.round(NOW, lambda *_: (500, ""))
    assert [kind for kind, _ in kinds(world)] == ["witness", "witness"]
    assert world.ledger.record(1).summary == "no witness policy in force"


def test_a_ledger_that_waits_too_long_for_its_witnesses_is_told_of_once(world: Any, tmp_path: Path) -> None:
    here, late = witnessing(tmp_path / "w", world), NOW + timedelta(hours=1, minutes=1)
    entry = NewEvidence(kind="audit", actor="user:a", subject="s", summary="x", payload=b"")
    world.ledger.append([entry], NOW)
    world.ledger.checkpoint(NOW)
    assert not here.watch(late)  # nobody asks for witnesses
    key = SigningKey.generate()
    policy = f"witness p {Verifier('p', key.public, True).line()}\nquorum p\n"
    (tmp_path / "w/witness/policy").write_text(policy)
    begun = NOW + timedelta(minutes=30)
    assert not here.round(begun, lambda *_: (500, ""))  # the policy comes into force
    assert here.waits_since(here.witnessed()) == begun  # who was asked later could not sign before
    late = begun + timedelta(hours=1, minutes=1)
    assert not here.watch(begun + timedelta(hours=1))
    assert here.watch(late)
    assert not here.watch(late)
    assert not witnessing(tmp_path / "w", world).watch(late)  # nor after a restart
    (group,) = world.alerts.page().rows
    assert (group.rule, group.severity) == ("ledger-unwitnessed", "high")
    assert "61 minutes; behind: p" in group.reason.en
    assert kinds(world)[-1] == ("witness", f"unwitnessed:{world.ledger.origin}")
    note = parse_note(world.ledger.latest().raw)
    signed = with_signatures(note, [cosign(note.text, "p", key, late)])
    (tmp_path / "w/witness/cosigned").write_bytes(signed.encode())
    assert here.findings() == []
    assert here.watch(late + timedelta(hours=2))  # the leaf of the first alarm waits again
    assert [one.kind for one in here.alarms()] == ["unwitnessed"]


class _Peer(BaseHTTPRequestHandler):
    """A witness behind real HTTP."""

    answers: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, text = self.answers(self.path, body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_two_centers_over_http(world: Any, tmp_path: Path) -> None:
    origin, log = "city.example", SigningKey.generate()
    province = witnessing(tmp_path / "province", world)
    (tmp_path / "province/witness/logs").write_text(f"log {Verifier(origin, log.public, False).line()}\n")

    def answers(path: str, body: bytes) -> tuple[int, str]:
        assert path == "/api/v1/witness/add-checkpoint"
        answer = province.add_checkpoint(body, NOW)
        return answer.status, answer.body

    peer = type("Peer", (_Peer,), {"answers": staticmethod(answers)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), peer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with Ledger.open(tmp_path / "city", center="city", origin=origin, key=log) as ledger:
            city = Witnessing(
                tmp_path / "w",
                ledger,
                world.alerts,
                hits=HitStore(world.engine),
                name="city",
                key=SigningKey.generate(),
                unit="320100",
            )
            url = f"http://127.0.0.1:{server.server_port}/api/v1/witness"
            policy = f"witness province {province.verifier.line()} {url}\nquorum province\n"
            (tmp_path / "w/policy").write_text(policy)
            entry = NewEvidence(kind="audit", actor="user:a", subject="s", summary="x", payload=b"")
            for size in (3, 5):
                ledger.append([entry] * 2, NOW)
                city.round(NOW, asker(None))  # the first round also records the policy
                ledger.checkpoint(NOW)
                assert city.round(NOW, asker(None))
                kept = city.kept()
                assert kept is not None
                assert kept.size == size
                assert (city.witnessed().size, city.witnessed().unwitnessed_since) == (size, None)
    finally:
        server.shutdown()
        server.server_close()


def test_rounds_go_on_when_peers_do_not_answer(
    world: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soc_api.witnessing.ROUND_SECONDS", 0.01)
    here, stop, said = witnessing(tmp_path / "w", world), threading.Event(), list[Words]()
    rounds: list[int] = []

    def broken(*_: object) -> bool:
        rounds.append(1)
        if len(rounds) == 3:
            stop.set()
        raise ValueError("not of this shape")  # whatever it is

    monkeypatch.setattr(here, "round", broken)
    here.run(stop, asker(None), said.append)
    assert (len(rounds), len(said)) == (3, 1)


def test_the_key_is_made_once(tmp_path: Path) -> None:
    assert witness_key(tmp_path).public.key_id == witness_key(tmp_path).public.key_id
