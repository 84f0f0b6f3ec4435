"""Enrolled sensors and one-time tokens in the relational state; the secret itself is never stored."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, Engine, RowMapping, String, Table, Text, insert, select, update

from detection.store.state import writing
from detection.store.tables import from_micros, metadata, micros
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
)


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
                )
            )

    def token(self, identifier: str) -> TokenRecord | None:
        """A token by its public half."""
        query = select(enrolment_tokens).where(enrolment_tokens.c.id == identifier)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return TokenRecord(
            id=row["id"],
            secret_sm3=row["secret_sm3"],
            unit=row["unit"],
            actor=row["actor"],
            created=from_micros(row["created"]),
            expires=from_micros(row["expires"]),
            used=_time(row["used"]),
            sensor=row["sensor"] or "",
        )

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
        return True

    def revoke(self, sensor: str, now: datetime) -> bool:
        """Refuse a sensor's certificate from now on; False where it is unknown or already revoked."""
        with writing(self._engine) as connection:
            result = connection.execute(
                update(sensors)
                .where(sensors.c.id == sensor, sensors.c.revoked.is_(None))
                .values(revoked=micros(now))
            )
            return result.rowcount > 0


def _time(value: int | None) -> datetime | None:
    return None if value is None else from_micros(value)


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
    )
