"""Tokens and revocations by command: used once, audited, refused clearly."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import BadInput, Refused
from soc_api.desk import give_token, revoke
from soc_api.folders import Folders, audit_of, create, state_engine
from soc_api.settings import Settings, load_settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    create(tmp_path / "center", Settings())
    return tmp_path / "center"


def actions(data: Path) -> list[str]:
    engine = state_engine(Folders(data), load_settings(data))
    rows = audit_of(engine).page().rows
    engine.dispose()
    return [line.entry.action for line in rows]


def test_a_token_is_given_and_audited(data: Path) -> None:
    first = give_token(data, unit="", addresses=[], hours=1, actor="local:root")
    assert first != give_token(data, unit="u", addresses=["[::1]:8610"], hours=1, actor="local:root")
    assert actions(data)[:2] == ["sensor.token", "sensor.token"]


@pytest.mark.parametrize(("addresses", "hours"), [(["nowhere"], 1), ([], 0), ([], 10**6)])
def test_what_cannot_be_a_token_is_refused(data: Path, addresses: list[str], hours: int) -> None:
    with pytest.raises(BadInput):
        give_token(data, unit="", addresses=addresses, hours=hours, actor="local:root")


def test_an_unknown_sensor_is_not_revoked(data: Path) -> None:
    before = datetime.now(UTC)
    with pytest.raises(Refused, match="sensor-not-found"):
        revoke(data, "absent", actor="local:root")
    assert actions(data)[0] == "sensor.revoke"
    assert before <= datetime.now(UTC)
