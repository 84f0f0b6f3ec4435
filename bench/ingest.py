"""Durable ingest: NDJSON bytes -> spool (synced) -> SM TLS -> the center's log, synced before it answers.

``python bench/ingest.py [--events N]`` prints one JSON object a line. Sensor and center are two processes;
the clock runs from the first byte read to the last acknowledgement. Beside the rate stands where the time
goes: CPU seconds of both processes, and each step of the way alone, on the same events.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, sleep
from typing import Any, Final

import msgspec

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.words import LiuheError, Words
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors.address import Address
from sensors.event import LogSource, Observation, encode, stamp
from sensors.link import IDENTITY_NAME, TRUST_NAME, SensorLink
from sensors.messages import Enrolled, EnrolRequest
from sensors.segment_log import SegmentLog
from sensors.signed_batch import Signer, verify_batch
from sensors.spool import Spool
from sensors.uplink import Uplink
from sensors.wire import body_lines, encode_batch, foreign_senders, lane_sequence, make_batch
from soc_api.center_link import CenterLink
from soc_api.enrolment import Admission
from soc_api.ingest import IngestListener

LOOPBACK: Final = "127.0.0.1"
SENSOR: Final = "bench-host"
PUT: Final = 500
QUOTA: Final = {"alerts": 1 << 30, "flows": 1 << 32, "bulk": 1 << 32}


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def say(name: str, value: float, unit: str, conditions: str) -> None:
    """One line of the common form."""
    line = {"name": name, "value": round(value, 3), "unit": unit, "conditions": conditions}
    print(json.dumps(line), flush=True)


def ndjson(count: int) -> bytes:
    """Process starts of about 600 bytes that differ as they do on a host."""
    begun = now().replace(microsecond=0)
    lines = []
    for n in range(count):
        pid, parent, user = 1_000 + n * 7 % 60_000, 900 + n % 300, f"user{n % 40}"
        program = f"/usr/lib/service-{n % 90}/worker"
        command = f"{program} --job {n * 2654435761 % (1 << 32):08x} --tenant {n % 211} --attempt {n % 5}"
        fields: dict[str, Any] = {
            "event.dataset": "process.start",
            "event.category": "process",
            "event.type": "start",
            "host.name": f"web-{n % 4:02d}",
            "process.pid": pid,
            "process.executable": program,
            "process.command_line": command,
            "process.parent.pid": parent,
            "process.parent.executable": "/usr/lib/systemd/systemd",
            "user.name": user,
        }
        native: dict[str, Any] = {"Image": program, "CommandLine": command, "User": user, "ProcessId": pid}
        seen = Observation(
            time=begun + timedelta(microseconds=n * 50),
            logsource=LogSource(product="linux", category="process_creation"),
            fields=fields,
            native=native,
            lane="bulk",
        )
        lines.append(msgspec.json.encode(seen))
    return b"\n".join(lines)


class BenchDesk:
    """Lets in whom the authority certified."""

    def authority_pem(self) -> str:
        """Nobody enrols here."""
        return ""

    def enrol(self, request: EnrolRequest) -> Enrolled:
        """Nobody enrols here."""
        raise LiuheError("bench", Words("无", "no"), Words("无", "no"), field=request.sensor)

    def admission(self, sensor: str, fingerprint: str) -> Admission:  # noqa: ARG002
        """Everybody may."""
        return Admission(unit="bench")

    def hold(self, sensor: str, reason: str) -> None:
        """Never."""


def cpu_seconds() -> float:
    """Of this process, system time included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def center(folder: Path, end: Any) -> None:
    """The center's process: tells its port, waits, tells its CPU seconds and what it stored."""
    link = CenterLink(LinkAuthority(folder))

    async def run() -> None:
        log = SegmentLog.open(folder / "log", name="center", writer=True, reserve=1_000)
        async with IngestListener(
            log, link, BenchDesk(), center="bench", unit="bench", hosts=[LOOPBACK], port=0
        ) as listener:
            end.send(listener.port)
            await asyncio.to_thread(end.recv)
            begun = cpu_seconds()
            end.send(True)
            await asyncio.to_thread(end.recv)
            end.send((cpu_seconds() - begun, listener.counters.events, listener.counters.batches))
        log.close()

    asyncio.run(run())


