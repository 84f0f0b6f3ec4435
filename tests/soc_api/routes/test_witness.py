"""Tests of the witness routes: open to peers, the state for those who may read evidence."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from tests.compliance.test_witness import FORKED, GOOD, TREE
from tests.soc_api.test_witnessing import witnessing


@pytest.fixture(name="peered")
def _peered(world: Any, tmp_path: Path) -> Any:
    here = witnessing(tmp_path / "w", world)
    world.center = dataclasses.replace(world.center, witnessing=here)
    world.app.state.center = world.center
    return world


def test_a_center_without_one_says_so(world: Any) -> None:
    answer = world.client()("POST", "/witness/add-checkpoint", content=GOOD)
    assert (answer.status_code, answer.json()["code"]) == (404, "witness-not-found")


def test_peers_need_no_session_but_a_proof(peered: Any) -> None:
    client = peered.client()

    def ask(body: bytes) -> tuple[int, str, str]:
        answer = client("POST", "/witness/add-checkpoint", content=body)
        return answer.status_code, answer.text, answer.headers["content-type"]

    status, text, kind = ask(TREE.request(0, 7).encode())
    assert (status, kind) == (200, "text/plain; charset=utf-8")
    assert text.startswith("— liuhe.local/local/witness ")
    assert ask(TREE.request(0, 9).encode()) == (409, "7\n", "text/x.tlog.size")
    assert ask(FORKED.request(7, 12).encode())[0] == 422
    assert ask(b"rubbish")[0] == 400
    assert ask(bytes(70_000))[0] == 400
    assert ask(TREE.request(7, 12).encode())[0] == 200


def test_the_state_is_shown(peered: Any) -> None:
    body = peered.signed_in("analyst")("GET", "/witness").json()
    assert body.pop("key").startswith("liuhe.local/local/witness+")
    assert [(one["size"], len(one["origin"]) > 0) for one in body.pop("logs")] == [(0, True)]
    assert body == {
        "quorum": False,
        "size": 0,
        "time": None,
        "unwitnessed_since": None,
        "waits_since": None,
        "patience_minutes": 60,
        "witnesses": [],
        "alarms": [],
    }
    assert peered.client()("POST", "/witness/add-checkpoint", content=TREE.request(0, 7).encode()).is_success
    peered.client()("POST", "/witness/add-checkpoint", content=FORKED.request(0, 7).encode())
    (alarm,) = peered.signed_in("analyst", "zweite")("GET", "/witness").json()["alarms"]
    assert (alarm["kind"], alarm["open"]) == ("fork", True)
    assert alarm["group"]
