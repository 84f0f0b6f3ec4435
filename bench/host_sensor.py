"""The host sensor: memory and processor while nothing happens, a burst of programs, log lines into the spool.

``python -m bench.host_sensor [--idle SECONDS] [--burst SECONDS] [--rate N] [--lines N]`` prints one JSON
object a line. Idle: an enrolled sensor with every source as shipped, whose center does not answer. Burst: a
process that starts ``/bin/true`` at a steady rate while the process source (proc connector, executables'
digests) emits into a spool; lost are those it neither told nor counted in a gap. Lines: sshd's lines in
auth.log, followed, parsed, put into the spool durably. Needs root for the kernel's process events.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors.event import Observation
from sensors.host.auth_log import AuthLogSource
from sensors.host.cursor import Cursor
from sensors.host.processes import ProcessSource
from sensors.link import IDENTITY_NAME, SensorLink
from sensors.settings import Settings, write_settings
from sensors.source import Source
from sensors.spool import Spool

MIB: Final = 1 << 20
SETTLE_SECONDS: Final = 12.0
TICKS: Final = os.sysconf("SC_CLK_TCK")
LINE: Final = (
    "Nov 22 09:08:07 web-01 sshd[312]: Failed password for invalid user u{n} from 10.0.0.8 port {port} ssh2\n"
)


def say(name: str, value: float, unit: str, conditions: str) -> None:
    """One line of the common form."""
    print(
        json.dumps({"name": name, "value": round(value, 3), "unit": unit, "conditions": conditions}),
        flush=True,
    )


def enrolled(folder: Path) -> Path:
    """A sensor's data folder whose center does not answer."""
    now = datetime.now(UTC)
    authority = LinkAuthority(folder / "center")
    authority.create("c", now)
    key = SigningKey.generate()
    request = pem.encode(request_der(key, "sensor", Subject(common_name="web01", id="web01")), REQUEST)
    chain = authority.issue_sensor(request, sensor="web01", unit="u", now=now)
    keys = folder / "sensor" / "keys"
    LinkIdentity(key=key, chain=chain).save(keys / IDENTITY_NAME)
    SensorLink(keys).trust.pin(authority.bundle(), authority.root().fingerprint, now)
    write_settings(folder / "sensor", Settings(id="web01", unit="u", kind="host", center=["127.0.0.1:1"]))
    return folder / "sensor"


