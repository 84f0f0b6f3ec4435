"""Learning, freezing, scoring: one run over simulated hours, cut in any way, restarted anywhere."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest

from detection.alert import Alert
from detection.anomaly.detector import AnomalyDetector
from detection.anomaly.learning import state_words
from detection.anomaly.open import open_anomaly
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 75
ATTACK = 70


def _event(number: int, seconds: float, **fields: str) -> Event:
    named = {name.replace("__", "."): value for name, value in fields.items()}
    seen = Observation(
        time=START + timedelta(seconds=seconds), logsource=LogSource(), fields={"host.name": "web", **named}
    )
    return stamp(seen, unit="u", sensor="s", epoch=0, sequence=number)


def _hour() -> list[Event]:
    """An hour and a quarter of a calm host, with one minute of 400 failed logins and unknown programs."""
    made = np.random.default_rng(11)
    events: list[Event] = []
    for minute in range(MINUTES):
        for second in sorted(made.uniform(0, 60, int(made.poisson(8)) + 1)):
            program = f"/usr/bin/tool{made.integers(0, 6)}"
            fields = {"event__dataset": "process.start", "process__executable": program}
            events.append(_event(len(events), minute * 60 + second, **fields))
        if minute == ATTACK:
            for one in range(400):
                fields = {"event__dataset": "auth", "event__category": "authentication"}
                seconds = minute * 60 + one / 7
                events.append(_event(len(events), seconds, **fields, event__outcome="failure"))
    return sorted(events, key=lambda one: one.time)


@pytest.fixture(scope="module")
def hour() -> list[Event]:
    return _hour()


@pytest.fixture(scope="module")
def whole(hour: list[Event], tmp_path_factory: pytest.TempPathFactory) -> list[Alert]:
    """The alerts of the hour fed at once."""
    return _open(tmp_path_factory.mktemp("whole")).feed(hour)


def _open(folder: Path) -> AnomalyDetector:
    detector, refused = open_anomaly(folder, folder / "models.pem", START)
    assert refused == []
    return detector


def test_it_learns_sixty_windows_freezes_and_finds_the_attack(hour: list[Event], tmp_path: Path) -> None:
    detector = _open(tmp_path)
    assert "0/60" in detector.state().zh
    alerts = detector.feed(hour)
    assert "0/60" in detector.state().en  # of network sources, which were not seen
    assert "hosts" not in detector.state().en
    assert detector.scored == MINUTES - 61  # 60 learned, the last one still open
    assert [alert.entity for alert in alerts] == ["host:web"]
    (alert,) = alerts
    assert alert.time >= START + timedelta(minutes=ATTACK)
    assert "登录失败数 400（平常 0–0）" in alert.reason.zh
    assert "400 failed logins (usually 0–0)" in alert.reason.en
    assert "logins_failed" in [match.field for match in alert.matched]
    assert (tmp_path / "host" / "000001" / "manifest.sig").is_file()


def test_the_cut_into_batches_changes_nothing(hour: list[Event], whole: list[Alert], tmp_path: Path) -> None:
    detector = _open(tmp_path)
    cut: list[Alert] = []
    for at in range(0, len(hour), 7):
        cut += detector.feed(hour[at : at + 7])
    assert cut == whole


@pytest.mark.parametrize("minute", [59, 62, 71])
def test_a_restart_from_snapshot_and_replay_gives_the_same_alerts(
    hour: list[Event], whole: list[Alert], tmp_path: Path, minute: int
) -> None:
    folder = tmp_path / "again"
    first = _open(folder)
    killed = START + timedelta(minutes=minute, seconds=20)
    done = [one for one in hour if one.time < killed]
    alerts = first.feed(done)
    kept = first.snapshot()
    assert kept is not None
    assert first.snapshot() is None

    second = _open(folder)
    second.recall(kept)
    second.feed([one for one in done if one.time >= killed - timedelta(minutes=10)])
    alerts += second.feed([one for one in hour if one.time >= killed])
    assert {alert.id for alert in alerts} == {alert.id for alert in whole}
    assert "0/60" in second.state().en  # of network sources
    assert "hosts" not in second.state().en


def test_another_process_reads_the_state_from_the_snapshot(hour: list[Event], tmp_path: Path) -> None:
    detector = _open(tmp_path)
    detector.feed([one for one in hour if one.time < START + timedelta(minutes=20)])
    kept = detector.snapshot()
    assert state_words(kept, 60) == detector.state()
    assert "主机 18/60" in detector.state().zh or "主机 19/60" in detector.state().zh
    assert "0/60" in state_words(None, 60).zh
    assert "未知" in state_words(b"{", 60).zh


def test_a_refused_model_is_learned_anew(hour: list[Event], tmp_path: Path) -> None:
    _open(tmp_path).feed(hour)
    (tmp_path / "host" / "000001" / "manifest.json").write_text("{}")
    detector, refused = open_anomaly(tmp_path, tmp_path / "models.pem", START)
    assert [error.code for error in refused] == ["model-refused"]
    assert "主机 0/60" in detector.state().zh


def test_a_snapshot_of_another_shape_is_left_aside(tmp_path: Path) -> None:
    detector = _open(tmp_path)
    assert not detector.recall(b'{"needed": "x"}')
    assert "0/60" in detector.state().zh


def test_what_an_older_edition_knew_of_entities_is_set_aside(hour: list[Event], tmp_path: Path) -> None:
    first = _open(tmp_path)
    first.feed(hour)
    kept = msgspec.json.decode(first.snapshot() or b"")
    assert _open(tmp_path).recall(msgspec.json.encode(kept))
    kept["own"]["host"]["baseline"] = ""
    assert not _open(tmp_path).recall(msgspec.json.encode(kept))
    del kept["waiting"]  # of before there were peer groups
    assert not _open(tmp_path).recall(msgspec.json.encode(kept))


LISTS = {
    "windows.toml": """
