"""Every event that a sensor spooled lies in the center's log exactly once, whatever dies in between."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ingest_world import QUOTA, SECONDS, Center, batch, client, enrolled, observations, until

from crypto.sm_tls import client_context
from crypto.words import LiuheError
from sensors.address import Address, connect
from sensors.enrol import enrol
from sensors.link import SensorLink
from sensors.messages import (
    LANES,
    Credit,
    Decoder,
    Hello,
    Message,
    Problem,
    Welcome,
    encode_message,
)
from sensors.segment_log import SegmentLog
from sensors.settings import load_settings
from sensors.spool import Spool
from sensors.token import decode_token
from sensors.uplink import Uplink
from sensors.wire import frame_events, open_frame
from soc_api.enrolment import EnrolmentDesk


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    made = Center(tmp_path / "center")
    yield made
    made.engine.dispose()


def test_every_event_arrives_once_over_a_restart_of_the_listener(center: Center, tmp_path: Path) -> None:
    data = tmp_path / "sensor"
    with center.listening() as listener:
        settings = enrolled(center, data)
        spool = Spool(data / "spool", sensor=settings.id, unit=settings.unit, quota_bytes=QUOTA)
        uplink = Uplink(
            spool,
            [Address("127.0.0.1", center.port)],
            SensorLink(data / "keys").connect,
            kind="host",
            version="1",
        )
        uplink.start()
        for start in range(0, 3000, 100):
            spool.put(observations(range(start, start + 100)))
        until(lambda: listener.counters.events > 0)
    spool.put(observations(range(3000, 4000)))
    time.sleep(0.1)
    with center.listening() as listener:
        spool.put(observations(range(4000, 5000)), wait=True)
        until(lambda: sum(spool.backlog().values()) == 0)
        uplink.stop()
        spool.close()
        assert listener.counters.missing == 0
    assert sorted(center.numbers()) == list(range(5000))
    log = SegmentLog.open(center.folder / "log", name="center", writer=False)
    event = frame_events(log.read(0)[0].payload)[0]
    assert event.ingested is not None
    assert (event.sensor, event.unit) == ("web01", "大数据局")


def test_after_an_outage_alerts_come_first_by_whichever_address_answers(
    center: Center, tmp_path: Path
) -> None:
    """3,000 events, a third of each lane, the alerts spooled among the others; the first address is dead."""
    data = tmp_path / "sensor"
    with center.listening():
        settings = enrolled(center, data)
    spool = Spool(data / "spool", sensor=settings.id, unit=settings.unit, quota_bytes=QUOTA)
    spool.put(observations(range(3000)), wait=True)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        dead = Address("127.0.0.1", unused.getsockname()[1])
        here = Address("127.0.0.1", center.port)
        link = SensorLink(data / "keys")
        uplink = Uplink(spool, [dead, here], link.connect, kind="host", version="1")
        with center.listening():
            uplink.start()
            until(lambda: sum(spool.backlog().values()) == 0)
            uplink.stop()
    spool.close()
    log = SegmentLog.open(center.folder / "log", name="center", writer=False)
    lanes = [open_frame(frame.payload)[0].lane for frame in log.read(0)]
    assert lanes == sorted(lanes, key=LANES.index)
    assert set(lanes) == set(LANES)
    assert sorted(center.numbers()) == list(range(3000))


def test_repeated_and_overlapping_batches_are_stored_once(center: Center, tmp_path: Path) -> None:
    with center.listening():
        enrolled(center, tmp_path / "s")
        with client(center, tmp_path / "s") as sensor:
            assert isinstance(sensor.hello(), Welcome)
            for numbers in (range(1, 4), range(1, 4), range(2, 6), range(5, 6)):
                assert sensor.ask(batch(numbers)).sequence == numbers.stop - 1  # type: ignore[union-attr]
    with center.listening() as listener:
        with client(center, tmp_path / "s") as sensor:
            sensor.hello()
            sensor.ask(batch(range(3, 8)))
            sensor.ask(batch(range(10, 12)))
        assert (listener.counters.repeated, listener.counters.missing) == (3, 2)
    assert center.numbers() == [1, 2, 3, 4, 5, 6, 7, 10, 11]


@pytest.mark.parametrize(
    "messages",
    [
        [Hello(sensor="other", version="1", kind="host", epoch=1)],
        [batch(range(1, 2))],
        [Hello(sensor="web01", version="1", kind="host", epoch=1), batch(range(1, 3), sensor="other")],
        [Hello(sensor="web01", version="1", kind="host", epoch=1), batch(range(1, 3), name="other")],
        [Hello(sensor="web01", version="1", kind="host", epoch=1), Credit(batches=1)],
    ],
)
def test_who_errs_is_told_and_left_and_others_go_on(
    center: Center, tmp_path: Path, messages: list[Message]
) -> None:
    with center.listening() as listener:
        enrolled(center, tmp_path / "s")
        enrolled(center, tmp_path / "t", "web02")
        with client(center, tmp_path / "t") as other, client(center, tmp_path / "s") as wrong:
            other.hello("web02")
            answer = wrong.ask(*messages)
            if isinstance(answer, Welcome):
                answer = wrong.ask()
            assert isinstance(answer, Problem)
            assert other.ask(batch(range(1, 3), "web02")).sequence == 2  # type: ignore[union-attr]
        assert listener.counters.refused == 1
    assert center.numbers() == [1, 2]


def test_garbage_and_strangers_do_no_harm(center: Center, tmp_path: Path) -> None:
    with center.listening():
        enrolled(center, tmp_path / "s")
        with client(center, tmp_path / "s") as garbage:
            garbage.stream.sendall(b"\xff" * 100)
            assert isinstance(garbage.ask(), Problem)
        address = Address("127.0.0.1", center.port)
        with connect(address, client_context(), None, SECONDS) as stranger:
            stranger.settimeout(SECONDS)
            stranger.sendall(encode_message(batch(range(1, 2))))
            (answer,) = Decoder().feed(stranger.recv())
            assert isinstance(answer, Problem)
    assert center.numbers() == []


def test_a_revoked_sensor_is_refused(center: Center, tmp_path: Path) -> None:
    with center.listening():
        enrolled(center, tmp_path / "s")
        assert center.desk.revoke("web01", actor="t")
        with client(center, tmp_path / "s") as revoked:
            answer = revoked.hello()
        assert isinstance(answer, Problem)
        assert answer.code == "chain-revoked"


def test_tokens_work_once_in_time_and_for_this_center_only(center: Center, tmp_path: Path) -> None:
    with center.listening():
        token = center.token()
        enrol(tmp_path / "a", token, kind="host", sensor="one")
        assert load_settings(tmp_path / "a").unit == "大数据局"
        assert [path.stat().st_mode & 0o777 for path in (tmp_path / "a" / "keys").glob("*.pem")] == [0o600]
        enrol(tmp_path / "a", token, kind="host", sensor="one")  # the answer was lost: same key, same sensor
        expired = EnrolmentDesk(
            center.store, center.authority, "city", now=lambda: datetime.now(UTC) - timedelta(days=2)
        ).give_token(unit="u", addresses=[f"127.0.0.1:{center.port}"], actor="t")
        other = Center(tmp_path / "other")
        other.port = center.port
        for text, name, code in [
            (token, "two", "token-used"),
            (expired, "three", "token-expired"),
            (center.token(), "one", "sensor-exists"),
            (other.token(), "four", "wrong-center"),
        ]:
            with pytest.raises(LiuheError) as caught:
                enrol(tmp_path / "b", text, kind="host", sensor=name)
            assert caught.value.code == code
            assert decode_token(text).secret.hex() not in str(caught.value)
        other.engine.dispose()
    secret = decode_token(token).secret
    stored = b"".join(path.read_bytes() for path in center.folder.glob("state.sqlite*"))
    assert secret not in stored
    assert secret.hex().encode() not in stored


_LISTENER = """
import asyncio, sys
from pathlib import Path
from crypto.link_authority import LinkAuthority
from detection.store.state import open_state
from sensors.segment_log import SegmentLog
from soc_api.center_link import CenterLink
from soc_api.enrolment import EnrolmentDesk
from soc_api.enrolment_store import EnrolmentStore
from soc_api.ingest import IngestListener

