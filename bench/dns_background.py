"""How often ordinary look-ups are called a DNS tunnel: ``python -m bench.dns_background [staged days]``.

Counted are different (source, registered name, minute); a minute asked again counts once. Captured: the
benign look-ups of ``../shared/data`` and every other capture there that holds DNS. Implied: the names that a
day of web requests (beacon set) had to look up, one query a request. Staged: days of content networks,
reputation look-ups, block lists, reverse names and a forwarder, each drawn with its own seed. With no false
alert in N of them the rate is below 3/N with 95 % confidence. Staged days prove no more than what is staged.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random  # noqa: TID251 -- a seeded one

from bench.special_detectors import DATA, _events_of, _lookups, _query, _requests, stamped
from crypto.words import LiuheError
from detection.parameters import read_parameters, shipped
from detection.special.detectors import SpecialParameters
from detection.special.dns_tunnel import DnsTunnelDetector
from detection.special.name_model import open_names
from detection.special.names import parted
from sensors.event import Event

DAYS = 4
OTHER = ("pcap/zeek/captures", "pcap/ja4/captures")


def main() -> None:
    """One line for each kind of background, then the sums and their bounds."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else DAYS
    sums: dict[str, list[int]] = {}
    for kind, name, events in _backgrounds(days):
        minutes = len(_minutes(events))
        parameters = read_parameters(shipped("special.toml"), SpecialParameters).dns_tunnel
        alerts = DnsTunnelDetector(parameters, open_names()).feed(events)
        print(json.dumps({"kind": kind, "of": name, "domain_minutes": minutes, "false_alerts": len(alerts)}))
        for at in (kind, "all"):
            total = sums.setdefault(at, [0, 0])
            total[0] += minutes
            total[1] += len(alerts)
    for kind, (minutes, wrong) in sums.items():
        bound = None if wrong else round(3 / minutes, 8)
        print(json.dumps({"sum": kind, "domain_minutes": minutes, "false_alerts": wrong, "below_95": bound}))


def _backgrounds(days: int) -> Iterator[tuple[str, str, list[Event]]]:
    for path in sorted((DATA / "dns-tunnel" / "normal").glob("*.pcap")):
        yield "captured", path.name, _events_of(path)
    for folder in OTHER:
        for path in sorted((DATA.parent / folder).rglob("*.pcap*")):
            events = _read(path)
            if events:
                yield "captured", path.name, events
    yield (
        "implied",
        "web requests",
        stamped(
            [
                (when, "net.dns", _query(fields["source.ip"], fields["url.domain"]))
                for when, _, fields in _requests()
                if any(one.isalpha() for one in fields["url.domain"])
            ]
        ),
    )
    for day in range(days):
        for kind, seen in _lookups(Random(3 + day)).items():
            yield "staged", f"day {day + 1}, {kind}", stamped(seen)


def _read(path: Path) -> list[Event]:
    try:
        return _events_of(path) if path.is_file() and path.suffix in (".pcap", ".pcapng") else []
    except (LiuheError, OSError, ValueError):
        return []  # captures of broken packets are part of that set


def _minutes(events: Iterable[Event]) -> set[tuple[str, str, int]]:
    return {
        (
            str(event.fields.get("source.ip")),
            parted(str(event.fields["dns.question.name"]))[1],
            int(event.time.timestamp()) // 60,
        )
        for event in events
        if event.fields.get("dns.type", "query") == "query" and event.fields.get("dns.question.name")
    }


if __name__ == "__main__":
    main()
