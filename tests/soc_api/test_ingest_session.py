"""A sensor's connection at the center: who may, for how long, and what cuts it off."""

import asyncio
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from ingest_world import SECONDS, Center, Client, batch, client, enrolled, until

from crypto.authority_files import AuthorityFolder
from crypto.keys import SigningKey
from crypto.link_identity import LinkIdentity
from crypto.sm_tls import client_context
from sensors.address import Address, connect
from sensors.event import Value
from sensors.link import IDENTITY_NAME
from sensors.messages import (
    Ack,
    Decoder,
    Hello,
    Message,
    PacketsFound,
    PacketsWanted,
    Ping,
    Pong,
    Problem,
    Welcome,
    encode_message,
)
from sensors.segment_log import SegmentLog
from sensors.signed_batch import Signer
from soc_api import ingest, ingest_session
from soc_api.ingest_commit import Committer, Counters
from soc_api.ingest_roll import Roll
from soc_api.ingest_session import Hall, Session
from soc_api.packet_request import PacketRequest


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    made = Center(tmp_path / "center")
    yield made
    made.engine.dispose()


def test_an_unsigned_or_changed_batch_is_refused(center: Center, tmp_path: Path) -> None:
    with center.listening():
        enrolled(center, tmp_path / "s")
        for unsigned in (batch(range(1, 3)), batch(range(1, 2))):
            with client(center, tmp_path / "s") as sensor:
                assert isinstance(sensor.hello(), Welcome)
                sensor.stream.sendall(encode_message(unsigned))
                answer = sensor.ask()
                assert isinstance(answer, Problem)
                assert answer.code == "batch-signature"
    assert center.numbers() == []


def test_a_client_without_sm_is_counted_and_others_go_on(center: Center, tmp_path: Path) -> None:
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    plain.check_hostname, plain.verify_mode = False, ssl.CERT_NONE
    with center.listening() as listener:
        enrolled(center, tmp_path / "s")
        with socket.create_connection(("127.0.0.1", center.port)) as sock, pytest.raises(ssl.SSLError):
            plain.wrap_socket(sock)
        until(lambda: listener.counters.refused == 1)
        with client(center, tmp_path / "s") as sensor:
            assert isinstance(sensor.hello(), Welcome)


def test_a_certificate_of_another_authority_is_told_why(center: Center, tmp_path: Path) -> None:
    other = Center(tmp_path / "other")
    with center.listening(), other.listening():
        enrolled(center, tmp_path / "s")
        enrolled(other, tmp_path / "t")
        stranger = LinkIdentity.load(tmp_path / "t" / "keys" / IDENTITY_NAME)
        address = Address("127.0.0.1", center.port)
        with connect(address, client_context(stranger), None, SECONDS) as stream:
            stream.settimeout(SECONDS)
            (answer,) = Decoder().feed(stream.recv())
    other.engine.dispose()
    assert isinstance(answer, Problem)
    assert answer.code == "chain-no-issuer"


