"""Configurations of sensors at the center: layered by scope, numbered without end, signed for one sensor."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, Refused
from detection.store.state import Engine, open_state
from sensors.configuration import ConfigurationFolder, effective, verify
from sensors.settings import Settings
from soc_api.migrate import upgrade
from soc_api.sensor_configuration import ConfigurationDesk, Layer, Recipient, Scope, signing_identity
from soc_api.sensor_configuration_store import ConfigurationStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)
WEB = Recipient(id="web-host", unit="u1", kind="host", group="dmz")
MAIL = Recipient(id="mail-host", unit="u2", kind="host", group="")
TAP = Recipient(id="tap-network", unit="u1", kind="network", group="")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}")
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def authority(tmp_path: Path) -> LinkAuthority:
    authority = LinkAuthority(tmp_path / "keys")
    authority.create("city", NOW)
    return authority


@pytest.fixture
def desk(engine: Engine, authority: LinkAuthority) -> ConfigurationDesk:
    return ConfigurationDesk(ConfigurationStore(engine), authority, "city", lambda: NOW)


def poll(seconds: float) -> Layer:
    return Layer(settings={"host": {"probe_interval_seconds": seconds}})


def told(desk: ConfigurationDesk, authority: LinkAuthority, sensor: Recipient) -> tuple[int, float]:
    given = desk.configuration(sensor)
    assert given is not None
    body = verify(given, authority.store(), sensor=sensor.id, center="city", at=NOW)
    assert body.unit == sensor.unit
    kind = "host" if sensor.kind == "host" else "network"
    settings = Settings(id=sensor.id, unit="old", kind=kind, center=["127.0.0.1:1"])
    return body.version, effective(settings, body).host.probe_interval_seconds


def test_the_narrowest_scope_wins_and_others_are_not_concerned(
    desk: ConfigurationDesk, authority: LinkAuthority
) -> None:
    assert desk.configuration(WEB) is None
    desk.configure(Scope(group="dmz"), poll(10.0), actor="a")
    desk.configure(Scope(unit="u1"), poll(20.0), actor="a")
    desk.configure(Scope(kind="host"), poll(30.0), actor="a")
    desk.configure(Scope(), poll(40.0), actor="a")
    assert told(desk, authority, WEB) == (4, 10.0)
    assert told(desk, authority, MAIL) == (4, 30.0)
    assert told(desk, authority, TAP) == (4, 20.0)
    desk.configure(Scope(unit="u2", kind="host"), poll(5.0), actor="a")
    assert told(desk, authority, MAIL) == (5, 5.0)
    desk.configure(Scope(unit="u2", kind="host"), Layer(), actor="a")
    assert told(desk, authority, MAIL) == (6, 30.0)
    assert desk.newest() == 6


def test_a_layer_a_sensor_would_refuse_is_never_kept(desk: ConfigurationDesk) -> None:
    for scope, layer in (
        (Scope(), Layer(settings={"host": {"nonsense": 1}})),
        (Scope(kind="network"), Layer(settings={"network": {"ring_bytes": 1}})),
        (Scope(), Layer(settings={"id": {"x": 1}})),
        (Scope(), Layer(files={"mappings/none.toml": b""})),
        (Scope(unit="u" * 65), Layer()),
    ):
        with pytest.raises(BadInput):
            desk.configure(scope, layer, actor="a")
    assert desk.newest() == 0


def test_a_sensor_that_moved_learns_its_unit_by_a_higher_version(
    desk: ConfigurationDesk, authority: LinkAuthority, engine: Engine, tmp_path: Path
) -> None:
    store = ConfigurationStore(engine)
    desk.configure(Scope(unit="u1"), poll(10.0), actor="a")
    folder = ConfigurationFolder(tmp_path / "web", "web-host", authority.store, lambda: NOW)
    settings = Settings(id="web-host", unit="u1", kind="host", center=["127.0.0.1:1"])
    first = desk.configuration(WEB)
    assert first is not None
    folder.accept(first, settings, center="city")
    moved = Recipient(id="web-host", unit="u2", kind="host", group="")
    without = desk.configuration(moved)
    assert without is not None
    with pytest.raises(Refused):  # the same number with another content
        folder.accept(without, settings, center="city")
    assert store.touch("a", NOW) == 2
    second = desk.configuration(moved)
    assert second is not None
    body = folder.accept(second, settings, center="city")
    assert effective(settings, body).unit == "u2"


def test_a_center_restored_from_a_backup_goes_on_above_what_its_sensors_hold(engine: Engine) -> None:
    store = ConfigurationStore(engine)
    store.touch("a", NOW)
    assert store.raise_to(900, "a", NOW) == 900
    assert store.add(Scope(), Layer(), actor="a", reason="", now=NOW) == 901
    assert store.raise_to(3, "a", NOW) == 902
    assert [one.version for one in store.history()] == [902, 901, 900, 1]
    for wrong in (0, -1, 1 << 60):
        with pytest.raises(BadInput):
            store.raise_to(wrong, "a", NOW)


def test_the_signing_certificate_is_renewed_at_two_thirds(authority: LinkAuthority) -> None:
    first = signing_identity(authority, "city", NOW)
    assert signing_identity(authority, "city", NOW + timedelta(days=700)).certificate == first.certificate
    second = signing_identity(authority, "city", NOW + timedelta(days=735))
    assert second.key.public.key_id != first.key.public.key_id
    assert second.certificate.not_after > first.certificate.not_after
