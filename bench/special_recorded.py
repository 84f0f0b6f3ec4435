"""What the special detectors say of recorded traffic and logs, and for which there is none recorded.

``python -m bench.special_recorded [captures …]`` prints one JSON object a line for each set and a last one of
the detectors. Every file is one site of its own: the detectors begin anew with each, as shipped.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crypto.words import LiuheError
from detection.special.detectors import special_detectors
from detection.special.durable import Durable
from sensors.event import Event, stamp
from sensors.read import read_file

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS: dict[str, tuple[str, tuple[str, ...]]] = {
    "captures": ("pcap/zeek/captures", ("*.pcap", "*.pcapng")),
    "tls": ("pcap/ja4/captures", ("*.pcap", "*.pcapng")),
    "dns_benign": ("anomaly/dns-tunnel/normal", ("*.pcap",)),
    "dns_tunnels": ("anomaly/dns-tunnel/tunnel", ("*.pcap",)),
    "logs": ("host/loghub", ("*_2k.log",)),
    "audit": ("host/auditd", ("*.log",)),
}
_EVENTS_MAX = 60_000  # of one file


def main() -> None:
    """Run the sets named, or all."""
    seen: Counter[str] = Counter()
    for name in sys.argv[1:] or SETS:
        print(json.dumps(measured(name, seen)), flush=True)
    wanted = {one.name: one.detector.datasets for one in special_detectors() if isinstance(one, Durable)}
    nothing = sorted(
        name for name, datasets in wanted.items() if datasets and not any(seen[one] for one in datasets)
    )
    print(json.dumps({"datasets": dict(seen.most_common()), "detectors_without_recorded_events": nothing}))


def measured(name: str, seen: Counter[str]) -> dict[str, Any]:
    """Files, events, hours and alerts of one set."""
    folder, patterns = SETS[name]
    told: Counter[str] = Counter()
    files: dict[str, list[str]] = {}
    events_sum, hours, unread, count = 0, 0.0, 0, 0
    for path in sorted(one for pattern in patterns for one in (DATA / folder).rglob(pattern)):
        try:
            events = list(_events(path))
        except (LiuheError, OSError, ValueError):
            unread += 1
            continue
        count += 1
        events_sum += len(events)
        seen.update(str(event.fields.get("event.dataset", "")) for event in events)
        if events:
            times = [event.time for event in events]
            hours += (max(times) - min(times)).total_seconds() / 3_600
        for detector in special_detectors():
            for alert in detector.feed(events):
                told[alert.rule] += 1
                files.setdefault(alert.rule, []).append(path.name)
    return {
        "set": name,
        "files": count,
        "unread": unread,
        "events": events_sum,
        "hours": round(hours, 1),
        "alerts": dict(told),
        "in": {rule: sorted(set(names))[:8] for rule, names in files.items()},
    }


def _events(path: Path) -> Iterator[Event]:
    for number, one in enumerate(read_file(path)):
        if number >= _EVENTS_MAX:
            return
        yield stamp(one, unit="u", sensor="s", epoch=1, sequence=number)


if __name__ == "__main__":
    main()
