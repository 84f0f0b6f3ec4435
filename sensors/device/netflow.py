"""NetFlow v5, v9 (RFC 3954) and IPFIX (RFC 7011): datagrams of an exporter in, flow records out. No IO.

Templates are kept per exporter, domain and id, bounded, the longest unused first out. What cannot be
read (no template yet, a record cut short) and what by the sequence numbers never arrived is counted.
"""

import struct
from collections import OrderedDict
from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

DATAGRAM_BYTES_MAX: Final = 65_535
TEMPLATES_MAX: Final = 4_096
EXPORTERS_MAX: Final = 1_024
FIELDS_MAX: Final = 256  # of one template
RECORD_BYTES_MIN: Final = 4
_REVERSE: Final = 29_305  # RFC 5103: the same element, counted in the other direction
_VARIABLE: Final = 65_535
_JUMP_MAX: Final = 1_000_000  # a greater jump in sequence numbers is a restart, not a loss
_NTP: Final = 2_208_988_800  # seconds from 1900 to 1970

_v5_head: Final = Struct("!HHIIIIBBH")
_v5_record: Final = Struct("!4s4s4sHHIIIIHHxBBBHHBBxx")
_v9_head: Final = Struct("!HHIIII")
_ipfix_head: Final = Struct("!HHIII")
_pair: Final = Struct("!HH")


class FlowRecord(NamedTuple):
    """One flow as an exporter saw it; times are seconds since 1970, 0.0 where it says none."""

    source: bytes
    destination: bytes
    source_port: int
    destination_port: int
    protocol: int
    octets: int
    packets: int
    reverse_octets: int
    reverse_packets: int
    start: float
    end: float
    flags: int
    vlan: int
    ingress: int
    egress: int


class Counts(NamedTuple):
    """What an exporter's datagrams lacked so far."""

    records: int
    without_template: int  # sets whose template has not come yet
    malformed: int
    missing: int  # by sequence numbers, at least: flows (v5), datagrams (v9), records (IPFIX) that never came


class _Exporter:
    def __init__(self) -> None:
        self.records = self.without_template = self.malformed = self.missing = 0
        self.told: OrderedDict[tuple[int, int], tuple[int, int]] = OrderedDict()
        """By (version, domain) the last sequence number and how much its datagram held."""
        self.boots: OrderedDict[int, float] = OrderedDict()  # by IPFIX domain: when its uptime began


class _Field(NamedTuple):
    element: int
    length: int
    enterprise: int


class Collector:
    """Feed datagrams with ``read``; ``counts`` says per exporter what was lost on the way."""

    def __init__(self) -> None:
        self._templates: OrderedDict[tuple[str, int, int, int], tuple[_Field, ...]] = OrderedDict()
        self._exporters: OrderedDict[str, _Exporter] = OrderedDict()

    def read(self, datagram: bytes, exporter: str) -> list[FlowRecord]:
        """The flows in a datagram; a malformed one gives those before the fault and is counted."""
        state = self._exporter(exporter)
        found: list[FlowRecord] = []
        try:
            version = int.from_bytes(datagram[:2])
            if version == 5:
                found.extend(self._v5(datagram, state))
            elif version == 9:
                self._sets(datagram, exporter, state, found)
            elif version == 10:
                self._sets(datagram[: int.from_bytes(datagram[2:4])], exporter, state, found)
            else:
                state.malformed += 1
        except (struct.error, ValueError, IndexError):
            state.malformed += 1
        state.records += len(found)
        return found

    def counts(self) -> dict[str, Counts]:
        """By exporter."""
        return {
            name: Counts(one.records, one.without_template, one.malformed, one.missing)
            for name, one in self._exporters.items()
        }

    def _exporter(self, name: str) -> _Exporter:
        found = self._exporters.get(name)
        if found is None:
            if len(self._exporters) >= EXPORTERS_MAX:
                self._exporters.popitem(last=False)
            found = self._exporters[name] = _Exporter()
        return found

    def _v5(self, data: bytes, state: _Exporter) -> Iterator[FlowRecord]:
        _, count, uptime, seconds, nanos, sequence, _, engine, _ = _v5_head.unpack_from(data)
        self._sequence(state, 5, engine, sequence, count)
        boot = seconds + nanos / 1e9 - uptime / 1e3
        for number in range(count):
            at = _v5_head.size + number * _v5_record.size
            (source, destination, _, ingress, egress, packets, octets, first, last, here, there, flags,
             protocol, _, _, _, _, _) = _v5_record.unpack_from(data, at)  # fmt: skip
            yield FlowRecord(
                source, destination, here, there, protocol, octets, packets, 0, 0,
                boot + first / 1e3, boot + last / 1e3, flags, 0, ingress, egress,
            )  # fmt: skip

    def _sets(self, data: bytes, exporter: str, state: _Exporter, found: list[FlowRecord]) -> None:
        """The sets of a v9 or IPFIX datagram, in order: a template may stand right before its data."""
        version = int.from_bytes(data[:2])
        if version == 9:
            _, _, uptime, seconds, sequence, domain = _v9_head.unpack_from(data)
            boot, at, templates, options = seconds - uptime / 1e3, _v9_head.size, 0, 1
        else:
            _, _, seconds, sequence, domain = _ipfix_head.unpack_from(data)
            boot, at, templates, options = 0.0, _ipfix_head.size, 2, 3
        records = 0
        while at + _pair.size <= len(data):
            number, length = _pair.unpack_from(data, at)
            if length < _pair.size or at + length > len(data):
                raise ValueError("a set longer than its datagram")
            body = data[at + _pair.size : at + length]
            if number in (templates, options):
                self._learn(body, (exporter, version, domain), options=number == options)
            elif number > 255:
                records += self._data(body, (exporter, version, domain, number), boot, state, found)
            else:
                state.malformed += 1
            at += length
        self._sequence(state, version, domain, sequence, 1 if version == 9 else records)

    def _sequence(self, state: _Exporter, version: int, domain: int, sequence: int, count: int) -> None:
        """Count what is missing, at least: some exporters number before their records, some after them."""
        key = (version, domain)
        before = state.told.get(key)
        if before is not None:
            passed = (sequence - before[0]) & 0xFFFFFFFF
            held = max(before[1], count) if version == 10 else before[1]
            if passed < _JUMP_MAX:
                state.missing += max(0, passed - held)
        elif len(state.told) >= EXPORTERS_MAX:
            state.told.popitem(last=False)
        state.told[key] = (sequence, count)

    def _learn(self, body: bytes, owner: tuple[str, int, int], *, options: bool) -> None:
        """Keep the templates of a set. Those of options describe the exporter: their records are no flows."""
        at = 0
        while at + _pair.size <= len(body):
            number, count = _pair.unpack_from(body, at)
            at += _pair.size
            if options:  # v9 gives the bytes of scope and of option fields, IPFIX how many are scope
                more = int.from_bytes(body[at : at + 2])
                count = (count + more) // _pair.size if owner[1] == 9 else count
                at += 2
            if number < 256 or count > FIELDS_MAX:
                return  # padding, or nothing we would keep
            fields = []
            for _ in range(count):
                element, length = _pair.unpack_from(body, at)
                at += _pair.size
                enterprise = 0
                if owner[1] == 10 and element & 0x8000:
                    element &= 0x7FFF
                    enterprise = int.from_bytes(body[at : at + 4])
                    at += 4
                fields.append(_Field(element, length, enterprise))
            key = (*owner, number)
            self._templates.pop(key, None)
            if fields:  # IPFIX withdraws a template by one without fields
                self._templates[key] = tuple(fields)
            while len(self._templates) > TEMPLATES_MAX:
                self._templates.popitem(last=False)

    def _data(
        self,
        body: bytes,
        key: tuple[str, int, int, int],
        boot: float,
        state: _Exporter,
        found: list[FlowRecord],
    ) -> int:
        """Records in the set, flows and others."""
        template = self._templates.get(key)
        if template is None:
            state.without_template += 1
            return 0
        self._templates.move_to_end(key)
        least = max(sum(one.length for one in template if one.length != _VARIABLE), RECORD_BYTES_MIN)
        at = records = 0
        while len(body) - at >= least:
            values, at = _values(body, at, template)
            records += 1
            if (0, 160) in values:  # systemInitTimeMilliseconds, in a record of its own or in each
                state.boots[key[2]] = int.from_bytes(values[0, 160][-8:]) / 1e3
                while len(state.boots) > EXPORTERS_MAX:
                    state.boots.popitem(last=False)
            record = _record(values, boot or state.boots.get(key[2], 0.0))
            if record is not None:
                found.append(record)
        return records


