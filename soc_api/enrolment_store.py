"""Enrolled sensors and one-time tokens in the relational state; the secret itself is never stored."""

from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Column, Engine, RowMapping, String, Table, Text, insert, select, update

from detection.store.progress_store import bump
from detection.store.state import writing
from detection.store.tables import from_micros, metadata, micros, sensor_state
from soc_api.enrolment import SensorRecord, TokenRecord

enrolment_tokens: Final = Table(
    "enrolment_tokens",
    metadata,
    Column("id", String(64), primary_key=True),  # public half of the token
    Column("secret_sm3", String(64), nullable=False),
    Column("unit", String(128), nullable=False),
    Column("actor", String(128), nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("used", BigInteger),  # NULL: not yet
    Column("sensor", String(64)),
    Column("group_name", String(64), nullable=False, server_default=""),
)

sensors: Final = Table(
    "sensors",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("unit", String(128), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("hostname", String(255), nullable=False),
    Column("certificate", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # of the one certificate that is accepted
    Column("key_digest", String(64), nullable=False),
    Column("enrolled", BigInteger, nullable=False),
    Column("revoked", BigInteger),  # NULL: not
    Column("group_name", String(64), nullable=False, server_default=""),
    Column("revoked_by", String(128), nullable=False, server_default=""),
    Column("revoked_reason", Text, nullable=False, server_default=""),
    Column("draining", BigInteger),  # since when the rest is taken and nothing after it; NULL: not
    Column("drained", BigInteger),  # since when nothing is left; NULL: not
    Column("drain_goal", Text, nullable=False, server_default=""),  # JSON object: lane -> what is the rest
    Column("quarantined", BigInteger),  # since when; NULL: not
    Column("quarantine_reason", String(64), nullable=False, server_default=""),
)

_received: Final = msgspec.json.Decoder(dict[str, tuple[int, int]])
_goal: Final = msgspec.json.Decoder(dict[str, int])


class EnrolmentStore:
    """The adapter of ``soc_api.enrolment.Store``; safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_token(self, token: TokenRecord) -> None:
        """Keep a new token; durable on return."""
        with writing(self._engine) as connection:
            connection.execute(
                insert(enrolment_tokens).values(
                    id=token.id,
                    secret_sm3=token.secret_sm3,
                    unit=token.unit,
                    actor=token.actor,
                    created=micros(token.created),
                    expires=micros(token.expires),
                    group_name=token.group,
                )
            )
            bump(connection, "sensors")

    def token(self, identifier: str) -> TokenRecord | None:
        """A token by its public half."""
        query = select(enrolment_tokens).where(enrolment_tokens.c.id == identifier)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _token(row)

    def open_tokens(self, now: datetime) -> list[TokenRecord]:
        """Tokens that could still enrol a sensor, the first to expire first."""
        query = select(enrolment_tokens).where(
            enrolment_tokens.c.used.is_(None), enrolment_tokens.c.expires > micros(now)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(enrolment_tokens.c.expires)).mappings()
            return [_token(row) for row in rows]

    def withdraw(self, token: str, now: datetime) -> bool:
        """Let an open token expire at once; False where there is none."""
        with writing(self._engine) as connection:
            result = connection.execute(
                update(enrolment_tokens)
                .where(
                    enrolment_tokens.c.id == token,
                    enrolment_tokens.c.used.is_(None),
                    enrolment_tokens.c.expires > micros(now),
                )
                .values(expires=micros(now))
            )
            bump(connection, "sensors")
            return result.rowcount > 0

    def sensor(self, identifier: str) -> SensorRecord | None:
        """An enrolled sensor."""
        with self._engine.connect() as connection:
            row = connection.execute(select(sensors).where(sensors.c.id == identifier)).mappings().first()
        return None if row is None else _record(row)

    def sensors(self) -> list[SensorRecord]:
        """All enrolled sensors, by id."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(sensors).order_by(sensors.c.id)).mappings()
            return [_record(row) for row in rows]

    def enrol(self, token: str, sensor: SensorRecord) -> bool:
        """Use a token up and keep its sensor, both or neither; False where either was taken meanwhile."""
        values: dict[str, Any] = {
            "id": sensor.id,
            "unit": sensor.unit,
            "kind": sensor.kind,
            "hostname": sensor.hostname,
            "certificate": sensor.certificate,
            "fingerprint": sensor.fingerprint,
            "key_digest": sensor.key_digest,
            "enrolled": micros(sensor.enrolled),
            "revoked": None,
            "revoked_by": "",
            "revoked_reason": "",
            "group_name": sensor.group,
            "draining": None,
            "drained": None,
            "drain_goal": "",
            "quarantined": None,
            "quarantine_reason": "",
        }
        with writing(self._engine) as connection:
            query = select(enrolment_tokens.c.used).where(enrolment_tokens.c.id == token)
            row = connection.execute(query).first()
            if row is None or row[0] is not None:
                return False
            known = connection.execute(select(sensors.c.revoked).where(sensors.c.id == sensor.id)).first()
            if known is not None and known[0] is None:
                return False
            if known is None:
                connection.execute(insert(sensors).values(values))
            else:
                connection.execute(update(sensors).where(sensors.c.id == sensor.id).values(values))
            connection.execute(
                update(enrolment_tokens)
                .where(enrolment_tokens.c.id == token)
                .values(used=micros(sensor.enrolled), sensor=sensor.id)
            )
            bump(connection, "sensors")
        return True

    def revoke(self, sensor: str, now: datetime, *, actor: str = "", reason: str = "") -> bool:
        """Refuse a sensor's certificate from now on; False where it is unknown or already revoked."""
        return self._change(sensor, revoked=micros(now), revoked_by=actor, revoked_reason=reason)

    def move(self, sensor: str, unit: str, group: str) -> bool:
        """Let a sensor's events belong to another unit from now on; False where it is not in use."""
        return self._change(sensor, unit=unit, group_name=group)

    def drain(self, sensor: str, now: datetime) -> bool:
        """Take only what a sensor still has; asked again it starts anew. False where it is not in use."""
        return self._change(sensor, draining=micros(now), drained=None, drain_goal="")

    def resume(self, sensor: str) -> bool:
        """End draining: take everything again. False where the sensor is not in use."""
        return self._change(sensor, draining=None, drained=None)

    def hold(self, sensor: str, reason: str, now: datetime) -> bool:
        """Quarantine a sensor until it is enrolled anew; False where it is not in use or held already."""
        record = self.sensor(sensor)
        if record is None or record.quarantined is not None:
            return False
        return self._change(sensor, quarantined=micros(now), quarantine_reason=reason[:64])

    def settle(self, sensor: str, now: datetime) -> bool:
        """Whether a draining sensor has delivered all it had.

        The first heartbeat made since says what it had: nothing, or the last sequence of each lane. A lane
        is delivered in order, so the rest is here once each of these is.
        """
        query = select(sensors.c.draining, sensors.c.drained, sensors.c.drain_goal)
        said = select(sensor_state).where(sensor_state.c.sensor == sensor)
        with self._engine.connect() as connection:
            record = connection.execute(query.where(sensors.c.id == sensor)).first()
            state = connection.execute(said).mappings().first()
        if record is None or record.draining is None:
            return False
        if record.drained is not None:
            return True
        if state is None or (state["beat"] or 0) <= record.draining:
            return False
        if state["backlog"] and not record.drain_goal:
            self._change(sensor, drain_goal=state["last_sequences"])
            return False
        received = _received.decode(state["received"])
        goal = _goal.decode(record.drain_goal or "{}")
        here = bool(goal) and all(received.get(lane, (0, 0))[1] >= last for lane, last in goal.items())
        return (here or not state["backlog"]) and self._change(sensor, drained=micros(now))

    def _change(self, sensor: str, **values: Any) -> bool:
        """Change a sensor that is in use, visibly to every open console."""
        with writing(self._engine) as connection:
            result = connection.execute(
                update(sensors).where(sensors.c.id == sensor, sensors.c.revoked.is_(None)).values(**values)
            )
            if result.rowcount:
                bump(connection, "sensors")
            return result.rowcount > 0


def _time(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


def _token(row: RowMapping) -> TokenRecord:
    return TokenRecord(
        id=row["id"],
        secret_sm3=row["secret_sm3"],
        unit=row["unit"],
        actor=row["actor"],
        created=from_micros(row["created"]),
        expires=from_micros(row["expires"]),
        used=_time(row["used"]),
        sensor=row["sensor"] or "",
        group=row["group_name"],
    )


def _record(row: RowMapping) -> SensorRecord:
    return SensorRecord(
        id=row["id"],
        unit=row["unit"],
        kind=row["kind"],
        hostname=row["hostname"],
        certificate=row["certificate"],
        fingerprint=row["fingerprint"],
        key_digest=row["key_digest"],
        enrolled=from_micros(row["enrolled"]),
        revoked=_time(row["revoked"]),
        revoked_by=row["revoked_by"],
        revoked_reason=row["revoked_reason"],
        group=row["group_name"],
        draining=_time(row["draining"]),
        drained=_time(row["drained"]),
        quarantined=_time(row["quarantined"]),
        quarantine_reason=row["quarantine_reason"],
    )
