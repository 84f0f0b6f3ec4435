"""Certificates of sensors that were issued and not yet used, in the relational state."""

from sqlalchemy import Engine, delete, insert, select, update

from detection.store.progress_store import bump
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.enrolment_store import sensors
from soc_api.sensor_renewal import Offered
from soc_api.sensor_tables import sensor_renewals


class RenewalStore:
    """The adapter of ``soc_api.sensor_renewal.Renewals``; safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def current(self, sensor: str) -> tuple[str, str] | None:
        """Fingerprint and PEM chain of a sensor's certificate; None where it is unknown or revoked."""
        query = select(sensors.c.fingerprint, sensors.c.certificate).where(
            sensors.c.id == sensor, sensors.c.revoked.is_(None)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row[0], row[1])

    def offered(self, sensor: str) -> Offered | None:
        """What waits for this sensor."""
        query = select(sensor_renewals).where(sensor_renewals.c.sensor == sensor)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        values = {name: row[name] for name in Offered.__struct_fields__ if name != "issued"}
        return Offered(**values, issued=from_micros(row["issued"]))

    def offer(self, offered: Offered, *, current: str) -> bool:
        """Let it wait, in place of another; False where the sensor's certificate is not ``current`` now."""
        mine = sensors.c.id == offered.sensor, sensors.c.fingerprint == current, sensors.c.revoked.is_(None)
        with writing(self._engine) as connection:
            if connection.execute(select(sensors.c.id).where(*mine)).first() is None:
                return False
            connection.execute(delete(sensor_renewals).where(sensor_renewals.c.sensor == offered.sensor))
            connection.execute(
                insert(sensor_renewals).values(
                    sensor=offered.sensor,
                    certificate=offered.certificate,
                    fingerprint=offered.fingerprint,
                    key_digest=offered.key_digest,
                    issued=micros(offered.issued),
                )
            )
        return True

    def promote(self, sensor: str, fingerprint: str) -> bool:
        """Make what waits the sensor's certificate; False where another or nothing waits."""
        waits = sensor_renewals.c.sensor == sensor, sensor_renewals.c.fingerprint == fingerprint
        with writing(self._engine) as connection:
            row = connection.execute(select(sensor_renewals).where(*waits)).mappings().first()
            if row is None:
                return False
            changed = connection.execute(
                update(sensors)
                .where(sensors.c.id == sensor, sensors.c.revoked.is_(None))
                .values(
                    certificate=row["certificate"],
                    fingerprint=row["fingerprint"],
                    key_digest=row["key_digest"],
                )
            )
            connection.execute(delete(sensor_renewals).where(*waits))
            if changed.rowcount:
                bump(connection, "sensors")
            return changed.rowcount > 0
