"""What the special detectors find and what they tell wrongly, on public data and staged traffic.

``python -m bench.special_detectors [beacon …]`` prints one JSON object a line. Data lie beside the project
(``../shared/data``); staged parts are named as such. Thresholds are those of rules/anomaly/special.toml.
"""

import csv
import gzip
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random  # noqa: TID251 -- a seeded one
from typing import Any

import msgspec

import rules
from detection.alert import Alert
from detection.parameters import read_parameters, shipped
from detection.special.beacon import BeaconDetector
from detection.special.detectors import SpecialParameters, special_detectors
from detection.special.dns_tunnel import DnsTunnelDetector
from detection.special.generated_names import GeneratedNamesDetector
from detection.special.name_model import open_names
from detection.special.names import parted
from detection.special.templates import Templates
from sensors.event import Event, LogSource, Observation, decode, stamp
from sensors.read import read_file

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "anomaly"
DAY = 86_400.0
Seen = tuple[float, str, dict[str, Any]]


def main() -> None:
    """Run the parts named, or all."""
    parameters = read_parameters(shipped("special.toml"), SpecialParameters)
    for name in sys.argv[1:] or PARTS:
        for row in PARTS[name](parameters):
            print(json.dumps({"part": name, **row}, ensure_ascii=False), flush=True)


def stamped(rows: Sequence[Seen]) -> list[Event]:
    """Rows in order of time as events."""
    events = []
    for number, (when, dataset, fields) in enumerate(sorted(rows, key=lambda row: row[0])):
        seen = Observation(
            time=datetime.fromtimestamp(when, UTC),
            logsource=LogSource(product="zeek"),
            fields={"event.dataset": dataset, **fields},
        )
        events.append(stamp(seen, unit="u", sensor="s", epoch=1, sequence=number))
    return events


def timed(feed: Callable[[Sequence[Event]], list[Alert]], events: list[Event]) -> tuple[list[Alert], float]:
    """The alerts, and events per second."""
    alerts: list[Alert] = []
    begun = time.perf_counter()
    for first in range(0, len(events), 2_048):
        alerts += feed(events[first : first + 2_048])
    return alerts, len(events) / (time.perf_counter() - begun)


def beacon(parameters: SpecialParameters) -> Iterator[dict[str, Any]]:
    """A real day of 13 sources, with clocks of 10 s to 4 h and 0 to 50 % jitter put into it."""
    background = list(_requests())
    begin = min(row[0] for row in background)
    sources = sorted({row[2]["source.ip"] for row in background})
    for seed in range(3):
        lot, staged, names = Random(seed), list[Seen](), set[str]()
        for period in (10, 30, 60, 300, 900, 3_600, 14_400):
            for jitter in (0.0, 0.25, 0.5):
                name, source, when = (
                    f"c2-{len(names)}.example",
                    lot.choice(sources),
                    begin + lot.random() * period,
                )
                names.add(name)
                while when < begin + DAY - 300:
                    staged.append(
                        (when, "net.http", _request(source, name, "/a", "Mozilla/5.0 (Windows NT 10.0)"))
                    )
                    when += period * (1 + jitter * (2 * lot.random() - 1))
        detector = BeaconDetector(parameters.beacon, parameters.networks.test())
        alerts, speed = timed(detector.feed, stamped([*background, *staged]))
        ranking = detector.ranking("u")
        told = {
            (alert.matched[0].value, alert.reason.en.split(" contacted ")[1].split(" ")[0])
            for alert in alerts
        }
        wrong = {one for one in told if one[1] not in names}
        yield {
            "seed": seed,
            "injected": len(names),
            "in_top": sum(name in names for _, _, name in ranking[: len(names)]),
            "in_top_20": sum(name in names for _, _, name in ranking[:20]),
            "alerted": len(told - wrong),
            "benign_alerted": sorted(wrong),
            "benign_pairs": len({(row[2]["source.ip"], row[2]["url.domain"]) for row in background}),
            "benign_judged": sum(name not in names for _, _, name in ranking),
            "events_per_second": round(speed),
        }