@pytest.mark.parametrize("way", ["register", "list"])
def test_a_revocation_cuts_a_live_connection(
    center: Center, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """By the console's way, and by ``liuhe cert revoke``, which knows no register of sensors."""
    for module, name in ((ingest_session, "ADMISSION_SECONDS"), (ingest, "UPKEEP_SECONDS")):
        assert getattr(module, name) <= 20.0, "together below a minute"
        monkeypatch.setattr(module, name, 0.05)
    with center.listening():
        enrolled(center, tmp_path / "s")
        enrolled(center, tmp_path / "t", "web02")
        with client(center, tmp_path / "s") as revoked, client(center, tmp_path / "t") as other:
            assert isinstance(revoked.hello(), Welcome)
            assert isinstance(other.hello("web02"), Welcome)
            assert isinstance(revoked.ask(batch(range(1, 3))), Ack)
            if way == "register":
                assert center.desk.revoke("web01", actor="t")
            else:
                serial = f"{revoked.link.identity().certificate.serial:x}"
                folder = AuthorityFolder(center.folder / "keys" / "authority")
                folder.revoke(serial, "key-compromise", center.authority.identity().certificate.not_before)
            answer = sent_until_refused(revoked)
            assert answer.code in ("chain-revoked", "sensor-revoked")
            assert isinstance(other.ask(batch(range(1, 3), "web02")), Ack)
            until(lambda: "revoked" in codes_of_lists(other))
        with client(center, tmp_path / "s") as again:
            answer = again.ask()
            assert isinstance(answer, Problem)
            assert answer.code == "chain-revoked"


def sent_until_refused(sensor: Client) -> Problem:
    """Batch after batch, until the center says no."""
    for n in range(3, 2_000):
        answer = sensor.ask(batch(range(n, n + 1)))
        if isinstance(answer, Problem):
            return answer
        threading.Event().wait(0.02)
    raise AssertionError("never refused")


def codes_of_lists(sensor: Client) -> str:
    """Whether a list with a revocation has come to this sensor, which keeps what it is sent."""
    sensor.poll()
    crls = sensor.link.trust.folder.contents().crls
    return "revoked" if any(crl.revoked for crl in crls) else ""


def test_two_machines_with_one_identity_are_both_held(center: Center, tmp_path: Path) -> None:
    with center.listening() as listener:
        enrolled(center, tmp_path / "s")
        with client(center, tmp_path / "s") as one, client(center, tmp_path / "s") as other:
            assert isinstance(one.hello(), Welcome)
            other.say(Hello(sensor="web01", version="1", kind="host", epoch=1))
            asked = one.ask()
            assert isinstance(asked, Ping)
            one.say(Pong(nonce=asked.nonce))
            for line in (one, other):
                answer = line.ask()
                assert isinstance(answer, Problem)
                assert answer.code == "sensor-cloned"
        until(lambda: listener.counters.cloned == 1)
        with client(center, tmp_path / "s") as again:
            answer = again.hello()
            assert isinstance(answer, Problem)
            assert answer.code == "sensor-quarantined"


@pytest.mark.slow
def test_hundreds_of_idle_sensors_cost_little_and_all_are_heard(center: Center, tmp_path: Path) -> None:
    """The bench has two thousand, and says what each costs."""
    count = 100
    names = [f"s{n:03d}" for n in range(count)]
    with center.listening() as listener:
        for name in names:
            enrolled(center, tmp_path / name, name)
        lines = [Client(center, tmp_path / name) for name in names]
        try:
            for name, line in zip(names, lines, strict=True):
                assert isinstance(line.hello(name), Welcome)
            assert listener.connected == count
            for name, line in zip(names, lines, strict=True):
                assert isinstance(line.ask(batch(range(1, 2), name)), Ack)
        finally:
            for line in lines:
                line.close()
        until(lambda: listener.connected == 0)
    assert len(center.numbers()) == count


class Pipe:
    """A connection in memory: what the sensor says is put in ``said``."""

    def __init__(self) -> None:
        self.address, self.unsent_bytes = "::1", 0
        self.said: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard: list[Message] = []
        self.spoke = asyncio.Event()
        self._decoder = Decoder()

    async def read(self, size: int = 65_536) -> bytes:
        return await self.said.get()

    def write(self, data: bytes) -> None:
        self.heard += self._decoder.feed(data)
        self.spoke.set()

    async def drain(self) -> None:
        return

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self.said.put_nowait(b"")


def test_a_session_whose_batches_fail_ends_though_more_came_than_its_credit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What failed gives its slot back: the reading task would wait for one for ever."""
    key = SigningKey.generate()
    signer = Signer(key)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    async def told(fields: Mapping[str, Value]) -> bool:
        return bool(fields)

    async def serve(log: SegmentLog) -> list[Message]:
        committer = Committer(log, Counters())
        roll = Roll(committer.newest, lambda *_: None, told)
        hall = Hall(center="c", committer=committer, counters=Counters(), roll=roll)
        committing = asyncio.create_task(committer.run())
        pipe = Pipe()
        caller = SimpleNamespace(id="web01", key_id=key.public.key_id, fingerprint="f")
        serving = asyncio.create_task(Session(hall, pipe, caller, key.public, lambda: "u").serve())
        await pipe.said.put(encode_message(Hello(sensor="web01", version="1", kind="host", epoch=1)))
        async with asyncio.timeout(SECONDS):
            await pipe.spoke.wait()
            for n in range(1, 12):
                await pipe.said.put(encode_message(signer.sign(batch(range(n, n + 1)))))
            await serving
        monkeypatch.undo()  # the last checkpoint may be written
        await committer.stop()
        await committing
        return pipe.heard

    log = SegmentLog.open(tmp_path, name="center", writer=True)
    monkeypatch.setattr(os, "fdatasync", full)
    welcome, *rest = asyncio.run(serve(log))
    log.close()
    assert isinstance(welcome, Welcome)
    assert [one.code for one in rest if isinstance(one, Problem)] == ["disk-full"]
    assert not any(isinstance(one, Ack) for one in rest)


def test_packets_are_asked_of_a_sensor_that_keeps_them(center: Center, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    wanted = PacketRequest(
        id="a" * 32, alert_group="g", sensor="web01", community_id="1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        begins=now, ends=now, actor="u", asked=now, state="wanted",
    )  # fmt: skip
    with center.listening():
        enrolled(center, tmp_path / "s")
        center.packets.ask(wanted)
        with client(center, tmp_path / "s") as sensor:
            sensor.say(Hello(sensor="web01", version="0", kind="network", epoch=1, packets=True))
            wish = next(one for one in messages_of(sensor) if isinstance(one, PacketsWanted))
            assert (wish.request, wish.community_id) == (wanted.id, wanted.community_id)
            sensor.say(PacketsFound(request=wish.request, part=0, more=True, body=bytes(24)))
            sensor.say(PacketsFound(request=wish.request, part=1, more=False, body=b"packets"))
            until(lambda: state_of(center, wanted.id) == "arrived")
            sensor.say(PacketsFound(request="b" * 32, part=0, more=False, body=b"not asked for"))
            refused = next(one for one in messages_of(sensor) if isinstance(one, Problem))
            assert refused.code == "wire-malformed"
    assert b"".join(center.packet_files.read(wanted.id)) == bytes(24) + b"packets"


def test_a_sensor_without_packets_is_not_asked(center: Center, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    wanted = PacketRequest(
        id="a" * 32, alert_group="g", sensor="web01", community_id="1:x", begins=now, ends=now, actor="u",
        asked=now, state="wanted",
    )  # fmt: skip
    with center.listening():
        enrolled(center, tmp_path / "s")
        with client(center, tmp_path / "s") as sensor:
            assert isinstance(sensor.hello(), Welcome)
            center.packets.ask(msgspec.structs.replace(wanted, community_id="1:LQU9qZlK+B5F3KDmev6m5PMibrg="))
            until(lambda: state_of(center, wanted.id) == "failed")


def messages_of(sensor: Client) -> Iterator[Message]:
    while True:
        yield from sensor.decoder.feed(sensor.stream.recv())


def state_of(center: Center, request: str) -> str:
    found = center.packets.request(request)
    return found.state if found is not None else ""
