"""The register of sensors as the console shows and changes it: ``soc_api.sensor_port.SensorPort``.

What a sensor says of itself comes from the inventory, what was decided about it from the register; where
both speak of the same thing (its unit), the register is right.
"""

import shlex
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from crypto.words import BadInput, Refused, Words
from crypto.x509 import read_certificates
from detection.store.inventory import Gap, SensorState
from detection.store.inventory_store import InventoryStore
from sensors.token import decode_token
from soc_api.enrolment import EnrolmentDesk, SensorRecord
from soc_api.enrolment_store import EnrolmentStore
from soc_api.sensor_port import (
    CertificateValue,
    GapValue,
    OpenTokenValue,
    SensorDetailValue,
    SensorPageValue,
    SensorRowValue,
    SourceValue,
    Standing,
    TokenAsk,
    TokenValue,
    UnitValue,
)

GAPS_MAX: Final = 200  # of one sensor, newest first
PLACE_CHARS_MAX: Final = 64
DATA_FOLDERS: Final = "/var/lib/liuhe/sensor-"  # and the kind; what the copied command proposes

Moved = Callable[[str, datetime], object]  # told (actor, time): sensors are to learn their units anew


class ConsoleSensors:
    """Safe to share between threads."""

    def __init__(
        self,
        store: EnrolmentStore,
        desk: EnrolmentDesk,
        inventory: InventoryStore,
        *,
        unit: str,
        unit_name: Callable[[str], str],
        addresses: Sequence[str],
        moved: Moved | None = None,
    ) -> None:
        """``addresses`` is how sensors reach this center, ``unit`` the center's own."""
        self._store = store
        self._desk = desk
        self._inventory = inventory
        self._unit = unit
        self._unit_name = unit_name
        self._addresses = tuple(addresses)
        self._moved = moved

    def page(self, now: datetime) -> SensorPageValue:
        """Every sensor that was ever enrolled or heard of, by id."""
        states = {state.sensor: state for state in self._inventory.sensors(now)}
        records = {record.id: record for record in self._records(now)}
        gaps = self._inventory.gap_counts()
        rows = tuple(
            _row(records.get(name), states.get(name), gaps.get(name, 0))
            for name in sorted(states.keys() | records.keys())
        )
        tokens = tuple(
            OpenTokenValue(
                id=one.id,
                unit=one.unit,
                group=one.group,
                actor=one.actor,
                created=one.created,
                expires=one.expires,
            )
            for one in self._store.open_tokens(now)
        )
        codes = {row.unit for row in rows} | {one.unit for one in tokens} | {self._unit}
        units = tuple(UnitValue(code=code, name=self._unit_name(code)) for code in sorted(codes))
        return SensorPageValue(
            rows=rows, units=units, tokens=tokens, addresses=self._addresses, unit=self._unit
        )

    def detail(self, sensor: str, now: datetime) -> SensorDetailValue:
        """One sensor. Raises Refused (sensor-not-found)."""
        self._store.settle(sensor, now)  # a sensor that left may have been the last to speak of it
        record, state = self._store.sensor(sensor), self._inventory.sensor(sensor, now)
        if record is None and state is None:
            raise sensor_not_found(sensor)
        gaps = self._inventory.gaps(sensor, GAPS_MAX)
        count = self._inventory.gap_counts().get(sensor, 0)
        return SensorDetailValue(
            sensor=_row(record, state, count),
            events=state.events if state else 0,
            cpu_percent=state.cpu_percent if state else 0.0,
            rss_bytes=state.rss_bytes if state else 0,
            sources=tuple(
                SourceValue(name=one.name, state=one.state, detail=one.detail)
                for one in (state.sources if state else ())
            ),
            drops=dict(state.drops) if state else {},
            gaps=tuple(_gap(one) for one in gaps),
            certificate=_certificate(record.certificate) if record else None,
            enrolled=record.enrolled if record else None,
            draining=record.draining if record else None,
            drained=record.drained if record else None,
            revoked=record.revoked if record else None,
            revoked_by=record.revoked_by if record else "",
            revoked_reason=record.revoked_reason if record else "",
            quarantined=record.quarantined if record else None,
            quarantine_reason=record.quarantine_reason if record else "",
        )

    def counts(self, now: datetime, units: frozenset[str] | None = None) -> tuple[int, int]:
        """How many of the sensors in use of ``units`` are online, and how many there are."""
        if units is not None:
            rows = [row for row in self.page(now).rows if row.unit in units and row.standing != "revoked"]
            return sum(row.state == "online" for row in rows), len(rows)
        records = self._store.sensors()
        revoked = {record.id for record in records if record.revoked is not None}
        used = {record.id for record in records} - revoked
        states = [state for state in self._inventory.sensors(now) if state.sensor not in revoked]
        online = sum(state.state == "online" for state in states)
        return online, len(used | {state.sensor for state in states})

    def give_token(self, ask: TokenAsk, actor: str, now: datetime) -> TokenValue:
        """A one-time token for one sensor.

        Raises BadInput (sensor-place, address-malformed, token-request).
        """
        unit, group = _place(ask.unit, "unit", least=1), _place(ask.group, "group")
        valid = timedelta(hours=ask.hours)
        addresses = ask.addresses or self._addresses
        token = self._desk.give_token(unit=unit, addresses=addresses, actor=actor, valid=valid, group=group)
        return TokenValue(
            id=decode_token(token).id,
            token=token,
            command=command(token, ask.kind),
            unit=unit,
            group=group,
            expires=now + valid,
        )

    def withdraw(self, token: str, now: datetime) -> None:
        """Let an open token enrol nobody. Raises Refused (token-not-found)."""
        if not self._store.withdraw(token, now):
            raise Refused(
                "token-not-found",
                Words("没有这个未用的令牌", "there is no such open token"),
                Words("它可能已被使用或已过期,请刷新", "it may be used or expired: reload"),
                field=token,
            )

    def revoke(self, sensor: str, reason: str, actor: str, now: datetime) -> SensorRowValue:
        """Refuse its certificate from now on. Raises Refused (sensor-not-found)."""
        self._changed(sensor, self._desk.revoke(sensor, actor=actor, reason=reason))
        return self.detail(sensor, now).sensor

    def move(self, sensor: str, unit: str, group: str, actor: str, now: datetime) -> SensorRowValue:
        """Let its events belong to another unit.

        Raises Refused (sensor-not-found), BadInput (sensor-place).
        """
        place = _place(unit, "unit", least=1), _place(group, "group")
        self._changed(sensor, self._store.move(sensor, *place))
        if self._moved is not None:
            self._moved(actor, now)
        return self.detail(sensor, now).sensor

    def drain(self, sensor: str, now: datetime) -> SensorRowValue:
        """Take what it still has, and nothing after it. Raises Refused (sensor-not-found)."""
        self._changed(sensor, self._store.drain(sensor, now))
        return self.detail(sensor, now).sensor

    def resume(self, sensor: str, now: datetime) -> SensorRowValue:
        """Take everything again. Raises Refused (sensor-not-found)."""
        self._changed(sensor, self._store.resume(sensor))
        return self.detail(sensor, now).sensor

    def _records(self, now: datetime) -> list[SensorRecord]:
        """The register; a draining sensor that left may have nobody else to note that it is empty."""
        records = self._store.sensors()
        draining = [one.id for one in records if one.draining is not None and one.drained is None]
        settled = [self._store.settle(sensor, now) for sensor in draining]
        return self._store.sensors() if any(settled) else records

    def _changed(self, sensor: str, done: bool) -> None:
        if not done:
            raise sensor_not_found(sensor)