def _values(body: bytes, at: int, template: tuple[_Field, ...]) -> tuple[dict[tuple[int, int], bytes], int]:
    values = {}
    for element, length, enterprise in template:
        if length == _VARIABLE:
            length, at = body[at], at + 1
            if length == 255:
                length, at = int.from_bytes(body[at : at + 2]), at + 2
        if at + length > len(body):
            raise ValueError("a record longer than its set")
        values[enterprise, element] = body[at : at + length]
        at += length
    return values, at


def _record(values: dict[tuple[int, int], bytes], boot: float) -> FlowRecord | None:
    """The flow of a record; None where it has no two addresses (an options record, a counter)."""

    def number(*elements: int, enterprise: int = 0) -> int:
        for element in elements:
            raw = values.get((enterprise, element))
            if raw:
                return int.from_bytes(raw[-8:])
        return 0

    source = values.get((0, 8)) or values.get((0, 27)) or b""
    destination = values.get((0, 12)) or values.get((0, 28)) or b""
    if len(source) not in (4, 16) or len(source) != len(destination):
        return None
    protocol = number(4) & 0xFF
    here, there = number(7) & 0xFFFF, number(11) & 0xFFFF
    if protocol in (1, 58):  # ICMP's type and code take the ports' place, as in the sensor's own flows
        kind = number(32, 139) or there
        here, there = kind >> 8 & 0xFF, kind & 0xFF
    return FlowRecord(
        source=source,
        destination=destination,
        source_port=here,
        destination_port=there,
        protocol=protocol,
        octets=number(1, 85, 231),
        packets=number(2, 86, 298),
        reverse_octets=number(1, 85, enterprise=_REVERSE) or number(232, 23),
        reverse_packets=number(2, 86, enterprise=_REVERSE) or number(299, 24),
        start=_moment(values, boot, (22, 150, 152, 154, 156)),
        end=_moment(values, boot, (21, 151, 153, 155, 157)),
        flags=number(6) & 0xFF,
        vlan=number(58, 243) & 0xFFF,
        ingress=number(10),
        egress=number(14),
    )


def _moment(values: dict[tuple[int, int], bytes], boot: float, elements: tuple[int, ...]) -> float:
    """Of uptime ms, seconds, milliseconds and two NTP forms the best that is given, since 1970."""
    uptime, seconds, millis, *fractions = (values.get((0, element)) for element in elements)
    if millis:
        return int.from_bytes(millis) / 1e3
    if seconds:
        return float(int.from_bytes(seconds))
    for raw in fractions:
        if raw and len(raw) == 8:
            return int.from_bytes(raw[:4]) - _NTP + int.from_bytes(raw[4:]) / 2**32
    return boot + int.from_bytes(uptime) / 1e3 if uptime and boot else 0.0