async def main(folder: Path, port: int) -> None:
    authority = LinkAuthority(folder / "keys")
    desk = EnrolmentDesk(EnrolmentStore(open_state(f"sqlite:///{folder / 'state.sqlite'}")), authority, "c")
    log = SegmentLog.open(folder / "log", name="center", writer=True, reserve=1024)
    link = CenterLink(authority)
    hosts = ["127.0.0.1"]
    async with IngestListener(log, link, desk, center="c", unit="u", hosts=hosts, port=port) as listener:
        print(listener.port, flush=True)
        await asyncio.sleep(60)

asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
"""


@contextmanager
def listener_process(center: Center) -> Iterator[None]:
    command = [sys.executable, "-c", _LISTENER, str(center.folder), str(center.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        center.port = int(child.stdout.readline())
        try:
            yield
        finally:
            child.kill()


@pytest.mark.slow
def test_every_event_arrives_once_though_the_listener_is_killed(center: Center, tmp_path: Path) -> None:
    data = tmp_path / "sensor"
    with listener_process(center):
        settings = enrolled(center, data)
    spool = Spool(data / "spool", sensor=settings.id, unit=settings.unit, quota_bytes=QUOTA)
    connect_ = SensorLink(data / "keys").connect
    uplink = Uplink(spool, [Address("127.0.0.1", center.port)], connect_, kind="host", version="1")
    uplink.start()
    sent = 0
    for round_ in range(4):
        with listener_process(center):
            until(lambda: uplink.connected)
            for _ in range(100):
                spool.put(observations(range(sent, sent + 50)), wait=True)
                sent += 50
            time.sleep(0.02 * round_)
    with listener_process(center):
        until(lambda: sum(spool.backlog().values()) == 0, 60)
    uplink.stop()
    spool.close()
    assert sorted(center.numbers()) == list(range(sent))
