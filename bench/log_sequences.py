"""What the product's detectors make of recorded logs: sequences of file systems and clouds, and raw lines.

``python -m bench.log_sequences [sequences|lines|speed]`` prints one JSON object a line. Data:
``../shared/data/anomaly/logseq`` and ``../shared/data/host/loghub``.

Sequences: the first two thirds of the normal ones, as they stand in the file, are learned, the rest is tested
beside all abnormal ones. The limit is the shipped one (1 in 1,000 by the model, no labels). F1 at the natural
ratio follows from the rates of false alarms and finds at 2.93 % abnormal blocks, as in all of HDFS's 575,061;
its range from that of the false alarms (Clopper and Pearson, 95 %).

Lines: each sample of 2,000 real lines with its own times and programs, heartbeats of its sensor in between.
"""

import csv
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- a seeded one

import msgspec
from scipy.stats import beta  # type: ignore[import-untyped]

from detection.alert import Alert
from detection.parameters import read_parameters, shipped
from detection.special.detectors import SpecialParameters
from detection.special.log_lines import LogLinesDetector, LogLinesParameters
from detection.special.log_sequences import LogSequencesDetector, LogSequencesParameters
from sensors.event import Event, LogSource, Observation, stamp

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS = {
    "hdfs_xu": 0.0293,
    "hdfs_loghub": 0.0293,
    "hdfs_logdeep": 0.0293,
    "openstack_loghub": 0.0,
    "openstack_parisakalaki": 0.0,
}
Steps = tuple[str, ...]
Told = Callable[[Steps], bool]
PARAMETERS = read_parameters(shipped("special.toml"), SpecialParameters)
BEAT_SECONDS = 60.0
REPLAYS = 10


def main() -> None:
    """The parts named, or all."""
    for part in sys.argv[1:] or PARTS:
        for row in PARTS[part]():
            print(json.dumps({"part": part, **row}, ensure_ascii=False), flush=True)


