"""How fast Sigma rules are asked, beside other ways: ``python -m bench.sigma_engine [--data DIR] [--prove]``.

Prints one JSON object. Rates are events for each CPU second of one core, from JSON bytes to the rules that
match; the data are those of docs/benchmarks.md. ``--prove`` asks every recorded event one by one too, without
index and memory, and compares (minutes).
"""

import argparse
import gc
import io
import json
import os
import random  # noqa: TID251 - seeded draws, the same events in every run
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

os.environ["POLARS_MAX_THREADS"] = "1"

import msgspec
import zstandard

from bench import sigma_peers
from detection.evaluate import compiled
from detection.facts import Facts
from detection.matcher.matcher import Matcher
from detection.offline import events_in
from detection.sigma.detector import SigmaDetector
from detection.sigma.load import Loaded, load_all
from detection.sigma.routing import Routing
from detection.sigma.rule import Rule
from detection.sigma.windows_lines import WindowsLines
from sensors.event import LogSource

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
FOLDERS = ("rules", "rules-emerging-threats", "rules-threat-hunting", "rules-placeholder", "rules-compliance")
BATCH = 2_048
MATCHED_AT_ONCE = 512  # as detection/sigma/windows_lines.py cuts them
UNIQUE_EVENTS = 20_000
PEER_EVENTS = 4_000
SLIM_EVENTS = 20_000
HOSTILE_EVENTS = 40
LATENCY_EVENTS = 20_000
CREATED = LogSource(product="windows", category="process_creation", service="sysmon")
_decode = msgspec.json.Decoder(dict[str, Any]).decode


def main() -> None:
    """Run every bench and print the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--prove", action="store_true")
    parser.add_argument("--half", choices=("0", "1"), help=argparse.SUPPRESS)
    parser.add_argument("--memory", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.memory:
        memory(chosen.data, chosen.memory)
        return
    folders = [chosen.data / "sigma" / name for name in FOLDERS]
    mixed = recorded(chosen.data / "host" / "otrf" / "events.jsonl.zst")
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder) / "rules.bin"
        start = time.process_time()
        loaded = load_all(folders, cache=cache)
        cold = time.process_time() - start
        windows = [rule for rule in loaded.rules if rule.logsource.product == "windows"]
        if chosen.half:
            half = mixed[int(chosen.half) :: 2]
            sys.stdout.write(json.dumps(mixed_rate(windows, half)))
            return
        found = {"rules": len(loaded.rules), "waiting for a list": sum(bool(r.needs) for r in loaded.rules)}
        found["start seconds"] = {"cold": round(cold, 2)} | starts(folders, cache, loaded)
        command = [sys.executable, "-m", "bench.sigma_engine", "--data", chosen.data, "--memory", cache]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        found["memory"] = json.loads(done.stdout)
    found["mixed Windows"] = mixed_rate(windows, mixed)
    found["two processes"] = two_processes()
    created = [rule for rule in windows if rule.logsource.category == "process_creation"]
    lines = unique(chosen.data, mixed)
    found["process creation"] = beside_peers(created, lines)
    found["unrouted"] = unrouted(loaded)
    found["latency"] = latency(windows, mixed)
    found["hostile"] = hostile(created)
    if chosen.prove:
        found["proof"] = proof(windows, mixed)
    sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


def recorded(path: Path) -> list[bytes]:
    """The recorded Windows events."""
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        return stream.read().splitlines()


def memory(data: Path, cache: Path) -> None:
    """Peak memory of a process with all rules, all their indexes, and the recorded events gone through."""
    loaded = load_all([data / "sigma" / name for name in FOLDERS], cache=cache)
    sorter = WindowsLines(loaded.rules)
    for source in {rule.logsource for rule in loaded.rules}:
        sorter._routing.route(source)
    indexed = _peak_megabytes()
    path = data / "host" / "otrf" / "events.jsonl.zst"
    with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as stream:
        lines = io.BufferedReader(stream)
        while block := list(islice(lines, BATCH)):
            sorter.worth(block)
    found = {"MB with all indexes": indexed, "MB behind all events": _peak_megabytes()}
    sys.stdout.write(json.dumps(found))


def _peak_megabytes() -> int:
    # the peak of getrusage is inherited from the parent
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def starts(folders: Sequence[Path], cache: Path, loaded: Loaded) -> dict[str, float]:
    """Seconds of a warm load, of all indexes, and of one changed rule until it is matched."""
    start = time.process_time()
    warm = load_all(folders, cache=cache)
    read = time.process_time()
    assert warm == loaded
    detector = SigmaDetector(warm.rules)
    for source in {rule.logsource for rule in warm.rules}:
        detector._routing.route(source)
    indexed = time.process_time()
    changed = next(rule for rule in warm.rules if rule.logsource.category == "process_creation")
    event = next(
        iter(events_of([b'{"Channel":"Microsoft-Windows-Sysmon/Operational","EventID":1,"Image":"x"}']))
    )
    detector.matching(event)
    before = time.process_time()
    detector.amend([msgspec.structs.replace(changed, digest="changed")])
    detector.matching(event)
    return {
        "warm load": round(read - start, 2),
        "all indexes": round(indexed - read, 2),
        "one rule": round(time.process_time() - before, 4),
    }


def events_of(lines: Sequence[bytes]) -> Iterator[Any]:
    """The lines the usual way."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        file.write(b"\n".join(lines) + b"\n")
        file.flush()
        yield from events_in(Path(file.name), "jsonl", _refuse)


