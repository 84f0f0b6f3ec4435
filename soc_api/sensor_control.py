"""What a connection asks of the center besides batches: a renewed certificate, the sensor's configuration."""

from typing import Final, Protocol

from sensors.messages import Configuration, Renew, Renewed
from soc_api.enrolment import SensorRecord
from soc_api.sensor_configuration import ConfigurationDesk, Recipient
from soc_api.sensor_renewal import RenewalDesk


class Register(Protocol):
    """The register of sensors; ``soc_api.enrolment_store.EnrolmentStore``."""

    def sensor(self, identifier: str) -> SensorRecord | None:
        """An enrolled sensor."""
        ...


class SensorControl:
    """Blocking calls of an admitted sensor's connection, safe from any thread."""

    def __init__(self, register: Register, configurations: ConfigurationDesk, renewals: RenewalDesk) -> None:
        self._register: Final = register
        self._configurations: Final = configurations
        self._renewals: Final = renewals

    def newest(self) -> int:
        """The version that every sensor should hold: one look a few seconds apart serves all connections."""
        return self._configurations.newest()

    def configuration(self, sensor: str, held: int) -> Configuration | None:
        """What a sensor that holds version ``held`` is to be sent; None where it is up to date."""
        record = self._register.sensor(sensor)
        if record is None or self._configurations.newest() <= held:
            return None
        return self._configurations.configuration(
            Recipient(id=record.id, unit=record.unit, kind=record.kind, group=record.group)
        )

    def renew(self, sensor: str, fingerprint: str, request: Renew) -> Renewed:
        """The next certificate of a sensor that showed this one, for the unit it belongs to now.

        Raises Refused, BadInput.
        """
        record = self._register.sensor(sensor)
        unit = record.unit if record is not None else ""
        return self._renewals.renew(sensor, unit, request, shown=fingerprint)