def dns_tunnel(parameters: SpecialParameters) -> Iterator[dict[str, Any]]:
    """Captured tunnels, at full rate and thinned to one query in 10 s; captured and staged look-ups."""
    folder = DATA / "dns-tunnel"
    for path in sorted((folder / "tunnel").glob("*.pcap")):
        queries = [event for event in _events_of(path) if event.fields.get("dns.type") == "query"]
        thinned = [
            msgspec.structs.replace(event, time=queries[0].time + timedelta(seconds=10 * n))
            for n, event in enumerate(queries[:: max(1, len(queries) // 360)])
        ]
        for rate, events in (("full", queries), ("throttled", thinned)):
            alerts, speed = timed(_dns_tunnel(parameters).feed, events)
            delay = (alerts[0].time - events[0].time).total_seconds() if alerts else None
            yield {
                "capture": path.name,
                "rate": rate,
                "queries": len(events),
                "delay_seconds": delay,
                "events_per_second": round(speed),
            }
    wrong = pairs = 0
    for path in sorted((folder / "normal").glob("*.pcap")):
        events = _events_of(path)
        alerts, _ = timed(_dns_tunnel(parameters).feed, events)
        wrong += len(alerts)
        pairs += len(
            {(parted(str(e.fields["dns.question.name"]))[1], int(e.time.timestamp()) // 60) for e in events}
        )
    yield {"capture": "normal", "domain_minutes": pairs, "false_alerts": wrong}
    for kind, seen in _lookups(Random(3)).items():
        alerts, speed = timed(_dns_tunnel(parameters).feed, stamped(seen))
        minutes = {
            (row[2]["source.ip"], parted(row[2]["dns.question.name"])[1], int(row[0]) // 60) for row in seen
        }
        names = sorted({parted(str(alert.matched[1].value))[1] for alert in alerts})
        yield {
            "staged": kind,
            "domain_minutes": len(minutes),
            "false_alerts": len(alerts),
            "names": names,
            "events_per_second": round(speed),
        }


def generated_names(parameters: SpecialParameters) -> Iterator[dict[str, Any]]:
    """With host context: a family's names asked for among benign look-ups, by one host or by three.

    Protocol: up to 120 names of each family of at least 20, none of which exists; each host also looks up 40
    popular names in ten minutes. Found is a family whose first host is told within two hours. Then 200 people
    who mistype for a day, for false alerts.
    """
    names = _benign_names()
    families: dict[str, list[str]] = {}
    with gzip.open(DATA / "dga" / "dga_dev.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            families.setdefault(row["family"], []).append(row["domain"])
    for hosts, pause in ((1, 5.0), (1, 60.0), (3, 30.0)):
        delays, missed = [], []
        for family, listed in sorted(families.items()):
            if len(listed) < 20:
                continue
            seen = _infected(listed[:120], names, hosts, pause)
            detector = GeneratedNamesDetector(parameters.generated_names, open_names())
            alerts, _ = timed(detector.feed, stamped(seen))
            if alerts:
                delays.append(alerts[0].time.timestamp())
            else:
                missed.append(family)
        yield {
            "hosts": hosts,
            "seconds_between_names": pause,
            "families": len(delays) + len(missed),
            "found_share": round(len(delays) / (len(delays) + len(missed)), 3),
            "missed": missed,
            "median_delay_seconds": sorted(delays)[len(delays) // 2],
        }
    lot, seen = Random(2), []
    for host in range(200):  # a day of people who mistype now and then, and of a search suffix
        for _ in range(250):
            when, name = lot.random() * DAY, lot.choice(names)
            seen.append((when, "net.dns", _answer(f"10.0.2.{host}", name, "NOERROR")))
            if lot.random() < 0.15:
                head, _, tail = name.partition(".")
                place = lot.randrange(len(head))
                wrong = head[:place] + lot.choice("abcdefghijklmnopqrstuvwxyz") + head[place:]
                seen.append((when + 1, "net.dns", _answer(f"10.0.2.{host}", f"{wrong}.{tail}", "NXDOMAIN")))
                seen.append(
                    (when + 2, "net.dns", _answer(f"10.0.2.{host}", f"{name}.corp.example.cn", "NXDOMAIN"))
                )
    alerts, speed = timed(
        GeneratedNamesDetector(parameters.generated_names, open_names()).feed, stamped(seen)
    )
    yield {
        "staged": "200 people, a day",
        "events": len(seen),
        "false_alerts": len(alerts),
        "events_per_second": round(speed),
    }


def _infected(listed: list[str], names: list[str], hosts: int, pause: float) -> list[Seen]:
    lot, seen = Random(1), list[Seen]()
    for host in range(hosts):
        address = f"10.0.0.{7 + host}"
        begin = lot.random() * pause
        seen += [
            (begin + pause * n, "net.dns", _answer(address, name, "NXDOMAIN"))
            for n, name in enumerate(listed)
            if pause * n < 7_200
        ]
        benign = int(40 * max(1.0, pause * len(listed) / 600))
        seen += [
            (
                lot.random() * max(600.0, pause * len(listed)),
                "net.dns",
                _answer(address, lot.choice(names), "NOERROR"),
            )
            for _ in range(benign)
        ]
    return seen


def log_lines(_parameters: SpecialParameters) -> Iterator[dict[str, Any]]:
    """Lines a second through masking and the tree, and templates found, on 2,000 lines each."""
    for path in sorted((DATA.parent / "host" / "loghub").glob("*/*_2k.log")):
        lines = path.read_text("utf-8", "replace").splitlines()
        templates = Templates(400)
        begun = time.perf_counter()
        new = sum(templates.add(line)[0] for line in lines)
        seconds = time.perf_counter() - begun
        half = Templates(400)
        for line in lines[: len(lines) // 2]:
            half.add(line)
        late = sum(half.add(line)[0] for line in lines[len(lines) // 2 :])
        yield {
            "log": path.name,
            "lines": len(lines),
            "templates": new,
            "new_in_second_half": late,
            "lines_per_second": round(len(lines) / seconds),
        }


def everything(_parameters: SpecialParameters) -> Iterator[dict[str, Any]]:
    """The recorded benign events of hosts and network again and again: time per event of every detector."""
    folder = Path(str(rules.__file__)).parent / "samples" / "benign"
    lines = [
        line for name in ("host", "network") for line in (folder / f"{name}.ndjson").read_bytes().splitlines()
    ]
    once = [decode(line) for line in lines if line]
    events = [
        msgspec.structs.replace(
            event, time=event.time + timedelta(seconds=60 * turn), id=f"{event.id[:30]}{turn * 1000 + n:010x}"
        )
        for turn in range(60)
        for n, event in enumerate(once)
    ]
    sums: dict[str, float] = {}
    told: dict[str, int] = {}
    for detector in special_detectors():
        alerts, speed = timed(detector.feed, events)
        sums[detector.name] = 1e6 / speed
        for alert in alerts:
            told[alert.rule] = told.get(alert.rule, 0) + 1
    yield {
        "events": len(events),
        "events_per_second": round(1e6 / sum(sums.values())),
        "microseconds": {name: round(value, 2) for name, value in sums.items()},
        "alerts": told,
    }


def _dns_tunnel(parameters: SpecialParameters) -> DnsTunnelDetector:
    return DnsTunnelDetector(parameters.dns_tunnel, open_names())


def _benign_names() -> list[str]:
    with gzip.open(DATA / "dga" / "benign_alexa_100k.csv.gz", "rt") as file:
        return [row[1] for row in csv.reader(file)]


def _events_of(path: Path) -> list[Event]:
    """DNS events of a capture, by the network sensor's own reading."""
    seen = [one for one in read_file(path) if one.fields.get("event.dataset") == "net.dns"]
    return [stamp(one, unit="u", sensor="s", epoch=1, sequence=number) for number, one in enumerate(seen)]


def _lookups(lot: Random) -> dict[str, list[Seen]]:
    """A day of look-ups that have new names in them and are no tunnels."""
    digits = "0123456789abcdef"

    def word(size: int) -> str:
        return "".join(lot.choice(digits) for _ in range(size))

    content = [
        (
            lot.random() * DAY,
            "net.dns",
            _query(f"10.0.3.{lot.randrange(60)}", f"d{word(lot.randrange(8, 14))}.{name}"),
        )
        for name in ("cloudfront.net", "cdn20.com", "akamaiedge.net")
        for _ in range(6_000)
    ]
    virus = [
        (
            lot.random() * DAY,
            "net.dns",
            _query(f"10.0.3.{lot.randrange(60)}", f"{word(26)}.{word(8)}.avqs.example"),
        )
        for _ in range(12_000)
    ]
    lists = [
        (
            lot.random() * DAY,
            "net.dns",
            _query(
                "10.0.3.9",
                f"{lot.randrange(256)}.{lot.randrange(256)}.{lot.randrange(256)}.{lot.randrange(256)}.zen.dnsbl.example",
            ),
        )
        for _ in range(20_000)
    ]
    reverse = [
        (
            lot.random() * DAY,
            "net.dns",
            _query("10.0.3.9", f"{lot.randrange(256)}.{lot.randrange(256)}.10.10.in-addr.arpa"),
        )
        for _ in range(20_000)
    ]
    forwarder = [
        (
            lot.random() * DAY,
            "net.dns",
            _query(
                "10.0.3.1", f"{lot.choice(('www', 'img', 'api', 'm'))}{lot.randrange(30)}.{lot.choice(names)}"
            ),
        )
        for names in (_benign_names(),)
        for _ in range(40_000)
    ]
    return {
        "content networks, 60 hosts": content,
        "reputation look-ups, 60 hosts": virus,
        "block lists of a mail server": lists,
        "reverse": reverse,
        "forwarder": forwarder,
    }


def _query(source: str, name: str) -> dict[str, Any]:
    return {"dns.type": "query", "source.ip": source, "dns.question.name": name, "dns.question.type": "A"}


def _answer(source: str, name: str, code: str) -> dict[str, Any]:
    return {"dns.type": "answer", "source.ip": source, "dns.question.name": name, "dns.response_code": code}


def _requests() -> Iterator[Seen]:
    with gzip.open(DATA / "beacon" / "valid_tsv" / "http.log.gz", "rt") as file:
        for line in file:
            if not line.startswith("#"):
                cells = line.rstrip("\n").split("\t")
                host = cells[8] if cells[8] != "-" else cells[4]
                yield float(cells[0]), "net.http", _request(cells[2], host, cells[9], cells[12], cells[4])


def _request(source: str, host: str, path: str, agent: str, address: str = "203.0.113.9") -> dict[str, Any]:
    return {
        "event.action": "request",
        "source.ip": source,
        "destination.ip": address,
        "url.domain": host,
        "url.original": path,
        "user_agent.original": agent,
    }


PARTS: dict[str, Callable[[SpecialParameters], Iterator[dict[str, Any]]]] = {
    "beacon": beacon,
    "dns_tunnel": dns_tunnel,
    "generated_names": generated_names,
    "log_lines": log_lines,
    "everything": everything,
}

if __name__ == "__main__":
    main()