def keys_of(folder: Path, authority: LinkAuthority) -> SensorLink:
    """A sensor's keys, as an enrolment leaves them."""
    key = SigningKey.generate()
    wish = pem.encode(request_der(key, "sensor", Subject(common_name=SENSOR, id=SENSOR)), REQUEST)
    chain = authority.issue_sensor(wish, sensor=SENSOR, unit="bench", now=now())
    keys = folder / "sensor" / "keys"
    LinkIdentity(key=key, chain=chain).save(keys / IDENTITY_NAME)
    link = SensorLink(keys)
    assert link.trust.folder.path == keys / TRUST_NAME
    link.trust.pin(authority.bundle(), authority.root().fingerprint, now())
    return link


def whole_way(folder: Path, data: bytes, count: int) -> None:
    """Everything, in two processes."""
    authority = LinkAuthority(folder)
    authority.create("bench", now())
    link = keys_of(folder, authority)
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=center, args=(folder, theirs))
    process.start()
    port = mine.recv()
    spool = Spool(folder / "sensor" / "spool", sensor=SENSOR, unit="bench", quota_bytes=QUOTA)
    uplink = Uplink(spool, [Address(LOOPBACK, port)], link.connect, kind="host", version="1")
    uplink.start()
    while not uplink.connected:
        sleep(0.01)
    mine.send(True)
    mine.recv()
    decoder = msgspec.json.Decoder(Observation)
    begun, cpu = perf_counter(), cpu_seconds()
    lines = data.split(b"\n")
    for start in range(0, count, PUT):
        spool.put([decoder.decode(line) for line in lines[start : start + PUT]])
    read = perf_counter() - begun
    spool.flush(600.0)
    while sum(spool.backlog().values()):
        sleep(0.002)
    seconds, used = perf_counter() - begun, cpu_seconds() - cpu
    mine.send(True)
    center_cpu, stored, batches = mine.recv()
    assert stored == count, (stored, count)
    given = f"{count} events of {len(data) // count} B, {batches} batches, {os.cpu_count()} cores"
    say("ingest.durable", count / seconds, "events/s", given)
    say("ingest.read", count / read, "events/s", "NDJSON into the spool's buffer, same run")
    say("ingest.sensor-cpu", used / count * 1e6, "us per event", given)
    say("ingest.center-cpu", center_cpu / count * 1e6, "us per event", given)
    uplink.stop()
    spool.close()
    process.join()


def steps(folder: Path, data: bytes, count: int) -> None:
    """Each step alone, in this process: what could be made faster and what could not."""
    decoder = msgspec.json.Decoder(Observation)
    lines = data.split(b"\n")[:count]
    key = SigningKey.generate()
    signer = Signer(key)

    def timed(name: str, work: Callable[[], Any]) -> Any:
        begun = perf_counter()
        done = work()
        say(
            f"ingest.step.{name}",
            (perf_counter() - begun) / count * 1e6,
            "us per event",
            f"{count} events alone",
        )
        return done

    def stamped() -> list[bytes]:
        return [
            encode(stamp(one, unit="u", sensor=SENSOR, epoch=1, sequence=lane_sequence("bulk", at)))
            for at, one in enumerate(seen, start=1)
        ]

    seen = timed("parse", lambda: [decoder.decode(line) for line in lines])
    encoded = timed("stamp", stamped)
    cuts = range(0, count, PUT)
    batches = timed(
        "pack", lambda: [make_batch(SENSOR, 1, "bulk", at + 1, encoded[at : at + PUT]) for at in cuts]
    )
    signed = timed("sign", lambda: [signer.sign(one) for one in batches])

    def verified() -> None:
        for one in signed:
            verify_batch(one, key.public)

    timed("verify", verified)
    opened = timed("unpack", lambda: [body_lines(one) for one in signed])
    timed("senders", lambda: [foreign_senders(one, SENSOR) for one in opened])
    log = SegmentLog.open(folder / "alone", name="bench", writer=True)
    timed("append+sync", lambda: [log.append([encode_batch(one)]) for one in signed])
    log.close()


def main() -> None:
    """The whole way, then its steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    chosen = parser.parse_args()
    data = ndjson(chosen.events)
    with tempfile.TemporaryDirectory() as temporary:
        whole_way(Path(temporary), data, chosen.events)
        steps(Path(temporary), data, min(chosen.events, 50_000))


if __name__ == "__main__":
    main()
