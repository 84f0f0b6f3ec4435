"""What the register lets a sensor deliver; tokens and certificates are tested through the listener."""

from datetime import UTC, datetime

import msgspec
import pytest

from crypto.words import Refused
from soc_api.enrolment import EnrolmentDesk, SensorRecord

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RECORD = SensorRecord(
    id="host-1",
    unit="province",
    kind="host",
    hostname="web-01",
    certificate="",
    fingerprint="f" * 64,
    key_digest="",
    enrolled=NOW,
)


class Register:
    """The one sensor; ``empty`` once it has nothing left."""

    empty = False

    def __init__(self, record: SensorRecord) -> None:
        self.record = record

    def sensor(self, identifier: str) -> SensorRecord | None:
        return self.record if identifier == self.record.id else None

    def settle(self, sensor: str, now: datetime) -> bool:
        return self.empty


def desk(register: Register) -> EnrolmentDesk:
    return EnrolmentDesk(register, None, "center", lambda: NOW)  # type: ignore[arg-type]


def test_the_register_says_to_which_unit_events_belong() -> None:
    assert desk(Register(RECORD)).admission("host-1", "f" * 64).unit == "province"


@pytest.mark.parametrize(("sensor", "fingerprint"), [("host-1", "0" * 64), ("host-2", "f" * 64)])
def test_another_certificate_than_the_current_one_opens_nothing(sensor: str, fingerprint: str) -> None:
    with pytest.raises(Refused, match="sensor-revoked"):
        desk(Register(RECORD)).admission(sensor, fingerprint)


def test_a_revoked_sensor_is_refused() -> None:
    with pytest.raises(Refused, match="sensor-revoked"):
        desk(Register(msgspec.structs.replace(RECORD, revoked=NOW))).admission("host-1", "f" * 64)


def test_a_quarantined_sensor_is_refused() -> None:
    with pytest.raises(Refused, match="sensor-quarantined"):
        desk(Register(msgspec.structs.replace(RECORD, quarantined=NOW))).admission("host-1", "f" * 64)


def test_a_draining_sensor_is_refused_once_it_has_nothing_left() -> None:
    register = Register(msgspec.structs.replace(RECORD, draining=NOW))
    assert desk(register).admission("host-1", "f" * 64).unit == "province"
    register.empty = True
    with pytest.raises(Refused, match="sensor-drained"):
        desk(register).admission("host-1", "f" * 64)
