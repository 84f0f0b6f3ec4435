"""Renewal: due at two thirds, a new key, and one working pair whatever dies in between."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.words import Refused
from crypto.x509 import REQUEST, read_request
from crypto.x509_issue import Subject, request_der
from sensors.messages import Renew, Renewed
from sensors.renewal import RETRY, Renewal, due

START = datetime(2026, 1, 1, tzinfo=UTC)


class Sensor:
    """A sensor enrolled at START by a center in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.authority = LinkAuthority(folder / "center")
        self.authority.create("city", START)
        self.path = folder / "keys" / "link.pem"
        self.now = START
        key = SigningKey.generate()
        subject = Subject(common_name="web-host", id="web-host")
        request = pem.encode(request_der(key, "sensor", subject), REQUEST)
        LinkIdentity(key=key, chain=self.issue(request)).save(self.path)
        self.before = self.path.read_bytes()

    def issue(self, request: bytes, sensor: str = "web-host", days: int = 90) -> tuple:  # type: ignore[type-arg]
        return self.authority.issue_sensor(request, sensor=sensor, unit="u1", now=self.now, days=days)

    def answer(self, asked: Renew, **values: object) -> Renewed:
        chain = self.issue(asked.request.encode(), **values)  # type: ignore[arg-type]
        return Renewed(certificate=b"".join(one.pem() for one in chain).decode())

    def renewal(self) -> Renewal:
        return Renewal(self.path, lambda: self.now)


@pytest.fixture
def sensor(tmp_path: Path) -> Sensor:
    return Sensor(tmp_path)


def test_it_asks_at_two_thirds_with_a_new_key_and_then_holds_a_new_pair(sensor: Sensor) -> None:
    renewal = sensor.renewal()
    assert renewal.request() is None
    sensor.now = START + timedelta(days=59)
    assert renewal.request() is None
    sensor.now = START + timedelta(days=61)
    asked = renewal.request()
    assert asked is not None
    assert read_request(asked.request.encode()).public_key().key_id != renewal.certificate().key_id
    assert sensor.path.read_bytes() == sensor.before
    new = renewal.install(sensor.answer(asked))
    assert LinkIdentity.load(sensor.path).certificate.der == new.der
    assert not due(new, sensor.now)
    assert sorted(path.name for path in sensor.path.parent.iterdir()) == ["link.pem"]
    sensor.now += RETRY
    assert renewal.request() is None


def test_without_an_answer_it_asks_again_with_the_same_key(sensor: Sensor) -> None:
    sensor.now = START + timedelta(days=61)
    renewal = sensor.renewal()
    first = renewal.request()
    assert first is not None
    assert renewal.request() is None
    sensor.now += RETRY
    second = renewal.request()
    killed = sensor.renewal().request()  # another process, after kill -9
    for again in (second, killed):
        assert again is not None
        assert key_of(again) == key_of(first)


def key_of(asked: Renew) -> str:
    return read_request(asked.request.encode()).public_key().key_id


def test_a_half_written_key_is_made_anew(sensor: Sensor) -> None:
    sensor.now = START + timedelta(days=61)
    damaged = sensor.path.with_name("next.key")
    damaged.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    damaged.chmod(0o600)
    asked = sensor.renewal().request()
    assert asked is not None
    sensor.renewal().install(sensor.answer(asked))


def test_an_answer_that_was_not_asked_for_changes_nothing(sensor: Sensor) -> None:
    renewal = sensor.renewal()
    sensor.now = START + timedelta(days=61)
    stranger = Renew(
        request=pem.encode(
            request_der(SigningKey.generate(), "sensor", Subject(common_name="web-host", id="web-host")),
            REQUEST,
        ).decode()
    )
    with pytest.raises(Refused):
        renewal.install(sensor.answer(stranger))
    asked = renewal.request()
    assert asked is not None
    for wrong in (
        sensor.answer(stranger),
        sensor.answer(asked, sensor="other-host"),
        sensor.answer(asked, days=5),
    ):
        with pytest.raises(Refused):
            renewal.install(wrong)
    assert sensor.path.read_bytes() == sensor.before
    renewal.install(sensor.answer(asked))


def test_a_renewal_that_died_before_it_tidied_up_still_makes_a_new_key_next_time(sensor: Sensor) -> None:
    sensor.now = START + timedelta(days=61)
    asked = sensor.renewal().request()
    assert asked is not None
    left = sensor.path.with_name("next.key").read_bytes()
    sensor.renewal().install(sensor.answer(asked))
    again = sensor.path.with_name("next.key")
    again.write_bytes(left)
    again.chmod(0o600)
    sensor.now += timedelta(days=61)
    second = sensor.renewal().request()
    assert second is not None
    assert key_of(second) != key_of(asked)
