"""A center's configuration: believed only where its own center signed it, never older than before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from crypto import x509_issue
from crypto.chain import TrustStore
from crypto.keys import SigningKey
from crypto.words import BadInput, Refused
from crypto.x509 import Certificate
from crypto.x509_issue import Subject, new_serial
from sensors.configuration import Body, ConfigurationFolder, effective, read, sign, verify
from sensors.host import tables
from sensors.messages import Configuration
from sensors.settings import Settings

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SETTINGS = Settings(id="web-host", unit="u1", kind="host", center=["127.0.0.1:8610"])


class World:
    """A root, an issuer below it, and centers that sign."""

    def __init__(self) -> None:
        self.root_key, self.issuer_key = SigningKey.generate(), SigningKey.generate()
        self.root = x509_issue.issue_root(
            self.root_key, Subject(common_name="Root"), serial=new_serial(), now=NOW, days=1000
        )
        self.issuer = x509_issue.issue(
            "issuer",
            Subject(common_name="Issuer"),
            self.issuer_key.public.spki(),
            issuer=self.root,
            key=self.root_key,
            serial=new_serial(),
            now=NOW,
            days=900,
        )
        self.trust = TrustStore([self.root], intermediates=[self.issuer], revocation="unsafe-skip")
        self.key, self.chain = self.center("city")

    def center(self, name: str, kind: str = "center-sign") -> tuple[SigningKey, list[Certificate]]:
        key = SigningKey.generate()
        leaf = x509_issue.issue(
            kind,  # type: ignore[arg-type]
            Subject(common_name=name, id=name, unit="u1"),
            key.public.spki(),
            issuer=self.issuer,
            key=self.issuer_key,
            serial=new_serial(),
            now=NOW,
            days=100,
        )
        return key, [leaf, self.issuer]

    def made(self, version: int, **values: object) -> Configuration:
        return sign(self.body(version, **values), self.key, self.chain)

    def body(self, version: int, **values: object) -> Body:
        usual: dict[str, object] = {"center": "city", "sensor": "web-host", "unit": "u1", "made": NOW}
        return Body(**(usual | {"version": version} | values))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


Opened = Callable[[], ConfigurationFolder]


@pytest.fixture
def opened(world: World, tmp_path: Path) -> Opened:
    return lambda: ConfigurationFolder(tmp_path, "web-host", lambda: world.trust, lambda: NOW)


def test_what_was_accepted_is_held_after_a_restart(world: World, opened: Opened) -> None:
    assert opened().held() is None
    body = opened().accept(
        world.made(3, settings={"host": {"process_poll_seconds": 5.0}}), SETTINGS, center="city"
    )
    assert body is not None
    held = opened().held()
    assert held == body
    assert effective(SETTINGS, held).host.process_poll_seconds == 5.0
    assert effective(SETTINGS, None) == SETTINGS


def test_older_and_different_under_one_number_are_refused_the_same_again_is_not_news(
    world: World, opened: Opened
) -> None:
    third = world.made(3)
    opened().accept(third, SETTINGS)
    assert opened().accept(third, SETTINGS) is None
    for wrong in (world.made(2), world.made(3, unit="u2")):
        with pytest.raises(Refused) as caught:
            opened().accept(wrong, SETTINGS)
        assert caught.value.code == "configuration-older"
    held = opened().held()
    assert held is not None
    assert held.version == 3
    moved = opened().accept(world.made(4, unit="u2"), SETTINGS)
    assert effective(SETTINGS, moved).unit == "u2"


@pytest.mark.parametrize("at", ["body", "signature"])
def test_a_changed_byte_is_refused(world: World, opened: Opened, at: str) -> None:
    good = world.made(1, settings={"host": {"probes": False}})
    raw = bytearray(getattr(good, at))
    raw[-3] ^= 1
    with pytest.raises((Refused, BadInput)):
        opened().accept(msgspec.structs.replace(good, **{at: bytes(raw)}), SETTINGS)


def test_another_sensor_center_or_certificate_is_refused(world: World, opened: Opened) -> None:
    for wrong, code in (
        (world.made(1, sensor="mail-host"), "configuration-foreign"),
        (world.made(1, center="other"), "configuration-foreign"),
        (sign(world.body(1), *world.center("city", "center-encrypt")), None),
        (sign(world.body(1), *world.center("web-host", "sensor")), None),
        (sign(world.body(1), *World().center("city")), None),
        (sign(world.body(1), *world.center("other")), "configuration-foreign"),
    ):
        with pytest.raises(Refused) as caught:
            opened().accept(wrong, SETTINGS)
        assert code in (None, caught.value.code)
    other_key, other_chain = world.center("other")
    other = sign(world.body(1, center="other"), other_key, other_chain)
    with pytest.raises(Refused, match="configuration-foreign"):
        verify(other, world.trust, sensor="web-host", center="city", at=NOW)
    assert opened().held() is None


@pytest.mark.parametrize(
    "settings",
    [
        {"center": {"x": 1}},
        {"host": {"no_such": 1}},
        {"host": {"probes": "yes"}},
        {"spool": {"alerts_bytes_max": 1}},
    ],
)
def test_a_setting_no_sensor_takes_changes_nothing(
    world: World, opened: Opened, settings: dict[str, dict[str, object]]
) -> None:
    with pytest.raises(BadInput):
        opened().accept(world.made(1, settings=settings), SETTINGS)
    assert opened().held() is None


def test_what_is_held_is_checked_again_at_every_start(world: World, opened: Opened, tmp_path: Path) -> None:
    opened().accept(world.made(1), SETTINGS)
    path = tmp_path / "configuration" / "held.msgpack"
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"city") + 1] ^= 1
    path.write_bytes(raw)
    with pytest.raises((Refused, BadInput)):
        opened().held()


def test_it_stays_good_when_the_signers_certificate_has_ended(world: World, tmp_path: Path) -> None:
    later = NOW + timedelta(days=200)
    first = ConfigurationFolder(tmp_path, "web-host", lambda: world.trust, lambda: NOW)
    first.accept(world.made(1), SETTINGS)
    after = ConfigurationFolder(tmp_path, "web-host", lambda: world.trust, lambda: later)
    held = after.held()
    assert held is not None
    assert held.version == 1
    with pytest.raises(Refused):  # but nothing new is taken from it
        after.accept(world.made(2), SETTINGS)


def test_mapping_tables_take_the_shipped_ones_place_and_leave_again(world: World, opened: Opened) -> None:
    ports = {"mappings/high_risk_ports.toml": b"ports = [4444]\n"}
    folder = opened()
    try:
        tables.take_from(folder.lay_out(folder.accept(world.made(1, files=ports), SETTINGS)))
        assert tables.table("high_risk_ports") == {"ports": [4444]}
        tables.take_from(folder.lay_out(folder.accept(world.made(2), SETTINGS)))
        assert tables.table("high_risk_ports") == tables.shipped("high_risk_ports")
    finally:
        tables.take_from(None)


@pytest.mark.parametrize(
    "files",
    [
        {"mappings/../../x.toml": b""},
        {"mappings/none_such.toml": b"a = 1"},
        {"mappings/high_risk_ports.toml": b"ports = 'all'"},
        {"mappings/high_risk_ports.toml": b"ports = ["},
        {"mappings/high_risk_ports.toml": b"#" * 300_000},
    ],
)
def test_a_file_that_is_no_mapping_table_is_refused(world: World, files: dict[str, bytes]) -> None:
    with pytest.raises(BadInput):
        read(world.made(1, files=files))
