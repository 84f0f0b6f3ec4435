"""What a connection carries besides batches: applied, refused once, renewed with a reconnect."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.link_trust import LinkTrust
from crypto.words import BadInput
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors.configuration import Body, ConfigurationFolder, sign
from sensors.control import Control
from sensors.event import Observation
from sensors.messages import Ack, Configuration, Renew, Renewed, RevocationLists
from sensors.renewal import Renewal
from sensors.settings import Settings

START = datetime(2026, 1, 1, tzinfo=UTC)


class Sensor:
    """A sensor enrolled at a center of its own, with everything it was told and what it told."""

    def __init__(self, folder: Path) -> None:
        self.now = START
        self.authority = LinkAuthority(folder / "center")
        self.authority.create("city", START)
        self.identity = folder / "keys" / "sensor.pem"
        self.trust = LinkTrust(folder / "keys" / "trust")
        self.trust.pin(self.authority.bundle(), self.authority.root().fingerprint, START)
        key = SigningKey.generate()
        subject = Subject(common_name="web-host", id="web-host")
        request = pem.encode(request_der(key, "sensor", subject), REQUEST)
        chain = self.authority.issue_sensor(request, sensor="web-host", unit="u1", now=START, days=90)
        LinkIdentity(key=key, chain=chain).save(self.identity)
        self.signer = SigningKey.generate()
        asked = pem.encode(
            request_der(self.signer, "center-sign", Subject(common_name="city", id="city")), REQUEST
        )
        self.chain = list(self.authority.issue_signer(asked, center="city", now=START))
        self.told: list[Observation] = []
        self.changes = 0
        self.folder = ConfigurationFolder(folder, "web-host", self.trust.store, lambda: self.now)
        self.control = Control(
            self.folder,
            Renewal(self.identity, lambda: self.now),
            self.trust,
            Settings(id="web-host", unit="u1", kind="host", center=["127.0.0.1:1"]),
            held=None,
            tell=self.told.append,
            changed=self._changed,
            now=lambda: self.now,
        )
        self.control.center = "city"

    def _changed(self) -> None:
        self.changes += 1

    def actions(self) -> list[object]:
        return [one.fields["event.action"] for one in self.told]

    def made(self, version: int, **more: Any) -> Configuration:
        values: dict[str, Any] = {"center": "city", "sensor": "web-host", "unit": "u1", "made": self.now}
        return sign(Body(**(values | {"version": version} | more)), self.signer, self.chain)


@pytest.fixture
def sensor(tmp_path: Path) -> Sensor:
    return Sensor(tmp_path)


def test_a_configuration_is_applied_and_a_number_alone_is_not_a_change(sensor: Sensor) -> None:
    control = sensor.control
    assert control.version() == 0
    control.take(sensor.made(1))
    assert (control.version(), sensor.changes) == (1, 0)
    control.take(sensor.made(2, settings={"host": {"probes": False}}))
    assert (control.version(), sensor.changes, sensor.actions()) == (2, 1, ["configuration-applied"])
    control.take(sensor.made(3, settings={"host": {"probes": False}}))
    assert (control.version(), sensor.changes) == (3, 1)
    control.take(sensor.made(4, unit="u2", settings={"host": {"probes": False}}))
    assert (control.version(), sensor.changes) == (4, 2)


def test_a_refused_configuration_is_told_once_and_the_connection_goes_on(sensor: Sensor) -> None:
    sensor.control.take(sensor.made(5))
    older = sensor.made(4)
    sensor.control.take(older)
    sensor.control.take(older)
    assert sensor.actions() == ["configuration-refused"]
    assert sensor.told[0].fields["gov.lifecycle.code"] == "configuration-older"
    forged = msgspec.structs.replace(sensor.made(6), signature=bytes(64))
    sensor.control.take(forged)
    assert sensor.control.version() == 5


def test_another_center_under_the_same_root_is_not_obeyed(sensor: Sensor) -> None:
    key = SigningKey.generate()
    asked = pem.encode(request_der(key, "center-sign", Subject(common_name="other", id="other")), REQUEST)
    chain = list(sensor.authority.issue_signer(asked, center="other", now=START))
    body = Body(center="other", sensor="web-host", unit="u1", version=1, made=START)
    sensor.control.take(sign(body, key, chain))
    assert sensor.control.version() == 0
    assert sensor.told[0].fields["gov.lifecycle.code"] == "configuration-foreign"


def test_after_a_renewal_the_connection_is_made_anew_once(sensor: Sensor) -> None:
    assert list(sensor.control.outgoing()) == []
    sensor.now += timedelta(days=61)
    (asked,) = sensor.control.outgoing()
    assert isinstance(asked, Renew)
    assert list(sensor.control.outgoing()) == []
    chain = sensor.authority.issue_sensor(
        asked.request.encode(), sensor="web-host", unit="u1", now=sensor.now, days=90
    )
    before = LinkIdentity.load(sensor.identity).certificate
    sensor.control.take(Renewed(certificate="".join(one.pem().decode() for one in chain)))
    assert LinkIdentity.load(sensor.identity).certificate.not_after > before.not_after
    with pytest.raises(ConnectionAbortedError):
        sensor.control.outgoing()
    assert list(sensor.control.outgoing()) == []
    assert sensor.actions() == ["certificate-renewed"]


def test_an_unasked_certificate_is_left_aside(sensor: Sensor) -> None:
    before = sensor.identity.read_bytes()
    sensor.control.take(Renewed(certificate="".join(one.pem().decode() for one in sensor.chain)))
    assert sensor.identity.read_bytes() == before
    assert sensor.told == []


def test_revocation_lists_are_kept_and_anything_else_is_an_error(sensor: Sensor) -> None:
    serial = f"{LinkIdentity.load(sensor.identity).certificate.serial:x}"
    sensor.authority.revoke(serial, START + timedelta(minutes=1))
    store = sensor.trust.store()
    sensor.control.take(RevocationLists(lists=sensor.authority.lists().decode()))
    assert sensor.trust.store() is not store
    with pytest.raises(BadInput):
        sensor.control.take(Ack(epoch=1, lane="alerts", sequence=1))


def test_an_unreadable_identity_does_not_end_the_connection(sensor: Sensor) -> None:
    sensor.identity.unlink()
    assert list(sensor.control.outgoing()) == []
