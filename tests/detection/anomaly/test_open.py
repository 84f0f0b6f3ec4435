"""Opening: shipped parameters, no PyOD before a model must be fitted, and the model before a refused one."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import UNSET

from crypto.words import BadInput, Words
from detection.alert import Claim, claim
from detection.anomaly.entities import entity_parameters
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.open import SignedShelf, open_anomaly, open_budget, open_habits, window_parameters
from detection.anomaly.registry import registry_in
from sensors.event import LogSource, Observation, stamp

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_opening_does_not_import_pyod(tmp_path: Path) -> None:
    code = (
        "import sys; from datetime import *; from pathlib import Path;"
        "from detection.anomaly.open import open_anomaly; p = Path(sys.argv[1]);"
        "open_anomaly(p / 'models', p / 'models.pem', datetime.now(UTC)); sys.exit('pyod' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == 0


def test_a_wrong_parameter_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text("window_minutes = 60\n")
    with pytest.raises(BadInput, match="parameters-malformed"):
        open_anomaly(tmp_path, tmp_path / "models.pem", NOW, path)


def test_the_site_may_shorten_what_is_learned(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text("learning_windows = 5\n[refit]\nrows_min = 10\n")
    found = window_parameters(path)
    assert (found.learning_windows, found.refit.rows_min) == (5, 10)
    assert found.refit.days_max == window_parameters(tmp_path / "missing.toml").refit.days_max


def test_where_the_champion_is_refused_the_one_before_speaks(model: FrozenModel, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "models.pem"
    registry = registry_in(tmp_path / "models", key)
    for _ in range(2):
        registry.try_out("host", registry.add(model, "p", NOW), NOW)
    registry.promote("host", NOW, "test")
    assert registry.chosen("host").champion == 2
    packed = tmp_path / "models" / "host" / "000002" / "arrays.npz"
    packed.write_bytes(packed.read_bytes()[:-1])
    detector, refused = open_anomaly(tmp_path / "models", key, NOW)
    assert [one.code for one in refused] == ["model-refused"]
    assert registry.chosen("host").champion == 1
    assert "主机" not in detector.state().zh
    assert [one.act for one in registry.acts(5)] == ["promoted", "refused", "rolled-back"][1:]


def test_a_damaged_pointer_starts_over(model: FrozenModel, tmp_path: Path) -> None:
    key = tmp_path / "keys" / "models.pem"
    registry = registry_in(tmp_path / "models", key)
    registry.try_out("host", registry.add(model, "p", NOW), NOW)
    (tmp_path / "models" / "host" / "chosen.json").write_text('{"champion": "x"}')
    detector, refused = open_anomaly(tmp_path / "models", key, NOW)
    assert len(refused) == 1
    assert "主机 0/60" in detector.state().zh


def test_a_way_back_from_outside_speaks_at_the_next_window(model: FrozenModel, tmp_path: Path) -> None:
    registry = registry_in(tmp_path / "models", tmp_path / "models.pem")
    for _ in range(2):
        registry.try_out("host", registry.add(model, "p", NOW), NOW)
    shelf = SignedShelf(registry, window_parameters())
    shelf.judge("host", promote=True, why="better", now=NOW)
    assert shelf.moved("host") is None  # its own act
    elsewhere = registry_in(tmp_path / "models", tmp_path / "models.pem")
    elsewhere.roll_back("host", NOW, "it was wrong", "user:sec")
    chosen = shelf.moved("host")
    assert chosen is not None
    assert chosen[1] is None
    assert shelf.moved("host") is None  # told once
    assert registry.acts(0)[-1].actor == "user:sec"


def test_a_choice_that_is_no_good_leaves_what_speaks(model: FrozenModel, tmp_path: Path) -> None:
    registry = registry_in(tmp_path / "models", tmp_path / "models.pem")
    registry.try_out("host", registry.add(model, "p", NOW), NOW)
    shelf = SignedShelf(registry, window_parameters())
    (tmp_path / "models" / "host" / "chosen.json").write_text('{"champion": 7}')
    assert shelf.moved("host") is None
    assert shelf.moved("source") is None


def test_a_site_sets_its_own_budget_and_habits(tmp_path: Path) -> None:
    (tmp_path / "feedback.toml").write_text("budget_per_unit = 0\n")
    (tmp_path / "entities.toml").write_text("[habit]\nsnapshot_seconds = 60\n")
    assert entity_parameters(tmp_path / "entities.toml").habit.snapshot_seconds == 60
    assert len(entity_parameters(tmp_path / "entities.toml").kinds) == 8
    assert open_habits(tmp_path).name == "habit"
    event = stamp(
        Observation(time=NOW, logsource=LogSource(), fields={}), unit="u", sensor="s", epoch=0, sequence=1
    )
    said = Claim(rule="anomaly.x", detector="anomaly", title=Words("题", "t"), severity="low")
    odd = claim(said, entity="host:a", reason=Words("因", "r"), events=(event,), matched=())
    assert [one.withheld for one in open_budget(tmp_path).sift([odd])] == [True]
    assert [one.withheld for one in open_budget().sift([odd])] == [UNSET]
    (tmp_path / "entities.toml").write_text("[[kinds]]\nname = 3\n")
    with pytest.raises(BadInput) as refused:
        open_habits(tmp_path)
    assert str(refused.value.field).endswith("entities.toml")
