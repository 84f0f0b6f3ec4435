"""Models over HTTP: who reads, who goes back, what is told."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from crypto.keys import SigningKey
from detection.anomaly.learning import Kept, Learning
from detection.anomaly.refit import Realised
from detection.anomaly.registry import ModelRegistry

WHY = {"reason": "新版本误报明显增多"}


@pytest.fixture
def models(world: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two versions of the hosts' model, the second one speaking; sources still learn."""
    desk = world.center.anomalies.models
    SigningKey.create(desk._key_file)
    folder = Path(desk._folder)
    for number in (1, 2):
        (folder / "host" / f"{number:06d}").mkdir(parents=True)
        (folder / "host" / f"{number:06d}" / "manifest.json").write_text("{}")
    (folder / "host" / "chosen.json").write_text('{"champion": 2, "before": [1]}')
    good = SimpleNamespace(rows=60, first=60, last=3_600)
    monkeypatch.setattr(ModelRegistry, "load", lambda *_: good)
    kept = Kept(refitted=20_000, champion=Realised(windows=400, hundredth=8))
    learned = Learning(needed=60, ready=["host"], rows={"source": [(60, (1.0,))]}, kept={"host": kept})
    state = {"anomaly": msgspec.json.encode(learned)}
    world.alerts.commit([], [], None, world.now, states=state)
    return folder


def test_kinds_versions_and_shares_are_told(world: Any, models: Path) -> None:
    body = world.signed_in("analyst")("GET", "/models").json()
    host, source = body["kinds"]
    assert (host["champion"], host["back"], host["learned"]) == (2, 1, 60)
    assert host["speaks"] == {"windows": 400, "times": 2.0}
    assert host["refitted"] == "2024-10-04T00:00:00Z"
    assert [(one["version"], one["role"], one["good"]) for one in host["versions"]] == [
        (2, "champion", True),
        (1, "before", True),
    ]
    assert (source["champion"], source["learned"], source["needed"]) == (0, 1, 60)
    assert (body["ranker"]["version"], body["ranker"]["needed"]) == (0, 50)
    assert body["key"]


def test_going_back_takes_the_security_admin_a_reason_and_leaves_a_trace(world: Any, models: Path) -> None:
    assert world.signed_in("analyst")("POST", "/models/host/roll-back", json=WHY).status_code == 403
    admin = world.signed_in("security_admin")
    assert admin("POST", "/models/host/roll-back", json={"reason": ""}).status_code == 422
    body = admin("POST", "/models/host/roll-back", json=WHY).json()
    assert (body["champion"], body["back"]) == (1, 0)
    (act,) = admin("GET", "/models").json()["acts"]
    assert (act["act"], act["version"], act["why"]) == ("rolled-back", 1, WHY["reason"])
    assert act["actor"] == "user:security-admin"
    lines = [one.entry for one in world.audit.since(0) if one.entry.action == "model.roll-back"]
    assert [line.result for line in lines] == ["accepted", "done"]
    assert lines[1].before != lines[1].after
    again = admin("POST", "/models/host/roll-back", json=WHY)
    assert (again.status_code, again.json()["code"]) == (409, "model-none")


def test_models_are_the_centers_own(world: Any, models: Path) -> None:
    far = world.signed_in("security_admin", "far", unit="320100")
    assert far("GET", "/models").status_code == 403
    assert far("POST", "/models/host/roll-back", json=WHY).status_code == 403
