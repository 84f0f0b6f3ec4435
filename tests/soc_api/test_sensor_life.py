"""A sensor's life on a real link: configured, renewed and revoked while it runs."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.x509 import REQUEST, read_certificates
from crypto.x509_issue import Subject, request_der
from detection.store.log_tail import LOG_NAME
from sensors import sensor
from sensors.heartbeat import Status, read_status
from sensors.link import IDENTITY_NAME, TRUST_NAME, SensorLink
from sensors.messages import EnrolRequest
from sensors.segment_log import SegmentLog
from sensors.settings import Settings as SensorSettings
from sensors.settings import write_settings
from sensors.source import Source
from sensors.token import decode_token
from soc_api import pipeline_process
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.folders import Folders, create, state_engine
from soc_api.sensor_configuration import ConfigurationDesk, Layer, Scope
from soc_api.sensor_configuration_store import ConfigurationStore
from soc_api.settings import Settings

SECONDS = 60.0
PAST = datetime.now(UTC) - timedelta(days=250)  # of 366: over two thirds


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


class World:
    """A center that listens in a thread, and a sensor that enrolled there 250 days ago."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        usual = Settings()
        self.settings = msgspec.structs.replace(
            usual, ingest=msgspec.structs.replace(usual.ingest, port=self.port)
        )
        self.folders = Folders(folder / "center")
        self.authority = LinkAuthority(self.folders.keys)
        self.authority.create(self.settings.center.id, PAST)
        create(self.folders.data, self.settings)
        self.engine = state_engine(self.folders, self.settings)
        self.store = EnrolmentStore(self.engine)
        self.data = folder / "sensor"
        self._enrol()
        self.log = SegmentLog.open(self.folders.log, name=LOG_NAME, writer=True)
        self.stop_center = threading.Event()
        self.listening = threading.Event()
        self.center = threading.Thread(target=lambda: asyncio.run(self._listen()))
        self.stop_sensor = threading.Event()
        self.endings: list[bool] = []
        self.sensor: threading.Thread | None = None

    def _enrol(self) -> None:
        desk = EnrolmentDesk(self.store, self.authority, self.settings.center.id, lambda: PAST)
        token = decode_token(desk.give_token(unit="u1", addresses=["127.0.0.1:1"], actor="a"))
        key = SigningKey.generate()
        asked = request_der(key, "sensor", Subject(common_name="web", id="web"))
        request = EnrolRequest(
            token=token.id,
            secret=token.secret,
            sensor="web",
            kind="host",
            hostname="web",
            request=pem.encode(asked, REQUEST).decode(),
        )
        chain = tuple(read_certificates(desk.enrol(request).certificate.encode()))
        keys = self.data / "keys"
        LinkIdentity(key=key, chain=chain).save(keys / IDENTITY_NAME)
        link = SensorLink(keys)
        link.trust.pin(self.authority.bundle(), self.authority.root().fingerprint, datetime.now(UTC))
        assert (keys / TRUST_NAME).is_dir()
        write_settings(
            self.data,
            SensorSettings(id="web", unit="u1", kind="host", center=[f"127.0.0.1:{self.port}"]),
        )

    async def _listen(self) -> None:
        async with pipeline_process._listener(
            self.folders, self.settings, self.engine, self.log, lambda: 1 << 40
        ):
            self.listening.set()
            await asyncio.to_thread(self.stop_center.wait)

    def start(self) -> None:
        self.center.start()
        assert self.listening.wait(SECONDS)
        self.start_sensor()

    def start_sensor(self) -> None:
        self.sensor = threading.Thread(
            target=lambda: self.endings.append(sensor.run(self.data, self.stop_sensor))
        )
        self.sensor.start()

    def stop(self) -> None:
        self.stop_sensor.set()
        self.stop_center.set()
        for thread in (self.sensor, self.center):
            if thread is not None and thread.ident is not None:
                thread.join(SECONDS)
        self.log.close()
        self.engine.dispose()

    def status(self) -> Status | None:
        return read_status(self.data / "run")

    def fingerprint(self) -> str:
        record = self.store.sensor("web")
        assert record is not None
        return record.fingerprint


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    def none(settings: SensorSettings, folder: Path) -> Sequence[Source]:
        return []

    monkeypatch.setattr(sensor, "sources_of", none)
    monkeypatch.setattr("sensors.vitals.HEARTBEAT_SECONDS", 0.5)
    monkeypatch.setattr("soc_api.ingest_session.ADMISSION_SECONDS", 1.0)
    world = World(tmp_path)
    yield world
    world.stop()


@pytest.mark.slow
def test_renewed_configured_and_revoked_while_it_runs(world: World) -> None:
    first = world.fingerprint()
    world.start()

    # Two thirds of its certificate's life are over: it renews, reconnects, and the old one is revoked.
    until(lambda: world.fingerprint() != first, "no renewal")
    identity = LinkIdentity.load(world.data / "keys" / IDENTITY_NAME)
    assert identity.certificate.fingerprint == world.fingerprint()
    assert identity.certificate.not_after > datetime.now(UTC) + timedelta(days=300)
    assert sorted(path.name for path in (world.data / "keys").glob("*.key")) == []
    assert sum(one.revoked is not None for one in world.authority.folder.issued()) == 1
    until(lambda: (status := world.status()) is not None and status.connected, "not connected again")

    # A configuration reaches it on the open connection; it asks to be started anew and then holds it.
    desk = ConfigurationDesk(ConfigurationStore(world.engine), world.authority, world.settings.center.id)
    version = desk.configure(Scope(kind="host"), Layer(settings={"host": {"probes": False}}), actor="a")
    until(lambda: world.endings == [True], "no restart for the configuration")
    world.start_sensor()
    until(
        lambda: (
            (status := world.status()) is not None and status.connected and status.configuration == version
        ),
        "the configuration is not held",
    )

    # Revoked, it is refused on its open connection and stays out.
    renewals_desk = EnrolmentDesk(world.store, world.authority, world.settings.center.id)
    assert renewals_desk.revoke("web", actor="a")
    until(lambda: (status := world.status()) is not None and not status.connected, "still connected")
