"""The ledger's side of the api process: beats that tell of witnessing, rounds that end with it."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from soc_api.folders import Folders
from soc_api.ledger_side import ledger_timers, open_witnessing, witness_rounds
from soc_api.settings import Identity, Settings

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_beats_leave_heartbeats_and_checkpoints(world: Any, tmp_path: Path) -> None:
    folders = Folders(tmp_path / "center")
    settings = Settings(center=Identity(id="js", unit="320000-local"))
    witnessing = open_witnessing(folders, settings, world.engine, world.ledger)
    assert witnessing.verifier.name == "liuhe.local/js/witness"
    assert world.ledger.record(0).kind == "key"
    assert world.ledger.payload_of(world.ledger.record(0)).decode().endswith(witnessing.verifier.line())
    again = open_witnessing(folders, settings, world.engine, world.ledger)
    assert again.verifier.line() == witnessing.verifier.line()
    timers = {timer.name: timer for timer in ledger_timers(world.ledger, witnessing)}
    assert timers["heartbeat"].seconds == 60
    timers["heartbeat"].work(NOW)
    said = msgspec.json.decode(world.ledger.payload_of(world.ledger.record(1)))
    assert (said["size"], said["witnessed"], said["unwitnessed_since"]) == (1, 0, None)
    assert timers["checkpoint"].work(NOW) is False  # not a minute yet


def test_rounds_run_beside_and_end(tmp_path: Path) -> None:
    ran: list[bool] = []

    def run(stop: Any, *_: object) -> None:
        ran.append(stop.wait(30))

    with witness_rounds(Folders(tmp_path), cast("Any", SimpleNamespace(run=run))):
        pass
    assert ran == [True]