def command(token: str, kind: str) -> str:
    """What enrols a sensor of this kind, for a shell: ps sees no token, and history keeps one used up."""
    folder = shlex.quote(DATA_FOLDERS + kind)
    return (
        f"printf %s {shlex.quote(token)} | liuhe sensor enroll --token-file - --kind {kind} --data {folder}"
    )


def _row(record: SensorRecord | None, state: SensorState | None, gaps: int) -> SensorRowValue:
    certificate = _certificate(record.certificate) if record else None
    return SensorRowValue(
        id=record.id if record else state.sensor if state else "",
        kind=(state.kind if state else "") or (record.kind if record else ""),
        unit=record.unit if record else state.unit if state else "",
        group=record.group if record else "",
        host=(state.host if state else "") or (record.hostname if record else ""),
        version=state.version if state else "",
        state=state.state if state else "never",
        standing=_standing(record),
        last_seen=state.last_seen if state else None,
        last_sequence=state.last_sequence if state else 0,
        backlog=state.backlog if state else 0,
        gaps=gaps,
        certificate_ends=certificate.ends if certificate else None,
        configuration_version=state.configuration_version if state else 0,
        clock_offset_seconds=state.clock_offset_seconds if state else None,
    )


def _standing(record: SensorRecord | None) -> Standing:
    if record is None:
        return "unregistered"
    if record.revoked is not None:
        return "revoked"
    if record.quarantined is not None:
        return "quarantined"
    if record.drained is not None:
        return "drained"
    return "active" if record.draining is None else "draining"


def _gap(gap: Gap) -> GapValue:
    return GapValue(**{name: getattr(gap, name) for name in GapValue.__struct_fields__})


@lru_cache(maxsize=8_192)
def _certificate(pem: str) -> CertificateValue | None:
    """A certificate of the register; parsed once, since the page shows them all."""
    try:
        found = read_certificates(pem.encode())[0]  # what stands behind it are its issuers
    except (BadInput, IndexError, ValueError):
        return None
    return CertificateValue(
        serial=f"{found.serial:x}",
        fingerprint=found.fingerprint,
        begins=found.not_before,
        ends=found.not_after,
    )


def _place(text: str, field: str, least: int = 0) -> str:
    """A unit or group as a name that any page can show."""
    name = unicodedata.normalize("NFC", text.strip())
    if least <= len(name) <= PLACE_CHARS_MAX and name.isprintable():
        return name
    raise BadInput(
        "sensor-place",
        Words("单位或分组的名称不合格式", "malformed name of a unit or group"),
        Words(
            f"单位 1-{PLACE_CHARS_MAX} 个可见字符,分组可空",
            f"a unit has 1-{PLACE_CHARS_MAX} visible characters, a group may be empty",
        ),
        field=field,
    )


def sensor_not_found(sensor: str) -> Refused:
    """What is said where no sensor of that id is in use."""
    return Refused(
        "sensor-not-found",
        Words("没有这个在用的传感器", "there is no such sensor in use"),
        Words("请核对编号", "check its id"),
        field=sensor,
    )