window_seconds = 600
learning_windows = 20
[refit]
rows_min = 60
[groups]
rows_min = 100
""",
    "peers.toml": """
[[groups]]
name = "database"
zh = "数据库服务器"
en = "database servers"
hosts = ["db*"]
""",
}


def test_a_listed_peer_group_gets_a_signed_model_of_its_own_and_speaks(tmp_path: Path) -> None:
    lists, models = tmp_path / "lists", tmp_path / "models"
    lists.mkdir()
    for name, text in LISTS.items():
        (lists / name).write_text(text, encoding="utf-8")

    def opened() -> AnomalyDetector:
        detector, refused = open_anomaly(models, tmp_path / "key.pem", START, lists / "windows.toml")
        assert refused == []
        return detector

    def window(number: int, host: str, count: int) -> list[Event]:
        fields = {"host__name": host, "event__dataset": "auth", "event__category": "authentication"}
        return [
            _event(number * 1_000 + one, number * 600 + one, **fields, event__outcome="success")
            for one in range(count)
        ]

    made = np.random.default_rng(5)
    detector = opened()
    alerts: list[Alert] = []
    for number in range(260):  # a day and three quarters
        for host, rate in (("desk1", 2), ("desk2", 2), ("db1", 30)):
            alerts += detector.feed(window(number, host, int(made.poisson(rate)) + 1))
    deadline = time.monotonic() + 60
    number = 260
    while not (models / "host.database" / "chosen.json").exists() and time.monotonic() < deadline:
        detector.feed(window(number, "db1", 30))  # the model is fitted beside
        number += 1
        time.sleep(0.1)
    kept = detector.snapshot()
    assert kept is not None
    again = opened()
    assert again.recall(kept)
    few = again.feed([*window(number + 1, "db1", 3), *window(number + 3, "db1", 3)])  # as a desk does
    assert [one.entity for one in few] == ["host:db1"]
    assert "数据库服务器时间窗" in few[0].reason.zh
    assert "windows of database servers" in few[0].reason.en
    assert "在 10 分钟内" in few[0].reason.zh

    (models / "host.database" / "000001" / "manifest.json").write_text("{}")
    third, refused = open_anomaly(models, tmp_path / "key.pem", START, lists / "windows.toml")
    assert [error.code for error in refused] == ["model-refused"]
    assert third.recall(kept)
    third.feed([*window(number + 1, "db1", 3), *window(number + 3, "db1", 3)])
    assert third.scored  # the kind's model speaks for the group
