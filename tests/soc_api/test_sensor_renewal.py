"""Renewal at the center: two certificates are good until the new one is used, then one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto import pem, sm3
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.words import Refused
from crypto.x509 import REQUEST, Certificate, read_certificates, read_request
from crypto.x509_issue import Subject, request_der
from detection.store.state import Engine, open_state
from sensors.messages import EnrolRequest, Renew, Renewed
from sensors.token import decode_token
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.migrate import upgrade
from soc_api.sensor_configuration import ConfigurationDesk, Layer, Scope
from soc_api.sensor_configuration_store import ConfigurationStore
from soc_api.sensor_control import SensorControl
from soc_api.sensor_renewal import RenewalDesk
from soc_api.sensor_renewal_store import RenewalStore

START = datetime(2026, 1, 1, tzinfo=UTC)


def asked(key: SigningKey) -> str:
    subject = Subject(common_name="web-host", id="web-host")
    return pem.encode(request_der(key, "sensor", subject), REQUEST).decode()


class Center:
    """A center with one enrolled sensor."""

    def __init__(self, engine: Engine, keys: Path) -> None:
        self.now = START
        self.authority = LinkAuthority(keys)
        self.authority.create("city", START)
        self.renewals = RenewalDesk(RenewalStore(engine), self.authority, lambda: self.now)
        self.store = EnrolmentStore(engine)
        self.desk = EnrolmentDesk(
            self.store, self.authority, "city", lambda: self.now, renewals=self.renewals
        )
        configurations = ConfigurationDesk(
            ConfigurationStore(engine), self.authority, "city", lambda: self.now
        )
        self.configurations = configurations
        self.control = SensorControl(self.store, configurations, self.renewals)
        token = decode_token(self.desk.give_token(unit="u1", addresses=["127.0.0.1:1"], actor="a"))
        request = EnrolRequest(
            token=token.id,
            secret=token.secret,
            sensor="web-host",
            kind="host",
            hostname="web",
            request=asked(SigningKey.generate()),
        )
        self.first = leaf(self.desk.enrol(request).certificate)

    def admitted(self, certificate: Certificate) -> bool:
        try:
            self.desk.admission("web-host", certificate.fingerprint)
        except Refused:
            return False
        return True

    def renew(self, sensor: str, request: Renew) -> Renewed:
        return self.control.renew(sensor, self.first.fingerprint, request)

    def revoked(self) -> set[str]:
        return {one.serial for one in self.authority.folder.issued() if one.revoked is not None}


def leaf(chain: str) -> Certificate:
    return read_certificates(chain.encode())[0]


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine)
    yield Center(engine, tmp_path / "keys")
    engine.dispose()


def test_both_are_good_until_the_new_one_is_used_then_the_old_one_is_revoked(center: Center) -> None:
    center.now += timedelta(days=250)
    key = SigningKey.generate()
    new = leaf(center.renew("web-host", Renew(request=asked(key))).certificate)
    assert new.key_id == key.public.key_id
    assert new.identity.id == "web-host"
    assert new.not_after > center.first.not_after
    assert center.admitted(center.first)
    assert center.admitted(new)
    assert not center.admitted(center.first)
    assert center.admitted(new)
    assert center.revoked() == {f"{center.first.serial:x}"}
    record = center.store.sensor("web-host")
    assert record is not None
    assert record.key_digest == sm3.sm3_hex(read_request(asked(key).encode()).spki)


def test_an_answer_that_was_lost_is_given_again_and_another_key_replaces_it(center: Center) -> None:
    center.now += timedelta(days=250)
    key = SigningKey.generate()
    first = center.renew("web-host", Renew(request=asked(key)))
    assert center.renew("web-host", Renew(request=asked(key))) == first
    other = leaf(center.renew("web-host", Renew(request=asked(SigningKey.generate()))).certificate)
    assert not center.admitted(leaf(first.certificate))
    assert center.admitted(center.first)
    assert center.admitted(other)
    assert f"{leaf(first.certificate).serial:x}" in center.revoked()


def test_it_is_not_given_early_nor_to_the_unknown_or_revoked(center: Center) -> None:
    wish = Renew(request=asked(SigningKey.generate()))
    with pytest.raises(Refused) as caught:
        center.renew("web-host", wish)
    assert caught.value.code == "renewal-early"
    with pytest.raises(Refused):
        center.renew("nobody", wish)
    center.now += timedelta(days=250)
    new = leaf(center.renew("web-host", wish).certificate)
    center.desk.revoke("web-host", actor="a")
    assert not center.admitted(new)
    assert not center.admitted(center.first)
    assert center.revoked() == {f"{new.serial:x}", f"{center.first.serial:x}"}
    with pytest.raises(Refused):
        center.renew("web-host", wish)


def test_a_moved_sensor_gets_its_unit_into_the_next_certificate(center: Center) -> None:
    center.store.move("web-host", "u2", "dmz")
    center.now += timedelta(days=250)
    new = leaf(center.renew("web-host", Renew(request=asked(SigningKey.generate()))).certificate)
    assert new.identity.unit == "u2"


def test_a_connection_is_given_a_configuration_only_where_it_holds_an_older_one(center: Center) -> None:
    assert center.control.newest() == 0
    assert center.control.configuration("web-host", 0) is None
    center.configurations.configure(Scope(kind="host"), Layer(), actor="a")
    assert center.control.newest() == 1
    assert center.control.configuration("web-host", 0) is not None
    assert center.control.configuration("web-host", 1) is None
    assert center.control.configuration("nobody", 0) is None


def test_no_sensor_enrols_under_a_name_of_the_center(center: Center) -> None:
    token = decode_token(center.desk.give_token(unit="u1", addresses=["127.0.0.1:1"], actor="a"))
    request = EnrolRequest(
        token=token.id,
        secret=token.secret,
        sensor="liuhe.center",
        kind="host",
        hostname="web",
        request=asked(SigningKey.generate()),
    )
    with pytest.raises(Refused):
        center.desk.enrol(request)
