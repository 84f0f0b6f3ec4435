"""What the api process does for its ledger beside writing it: witnessing both ways, beats, checkpoints."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from compliance.jobs import Timer
from compliance.ledger import Ledger
from compliance.ledger_jobs import HEARTBEAT_SECONDS, LedgerBeats
from detection.store.alert_store import AlertStore
from detection.store.hit_store import HitStore
from detection.store.state import Engine
from soc_api.folders import Folders
from soc_api.settings import Settings
from soc_api.speech import say
from soc_api.witness_client import asker
from soc_api.witnessing import Witnessing, witness_key, witness_name

WATCH_SECONDS: Final = 60.0  # between looks at how long records wait for their witnesses


def open_witnessing(folders: Folders, settings: Settings, engine: Engine, ledger: Ledger) -> Witnessing:
    """The witness side of a center; its key is made on the first start. Raises LiuheError."""
    witnessing = Witnessing(
        folders.witness,
        ledger,
        AlertStore(engine),
        hits=HitStore(engine),
        name=witness_name(settings.center.id),
        key=witness_key(folders.keys),
        unit=settings.center.unit,
        patience=timedelta(minutes=settings.evidence.unwitnessed_minutes_max),
    )
    witnessing.record_keys(datetime.now(UTC))
    return witnessing


def ledger_timers(ledger: Ledger, witnessing: Witnessing) -> list[Timer]:
    """The beats of the ledger for the jobs loop."""

    def state() -> dict[str, Any]:
        witnessed = witnessing.witnessed()
        since = witnessed.unwitnessed_since
        return {
            "witnessed": witnessed.size,
            "unwitnessed_since": since.isoformat() if witnessed.quorum and since else None,
        }

    beats = LedgerBeats(ledger, state=state)
    return [
        Timer("heartbeat", HEARTBEAT_SECONDS, beats.heartbeat),
        Timer("checkpoint", 0.0, beats.checkpoint),
        Timer("witness", WATCH_SECONDS, witnessing.watch),
    ]


@contextmanager
def witness_rounds(folders: Folders, witnessing: Witnessing) -> Iterator[None]:
    """Have checkpoints cosigned on a thread of its own, so that a slow peer holds nothing up."""
    stop = threading.Event()
    ask = asker(folders.witness / "ca.pem")
    worker = threading.Thread(target=witnessing.run, args=(stop, ask, say), name="witness", daemon=True)
    worker.start()
    try:
        yield
    finally:
        stop.set()  # a peer that does not answer must not hold up a stop
        worker.join(timeout=2)
