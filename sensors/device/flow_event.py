"""An exporter's flow record as the event that the network sensor makes of a flow it saw itself."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sensors.device.mapping import add_community_id
from sensors.device.netflow import Counts, FlowRecord
from sensors.event import LogSource, Observation, Value
from sensors.network.observation import address_text, moment

_CONN: Final = LogSource(product="zeek", service="conn", category="flow")
_CAPTURE: Final = LogSource(product="liuhe", service="capture")
_TRANSPORTS: Final = {
    1: "icmp",
    2: "igmp",
    6: "tcp",
    17: "udp",
    47: "gre",
    50: "esp",
    58: "ipv6-icmp",
    132: "sctp",
}
_AHEAD_MAX: Final = timedelta(hours=1)  # an exporter whose clock is further off is not believed


def describe_flow(record: FlowRecord, exporter: str, received: datetime) -> Observation:
    """The flow's net.flow event; its time is when the flow ended, or came to us where that cannot be so."""
    source, destination = address_text(record.source), address_text(record.destination)
    ended = moment(record.end) if record.end else received
    if abs(ended - received) > _AHEAD_MAX * 24 or ended - received > _AHEAD_MAX:
        ended = received
    transport = _TRANSPORTS.get(record.protocol, str(record.protocol))
    fields: dict[str, Value] = {
        "event.dataset": "net.flow",
        "event.action": "flow-end",
        "event.category": "network",
        "event.provider": "netflow",
        "observer.name": exporter,
        "observer.ip": exporter,
        "interface.name": str(record.ingress),
        "source.ip": source,
        "source.port": record.source_port,
        "source.bytes": record.octets,
        "source.packets": record.packets,
        "destination.ip": destination,
        "destination.port": record.destination_port,
        "destination.bytes": record.reverse_octets,
        "destination.packets": record.reverse_packets,
        "network.type": "ipv4" if len(record.source) == 4 else "ipv6",
        "network.transport": transport,
        "network.bytes": record.octets + record.reverse_octets,
        "network.packets": record.packets + record.reverse_packets,
    }
    duration = max(record.end - record.start, 0.0) if record.start and record.end else 0.0
    if record.start:
        fields |= {"event.start": moment(record.start).isoformat(), "event.duration": int(duration * 1e9)}
    if record.vlan:
        fields["network.vlan.id"] = str(record.vlan)
    add_community_id(fields)
    native: dict[str, Value] = {
        "id.orig_h": source,
        "id.orig_p": record.source_port,
        "id.resp_h": destination,
        "id.resp_p": record.destination_port,
        "proto": "icmp" if transport == "ipv6-icmp" else transport,
        "duration": round(duration, 6),
        "orig_ip_bytes": record.octets,
        "resp_ip_bytes": record.reverse_octets,
        "orig_pkts": record.packets,
        "resp_pkts": record.reverse_packets,
    }
    return Observation(
        time=ended.astimezone(UTC), logsource=_CONN, fields=fields, native=native, lane="flows"
    )


def describe_counts(exporter: str, counts: Counts, time: datetime) -> Observation:
    """What came from an exporter and what did not, so far: loss is an event, not a line in a log."""
    fields: dict[str, Value] = {
        "event.dataset": "net.capture",
        "observer.name": exporter,
        "observer.ip": exporter,
        "interface.name": "netflow",
        "gov.capture.received": counts.records,
        "gov.capture.dropped": counts.missing,
        "gov.capture.without_template": counts.without_template,
        "gov.capture.malformed": counts.malformed,
    }
    return Observation(time=time, logsource=_CAPTURE, fields=fields, lane="flows")
