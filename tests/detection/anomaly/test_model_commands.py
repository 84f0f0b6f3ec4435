"""The command ``liuhe models``: lists what is signed and what is refused, and goes one step back."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import Refused
from detection.anomaly import model_commands
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.registry import registry_in

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    model_commands.register(parser.add_subparsers())
    found = parser.parse_args(["models", *arguments])
    return int(found.run(found))


def test_list_and_roll_back(model: FrozenModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    registry = registry_in(tmp_path / "models", tmp_path / "keys" / "models.pem")
    for _ in range(2):
        registry.try_out("host", registry.add(model, "p", NOW), NOW)
    registry.promote("host", NOW, "test")
    data = ["--data", str(tmp_path)]
    assert run(*data, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["version"], row["role"], row["state"]) for row in rows] == [
        (1, "before", "signed"),
        (2, "champion", "signed"),
    ]
    with pytest.raises(Refused, match="model-none"):
        run(*data, "--roll-back", "host")
    (tmp_path / "models" / "host" / "000002" / "manifest.sig").write_text("00")
    assert run(*data, "--roll-back", "host", "--reason", "it was wrong") == 0
    told = capsys.readouterr().out
    assert "champion" in told.splitlines()[0]
    assert "refused" in told.splitlines()[1]
    last = registry.acts(0)[-1]
    assert (last.why, last.actor.partition(":")[0]) == ("it was wrong", "local")
    with pytest.raises(Refused, match="model-none"):
        run(*data, "--roll-back", "host", "--reason", "again")