def seconds_of(pid: int) -> float:
    """Processor time a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def memory_of(pid: int) -> tuple[float, float]:
    """(resident, proportional) MiB of a process."""
    found = {
        line.split(":")[0]: int(line.split()[1])
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
        if line.startswith(("Rss", "Pss"))
    }
    return found["Rss"] / 1024, found["Pss"] / 1024


def idle(seconds: float) -> None:
    """The whole sensor with nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        data = enrolled(Path(folder))
        command = [sys.executable, "-m", "soc_api.cli", "sensor", "run", "--data", str(data)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
            try:
                time.sleep(SETTLE_SECONDS)
                before = seconds_of(child.pid)
                time.sleep(seconds)
                used = seconds_of(child.pid) - before
                resident, proportional = memory_of(child.pid)
            finally:
                child.terminate()
    where = f"all sources as shipped, center away, {seconds:.0f} s after {SETTLE_SECONDS:.0f} s"
    say("host_idle_rss", resident, "MiB", where)
    say("host_idle_pss", proportional, "MiB", where)
    say("host_idle_cpu", 100 * used / seconds, "% of a core", where)


@contextmanager
def running(source: Source, folder: Path, seen: list[Observation]) -> Iterator[Spool]:
    """The source in a thread, emitting into a spool of its own."""
    stop = threading.Event()
    quotas = dict.fromkeys(("alerts", "flows", "bulk"), 256 * MIB)
    spool = Spool(folder / "spool", sensor="web01", unit="u", quota_bytes=quotas)

    def emit(batch: Sequence[Observation]) -> None:
        spool.put(list(batch), wait=True)
        seen.extend(batch)

    thread = threading.Thread(target=source.run, args=(emit, stop), daemon=True)
    thread.start()
    try:
        yield spool
    finally:
        stop.set()
        thread.join(10)
        spool.close()


def _is(seen: Observation, name: str) -> bool:
    """Whether a start is one of the program, by its executable or, where that was gone, its name."""
    return name in (
        seen.fields.get("process.name"),
        str(seen.fields.get("process.executable")).rpartition("/")[2],
    )


SPAWNER: Final = """
import os, sys, time
rate, seconds, program = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
start, made = time.perf_counter(), 0
while (passed := time.perf_counter() - start) < seconds:
    while made < passed * rate:
        made += 1
        pid = os.posix_spawn(program, [program, str(made)], {})
        os.waitpid(pid, 0)
    time.sleep(0.0005)
print(made)
"""


def burst(seconds: float, rate: float) -> None:
    """Short-lived programs at a steady rate."""
    with tempfile.TemporaryDirectory() as folder:
        seen: list[Observation] = []
        program = "/bin/true"
        executables = Cursor(Path(folder), "executables")
        source = ProcessSource(Cursor(Path(folder), "processes"), executables=executables)
        with running(source, Path(folder), seen):
            time.sleep(1.5)
            before = resource.getrusage(resource.RUSAGE_SELF)
            command = [sys.executable, "-c", SPAWNER, str(rate), str(seconds), program]
            made = int(subprocess.run(command, capture_output=True, check=True).stdout)
            time.sleep(2)
            after = resource.getrusage(resource.RUSAGE_SELF)
        starts = [one for one in seen if one.fields.get("event.dataset") == "process.start"]
        named = sum(program in (one.fields.get("process.args") or []) or _is(one, "true") for one in starts)
        unread = sum("gov.process.unread" in one.fields for one in starts)
        gaps = [one.fields["gov.gap.count"] for one in seen if "gov.gap.count" in one.fields]
        dropped = sum(int(str(count)) for count in gaps)
        way = "polled" if source.reduced is not None else "proc connector"
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    where = f"{made} starts of {program} in {seconds:.0f} s, {way}, into a spool"
    say("host_exec_rate", made / seconds, "starts/s", where)
    say("host_exec_lost", max(0, made - named - unread - dropped), "starts", where)
    say("host_exec_unread", unread, "starts told by id only", where)
    say("host_exec_cpu", 100 * used / (seconds + 2), "% of a core", where)


def lines(count: int) -> None:
    """Lines of a log, from the file to the synced spool."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "auth.log"
        cursor = Cursor(Path(folder), "log")
        seen: list[Observation] = []
        source = AuthLogSource(log, cursor, poll_seconds=0.01)
        with running(source, Path(folder), seen):
            time.sleep(0.2)  # absent at first sight: then it is read from its beginning
            text = "".join(LINE.format(n=n, port=1024 + n % 60000) for n in range(count))
            temporary = log.with_suffix(".new")
            temporary.write_text(text)
            start, before = time.perf_counter(), time.process_time()
            temporary.rename(log)
            while len(seen) < count and time.perf_counter() - start < 120:
                time.sleep(0.005)
            took, used = time.perf_counter() - start, time.process_time() - before
        kept = len(seen)
    where = f"{kept} of {count} sshd lines, parsed to ECS, spool synced"
    say("host_log_lines", kept / took, "lines/s", where)
    say("host_log_lines_core", kept / used, "lines per core second", where)


def main() -> None:
    """Run what is asked."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--idle", type=float, default=30.0)
    arguments.add_argument("--burst", type=float, default=5.0)
    arguments.add_argument("--rate", type=float, default=1_000.0)
    arguments.add_argument("--lines", type=int, default=100_000)
    chosen = arguments.parse_args()
    if chosen.lines:
        lines(chosen.lines)
    if chosen.burst:
        burst(chosen.burst, chosen.rate)
    if chosen.idle:
        idle(chosen.idle)


if __name__ == "__main__":
    main()