def sequences() -> Iterator[dict[str, object]]:
    """One row per set and scorer."""
    for name, natural in SETS.items():
        normal, abnormal = read(name, "train"), read(name, "test_abnormal")
        if (DATA / "anomaly" / "logseq" / name / f"{name.partition('_')[0]}_test_normal").exists():
            normal += read(name, "test_normal")
        learned, tested = normal[: len(normal) * 2 // 3], normal[len(normal) * 2 // 3 :]
        for scorer, make in SCORERS.items():
            told = make(learned)
            begun = time.perf_counter()
            false, found = sum(map(told, tested)), sum(map(told, abnormal))
            seconds = time.perf_counter() - begun
            lines = sum(map(len, tested)) + sum(map(len, abnormal))
            yield {
                "set": name,
                "scorer": scorer,
                "learned": len(learned),
                "normal": len(tested),
                "false": false,
                "abnormal": len(abnormal),
                "missed": len(abnormal) - found,
                "f1_files": f1(false / len(tested), found / len(abnormal), abnormal, tested),
                **at(natural, false, len(tested), found / len(abnormal)),
                "lines_per_second": round(lines / seconds),
            }


def read(name: str, part: str) -> list[Steps]:
    """Sequences of one file; an id before the comma is left out."""
    path = DATA / "anomaly" / "logseq" / name / f"{name.partition('_')[0]}_{part}"
    lines = path.read_text("utf-8").splitlines()
    return [tuple(line.rpartition(",")[2].split()) for line in lines if line.strip()]


def f1(false: float, found: float, abnormal: list[Steps], tested: list[Steps]) -> float:
    """F1 of the abnormal ones in per cent, at the files' ratio."""
    return _f1(false, found, len(abnormal) / (len(abnormal) + len(tested)))


def at(share: float, false: int, tested: int, found: float) -> dict[str, object]:
    """F1 where ``share`` of all are abnormal, and its range."""
    if not share:
        return {}
    low = float(beta.ppf(0.025, false, tested - false + 1)) if false else 0.0
    high = float(beta.ppf(0.975, false + 1, tested - false)) if false < tested else 1.0
    return {
        "f1_natural": _f1(false / tested, found, share),
        "f1_natural_range": [_f1(high, found, share), _f1(low, found, share)],
    }


def _f1(false: float, found: float, share: float) -> float:
    hits = found * share
    return round(200 * hits / (hits + false * (1 - share) + share), 2) if hits else 0.0


def product(learned: list[Steps]) -> Told:
    """The detector's own model with the shipped parameters."""
    parameters = PARAMETERS.log_sequences
    model = parameters.model()
    for one in learned:
        model.learn(model.judge(one))
    limits = parameters.alert_one_in, parameters.unsettled_share
    return lambda one: model.is_rare(model.judge(one), *limits)


def new_counts(learned: list[Steps]) -> Told:
    """Numbers of events that were never seen together."""
    seen = {frozenset(Counter(one).items()) for one in learned}
    return lambda one: frozenset(Counter(one).items()) not in seen


def new_kind(learned: list[Steps]) -> Told:
    """A kind of event that was never seen."""
    seen = {kind for one in learned for kind in one}
    return lambda one: not seen.issuperset(one)


def length(learned: list[Steps]) -> Told:
    """A length beyond those learned."""
    low, high = min(map(len, learned)), max(map(len, learned))
    return lambda one: not low <= len(one) <= high


def all_positive(_learned: list[Steps]) -> Told:
    """Everything is abnormal."""
    return lambda _: True


def random(_learned: list[Steps]) -> Told:
    """A coin."""
    lot = Random(7)
    return lambda _: lot.random() < 0.5


SCORERS: dict[str, Callable[[list[Steps]], Told]] = {
    "product": product,
    "new_counts": new_counts,
    "new_kind": new_kind,
    "length": length,
    "all_positive": all_positive,
    "random": random,
}


def lines() -> Iterator[dict[str, object]]:
    """What is told of each sample's second half and of its silences, with the shipped parameters."""
    for path in sorted((DATA / "host" / "loghub").glob("*/*_2k.log_structured.csv")):
        events, labels = recorded(path)
        alerts = alerted(events, PARAMETERS.log_lines, PARAMETERS.log_sequences)
        told = Counter(alert.rule for alert in alerts)
        hasty = alerted(
            events,
            msgspec.structs.replace(PARAMETERS.log_lines, learning_days=0.0),
            msgspec.structs.replace(PARAMETERS.log_sequences, learning_days=0.0),
        )
        half = events[len(events) // 2].time
        late = [alert for alert in alerts if alert.rule == "special.log-template-new" and alert.time >= half]
        yield {
            "log": path.parent.name,
            "lines": len(events),
            "days": round((events[-1].time - events[0].time).total_seconds() / 86_400, 1),
            "told": dict(told),
            "told_without_learning_days": dict(Counter(alert.rule for alert in hasty)),
            "new_in_second_half": len(late),
            "of_them_labelled": sum(alert.events[-1].id in labels for alert in late) if labels else None,
            "labelled_in_second_half": sum(one.id in labels for one in events if one.time >= half) or None,
            "examples": [alert.reason.zh for alert in alerts][:3],
        }


def alerted(
    events: list[Event], for_lines: LogLinesParameters, for_sequences: LogSequencesParameters
) -> list[Alert]:
    """What both detectors of logs say of the events and their sensor's heartbeats."""
    parts = (LogLinesDetector(for_lines), LogSequencesDetector(for_sequences))
    return [alert for detector in parts for alert in detector.feed(beating(events))]


def recorded(path: Path) -> tuple[list[Event], set[str]]:
    """The lines of a sample in the order of their times, and the ids of those labelled as faults."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = [(_time(row), row) for row in csv.DictReader(file)]
    rows.sort(key=lambda one: one[0])
    events = [
        _event(
            when,
            row["Content"],
            _program(row, path.parent.name),
            row.get("PID") or row.get("Pid"),
            n,
        )
        for n, (when, row) in enumerate(rows)
    ]
    faults = {event.id for event, (_, row) in zip(events, rows, strict=True) if row.get("Label", "-") != "-"}
    return events, faults


def beating(events: list[Event]) -> list[Event]:
    """The events with the heartbeats of a sensor that was always there."""
    beats: list[Event] = []
    now, number = events[0].time, len(events)
    while now <= events[-1].time:
        fields: dict[str, object] = {"event.dataset": "liuhe.heartbeat", "host.name": "sample"}
        seen = Observation(time=now, logsource=LogSource(product="liuhe"), fields=fields)  # type: ignore[arg-type]
        beats.append(stamp(seen, unit="u", sensor="s", epoch=1, sequence=number + len(beats)))
        now += timedelta(seconds=BEAT_SECONDS)
    return sorted([*events, *beats], key=lambda event: event.time)


def speed() -> Iterator[dict[str, object]]:
    """Lines a second through the whole detector: masking, templates, sessions, model."""
    for path in sorted((DATA / "host" / "loghub").glob("*/*_2k.log_structured.csv")):
        if path.parent.name not in ("Linux", "OpenSSH"):
            continue  # those that have a process of a connection
        once, _ = recorded(path)
        whole = once[-1].time - once[0].time + timedelta(hours=1)
        events = [
            _event(
                one.time + whole * turn,
                str(one.fields["message"]),
                str(one.fields["process.name"]),
                pid,
                turn * 2000 + n,
            )
            for turn in range(REPLAYS)
            for n, one in enumerate(once)
            for pid in (f"{one.fields.get('process.pid', '')}{turn}",)
        ]
        detector = LogSequencesDetector(PARAMETERS.log_sequences)
        begun = time.process_time()
        told = len(detector.feed(events))
        seconds = time.process_time() - begun
        yield {
            "log": path.parent.name,
            "lines": len(events),
            "told": told,
            "lines_per_second": round(len(events) / seconds),
        }


def _event(when: datetime, message: str, program: str, pid: str | None, number: int) -> Event:
    fields = {
        "event.dataset": "auth.log",
        "host.name": "sample",
        "message": message,
        "process.name": program,
        "process.pid": int(pid) if pid and pid.isdigit() else None,
    }
    seen = Observation(time=when, logsource=LogSource(product="linux"), fields=fields)  # type: ignore[arg-type]
    return stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)


def _program(row: dict[str, str], system: str) -> str:
    """What wrote the line; the OpenSSH sample keeps the host in that column."""
    return {"OpenSSH": "sshd", "Apache": "httpd"}.get(system) or row["Component"]


def _time(row: dict[str, str]) -> datetime:
    """The time of a line in whichever columns its system keeps it."""
    if "Timestamp" in row:
        return datetime.fromtimestamp(int(row["Timestamp"]), UTC)
    if "Month" in row:
        text = f"2005 {row['Month']} {row['Date']} {row['Time']}"
        return datetime.strptime(text, "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
    if "Day" in row:
        text = f"2005 {row['Date']} {row['Day']} {row['Time']}"
        return datetime.strptime(text, "%Y %b %d %H:%M:%S").replace(tzinfo=UTC)
    text = f"{row.get('Date', '')} {row['Time']}".strip()
    for form in ("%y%m%d %H%M%S", "%Y-%m-%d %H:%M:%S", "%a %b %d %H:%M:%S %Y"):
        if re.fullmatch(r"\S.*", text):
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise ValueError(text)


PARTS: dict[str, Callable[[], Iterator[dict[str, object]]]] = {
    "sequences": sequences,
    "lines": lines,
    "speed": speed,
}

if __name__ == "__main__":
    main()