def warmed(rules: Sequence[Rule], lines: Sequence[bytes]) -> WindowsLines:
    """Lines' matcher with the indexes of all sources built, from one line of each."""
    sorter = WindowsLines(rules)
    heads = ((_decode(line), line) for line in lines)
    for line in {(head.get("Channel"), head.get("EventID")): line for head, line in heads}.values():
        sorter.worth([line])
    return sorter


def mixed_rate(rules: Sequence[Rule], lines: Sequence[bytes]) -> dict[str, Any]:
    """All Windows rules on all recorded events, once; indexes are built before."""
    sorter = warmed(rules, lines)
    gc.collect()
    gc.freeze()
    seconds, worth = _timed(
        lambda: [
            w for start in range(0, len(lines), BATCH) for w in sorter.worth(lines[start : start + BATCH])
        ]
    )
    gc.unfreeze()
    return {
        "events": len(lines),
        "rules": len(rules),
        "events/s": round(len(lines) / seconds),
        "kept": sum(worth),
    }


def two_processes() -> dict[str, Any]:
    """Half of the events to each of two processes at once; by their own CPU and wall time."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.sigma_engine", "--half", half], cwd=ROOT, stdout=subprocess.PIPE
        )
        for half in "01"
    ]
    rates = [json.loads(one.communicate()[0])["events/s"] for one in running]
    return {"events/s": rates, "sum": sum(rates)}


def unique(data: Path, mixed: Sequence[bytes]) -> list[bytes]:
    """Process starts of the recordings and regression cases, drawn again and again, each command line new."""
    starts_ = []
    for line in mixed:
        record = _decode(line)
        if record.get("EventID") == 1 and "CommandLine" in record:
            starts_.append({name: value for name, value in record.items() if isinstance(value, str | int)})
    for path in sorted((data / "sigma" / "regression_data").rglob("*.json")):
        for event in _events_in(path.read_bytes()):
            values = event.get("EventData") or {}
            if event["System"]["EventID"] == 1 and "CommandLine" in values:
                head = {
                    "Channel": event["System"]["Channel"],
                    "EventID": 1,
                    "Hostname": "h",
                    "SourceName": "s",
                }
                starts_.append(head | {k: v for k, v in values.items() if isinstance(v, str | int)})
    draw = random.Random(5)
    lines = []
    for number in range(UNIQUE_EVENTS):
        record = dict(draw.choice(starts_))
        record["CommandLine"] = f"{record['CommandLine']} {draw.randrange(10**9):09d}{number}"
        lines.append(msgspec.json.encode(record))
    return lines


def beside_peers(rules: Sequence[Rule], lines: Sequence[bytes]) -> dict[str, Any]:
    """The same rules and lines by each way; peers get fewer lines, rates compare."""
    matcher = Matcher([rule.condition for rule in rules])
    matcher.match([SimpleNamespace(native=_decode(line), fields={}) for line in lines[-100:]])
    gc.collect()
    seconds, hits = _timed(lambda: sum(map(len, matched(matcher, lines))))
    ours = len(lines) / seconds
    few = lines[:PEER_EVENTS]
    wanted = sum(map(len, matched(matcher, few)))
    peers: dict[str, Any] = {}
    ways: dict[str, tuple[Callable[..., sigma_peers.Result], int]] = {
        "plain tests": (sigma_peers.plain, 1_000),
        "sqlite per rule": (sigma_peers.sqlite, PEER_EVENTS),
        "duckdb per rule": (sigma_peers.in_duckdb, PEER_EVENTS),
        "polars by sixty": (sigma_peers.in_polars, PEER_EVENTS),
    }
    for name, (way, count) in ways.items():
        result = way(rules, few[:count])
        rate = count / result.seconds
        peers[name] = {
            "events/s": round(rate),
            "ours is times": round(ours / rate, 1),
            "hits": result.hits,
            "rules refused": result.refused,
        }
    return {
        "events": len(lines),
        "mean bytes": round(sum(map(len, lines)) / len(lines)),
        "rules": len(rules),
        "events/s": round(ours),
        "hits": hits,
        "hits on what peers see": wanted,
        "peers": peers,
    }


def matched(matcher: Matcher, lines: Sequence[bytes]) -> Iterator[tuple[int, ...]]:
    """Answers, from bytes."""
    for start in range(0, len(lines), MATCHED_AT_ONCE):
        some = lines[start : start + MATCHED_AT_ONCE]
        yield from matcher.match([_Record(_decode(line), {}) for line in some], some)


class _Record(msgspec.Struct, gc=False):
    native: dict[str, Any]
    fields: dict[str, Any]


def unrouted(loaded: Loaded) -> dict[str, Any]:
    """Slim process starts that do not say their source, asked every rule of rules/."""
    rules = [rule for rule in loaded.rules if "/rules/" in rule.path]
    draw = random.Random(7)
    names = [
        "svchost",
        "chrome",
        "cmd",
        "powershell",
        "java",
        "winword",
        "taskhostw",
        "python",
        "msedge",
        "net",
    ]
    lines = []
    for _ in range(SLIM_EVENTS):
        image = draw.choice(names)
        record = {
            "EventID": 1,
            "Image": f"C:\\Windows\\System32\\{image}.exe",
            "OriginalFileName": f"{image}.exe",
            "CommandLine": f'"{image}.exe" -k {draw.randrange(10**9)} --port {draw.randrange(9999)}',
            "CurrentDirectory": f"C:\\Users\\user{draw.randrange(500)}\\AppData\\Local\\",
            "User": f"CORP\\user{draw.randrange(500)}",
            "IntegrityLevel": draw.choice(["Medium", "High", "System"]),
            "ParentImage": f"C:\\Windows\\{draw.choice(['explorer', 'services', 'svchost'])}.exe",
            "ParentCommandLine": f"C:\\Windows\\explorer.exe {draw.randrange(10**6)}",
            "Hashes": f"SHA256={draw.getrandbits(256):064X}",
            "ProcessId": draw.randrange(65536),
            "LogonId": hex(draw.randrange(10**7)),
        }
        lines.append(msgspec.json.encode(record))
    matcher = Matcher([rule.condition for rule in rules])
    list(matched(matcher, lines[:50]))
    seconds, hits = _timed(lambda: sum(map(len, matched(matcher, lines))))
    size = round(sum(map(len, lines)) / len(lines))
    return {
        "events": len(lines),
        "mean bytes": size,
        "rules": len(rules),
        "events/s": round(len(lines) / seconds),
        "hits": hits,
    }


def latency(rules: Sequence[Rule], lines: Sequence[bytes]) -> dict[str, float]:
    """Milliseconds from an event's arrival to its answer at 30,000 a second, collected for 10 ms."""
    sorter = warmed(rules, lines)
    fresh = lines[LATENCY_EVENTS : 2 * LATENCY_EVENTS]
    waits, free, size = [], 0.0, 300
    for start in range(0, len(fresh), size):
        due = (start + size) / 30_000
        begun = max(due, free)
        spent, _ = _timed(lambda start=start: sorter.worth(fresh[start : start + size]))
        free = begun + spent
        waits += [free - (start + place) / 30_000 for place in range(size)]
    waits.sort()
    return {
        "p50 ms": round(waits[len(waits) // 2] * 1e3, 1),
        "p99 ms": round(waits[int(len(waits) * 0.99)] * 1e3, 1),
    }


def hostile(rules: Sequence[Rule]) -> dict[str, Any]:
    """Microseconds a rule costs an event made to be slow: through the index, and each rule's own test."""
    found: dict[str, Any] = {}
    draw = random.Random(9)
    literal = "powershell -enc cmd /c {0}{1} && set ^^ ../"
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "64 KB of a's": lambda: _start("a" * 65_536 + str(draw.random())),
        "64 KB of literals": lambda: _start((literal * 2_000)[:65_536] + str(draw.random())),
        "64 KB of quotes": lambda: _start(("'\"`^+ ( ) { } " * 6_000)[:65_536] + str(draw.random())),
        "64 KB of Chinese": lambda: _start("政务系统" * 5_461 + str(draw.random())),
        "10,000 fields": lambda: {f"f{n}": f"v{draw.random()}" for n in range(10_000)} | _start("cmd /c dir"),
    }
    tests = [compiled(rule.condition) for rule in rules]
    for name, make in makers.items():
        records = [_Record(make(), {}) for _ in range(HOSTILE_EVENTS)]
        matcher = Matcher([rule.condition for rule in rules])
        matcher.match([_Record(_start("x"), {})])
        costs: list[float] = []
        group = matcher._group
        group._tests._tests = [_clocked(compiled(one), costs) for one in group.conditions]
        seconds, _ = _timed(lambda m=matcher, r=records: [m.match([one]) for one in r])
        pairs = HOSTILE_EVENTS * len(rules)
        share = (seconds * 1e6 - sum(costs)) / pairs  # of searching, which all rules have together
        costs = [0.0] * (pairs - len(costs)) + sorted(costs)
        single: list[float] = []
        for record in records[:3]:
            facts = Facts(record)
            for test in tests:
                test(facts)  # texts are folded once for all rules
            for test in tests:
                _clocked(test, single)(facts)
        single.sort()
        found[name] = {
            "µs a rule and event, p99": round(share + costs[int(pairs * 0.99)], 2),
            "mean": round(seconds / pairs * 1e6, 2),
            "worst": round(share + costs[-1], 1),
            "every rule's own test without index, p99": round(single[int(len(single) * 0.99)], 1),
        }
    return found


def _clocked(test: Callable[[Facts], bool], costs: list[float]) -> Callable[[Facts], bool]:
    def clocked(facts: Facts) -> bool:
        begun = time.thread_time()
        answer = test(facts)
        costs.append((time.thread_time() - begun) * 1e6)
        return answer

    return clocked


def _start(line: str) -> dict[str, Any]:
    return {
        "EventID": 1,
        "Image": "C:\\Windows\\System32\\cmd.exe",
        "CommandLine": line,
        "ParentImage": "C:\\Windows\\explorer.exe",
        "User": "CORP\\user",
    }


def proof(rules: Sequence[Rule], lines: Sequence[bytes]) -> dict[str, int]:
    """Every recorded event one by one, without index and memory, against batches with both."""
    events = list(events_of(lines))
    slow = Routing(rules, indexed=False, remembers=False)
    wanted = [answer for event in events for answer in slow.match([event])]
    mismatches = 0
    for size in (1, 7, BATCH):
        fast = SigmaDetector(rules)
        answers = [
            one
            for start in range(0, len(events), size)
            for one in fast.matching_each(events[start : start + size])
        ]
        mismatches += sum(one != two for one, two in zip(answers, wanted, strict=True))
    worth = WindowsLines(rules).worth(lines)
    lost = sum(bool(answer) and not kept for answer, kept in zip(wanted, worth, strict=True))
    return {
        "events": len(events),
        "hits": sum(map(len, wanted)),
        "mismatches": mismatches,
        "lines lost": lost,
    }


def _events_in(data: bytes) -> Iterator[dict[str, Any]]:
    try:
        value = json.loads(data)
    except ValueError:
        return
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict) and "Event" in one:
            yield one["Event"]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def _refuse(error: Exception) -> None:
    raise error


if __name__ == "__main__":
    main()
