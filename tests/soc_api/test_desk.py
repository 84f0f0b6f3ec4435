"""Tokens and revocations by command: used once, audited, refused clearly."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, Refused
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from soc_api.desk import drain, give_token, move, resume, revoke
from soc_api.enrolment import SensorRecord, TokenRecord
from soc_api.enrolment_store import EnrolmentStore
from soc_api.folders import Folders, audit_of, create, state_engine
from soc_api.migrate import upgrade
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


@pytest.fixture
def enrolled(data: Path) -> Path:
    engine = state_engine(Folders(data), load_settings(data))
    upgrade(engine)
    store = EnrolmentStore(engine)
    now = datetime.now(UTC)
    token = TokenRecord(
        id="t", secret_sm3="", unit="u", actor="a", created=now, expires=now + timedelta(hours=1)
    )
    store.add_token(token)
    key = SigningKey.generate()
    request = pem.encode(request_der(key, "sensor", Subject(common_name="web", id="web")), REQUEST)
    chain = LinkAuthority(Folders(data).keys).issue_sensor(request, sensor="web", unit="u", now=now)
    record = SensorRecord(
        id="web",
        unit="u",
        kind="host",
        hostname="web",
        certificate="".join(one.pem().decode("ascii") for one in chain),
        fingerprint=chain[0].fingerprint,
        key_digest="k",
        enrolled=now,
    )
    assert store.enrol("t", record)
    engine.dispose()
    return data


def register(data: Path) -> SensorRecord:
    engine = state_engine(Folders(data), load_settings(data))
    record = EnrolmentStore(engine).sensor("web")
    engine.dispose()
    assert record is not None
    return record


def test_a_sensor_is_moved_drained_and_taken_up_again(enrolled: Path) -> None:
    move(enrolled, "web", unit="city/clinic", group="web", actor="local:root")
    assert (register(enrolled).unit, register(enrolled).group) == ("city/clinic", "web")
    drain(enrolled, "web", actor="local:root")
    assert register(enrolled).draining is not None
    resume(enrolled, "web", actor="local:root")
    assert register(enrolled).draining is None
    assert actions(enrolled)[:3] == ["sensor.resume", "sensor.drain", "sensor.move"]


def test_a_revocation_keeps_who_and_why(enrolled: Path) -> None:
    revoke(enrolled, "web", reason="disk stolen", actor="local:root")
    found = register(enrolled)
    assert found.revoked is not None
    assert (found.revoked_by, found.revoked_reason) == ("local:root", "disk stolen")
    with pytest.raises(Refused, match="sensor-not-found"):
        drain(enrolled, "web", actor="local:root")


@pytest.mark.parametrize("reason", ["x" * 501, "a\x1b[2J"])
def test_a_reason_that_cannot_be_shown_is_refused(enrolled: Path, reason: str) -> None:
    with pytest.raises(BadInput, match="sensor-reason"):
        revoke(enrolled, "web", reason=reason, actor="local:root")
    assert register(enrolled).revoked is None


def test_a_unit_that_is_none_is_refused(enrolled: Path) -> None:
    with pytest.raises(BadInput, match="sensor-place"):
        move(enrolled, "web", unit=" ", actor="local:root")
