"""Renewing sensors' certificates at the center: a second certificate that becomes the first when it is used.

A sensor asks on its own authenticated connection, so its certificate speaks for it. What is issued waits
beside the old certificate: the answer may be lost, and the sensor comes back with either. Used once, the new
one takes the place of the old one, which is then revoked as superseded.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from crypto import sm3
from crypto.link_authority import LinkAuthority
from crypto.words import Refused, Words
from crypto.x509 import Certificate, read_certificates, read_request
from sensors.messages import Renew, Renewed

EARLIEST_SHARE: Final = 1 / 2  # of a certificate's life: nobody fills the register by asking all day


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate that was issued and not yet seen in use."""

    sensor: str
    certificate: str
    fingerprint: str
    key_digest: str
    issued: datetime


class Renewals(Protocol):
    """Where they wait; ``soc_api.sensor_renewal_store.RenewalStore``. Every write is durable on return."""

    def current(self, sensor: str) -> tuple[str, str] | None:
        """Fingerprint and PEM chain of a sensor's certificate; None where it is unknown or revoked."""
        ...

    def offered(self, sensor: str) -> Offered | None:
        """What waits for this sensor."""
        ...

    def offer(self, offered: Offered, *, current: str) -> bool:
        """Let it wait, in place of another; False where the sensor's certificate is not ``current`` now."""
        ...

    def promote(self, sensor: str, fingerprint: str) -> bool:
        """Make what waits the sensor's certificate; False where another or nothing waits."""
        ...


class RenewalDesk:
    """Blocking calls, safe from any thread."""

    def __init__(
        self,
        renewals: Renewals,
        authority: LinkAuthority,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._renewals: Final = renewals
        self._authority: Final = authority
        self._now: Final = now

    def renew(self, sensor: str, unit: str, request: Renew, *, shown: str) -> Renewed:
        """The next certificate of a sensor whose present one is ``shown``; with the same key, the same one.

        Raises Refused (sensor-revoked, renewal-early), BadInput where the request is malformed.
        """
        asked = read_request(request.request.encode())
        digest = sm3.sm3_hex(asked.spki)
        now = self._now()
        current = self._renewals.current(sensor)
        if current is None or current[0] != shown:
            raise _unknown(sensor)
        waiting = self._renewals.offered(sensor)
        if waiting is not None and waiting.key_digest == digest and _lasts(_leaf(waiting.certificate), now):
            return Renewed(certificate=waiting.certificate)
        certificate = _leaf(current[1])
        if now < certificate.not_before + (certificate.not_after - certificate.not_before) * EARLIEST_SHARE:
            raise _early(sensor)
        chain = self._authority.issue_sensor(request.request.encode(), sensor=sensor, unit=unit, now=now)
        offered = Offered(
            sensor=sensor,
            certificate="".join(one.pem().decode("ascii") for one in chain),
            fingerprint=chain[0].fingerprint,
            key_digest=digest,
            issued=now,
        )
        if not self._renewals.offer(offered, current=current[0]):
            self._supersede(offered.certificate, now)
            raise _unknown(sensor)
        if waiting is not None:
            self._supersede(waiting.certificate, now)
        return Renewed(certificate=offered.certificate)

    def promote(self, sensor: str, fingerprint: str) -> bool:
        """Take a certificate that waited into use: its sensor shows it. The one before is revoked."""
        before = self._renewals.current(sensor)
        if before is None or not self._renewals.promote(sensor, fingerprint):
            return False
        self._supersede(before[1], self._now())
        return True

    def withdraw(self, sensor: str) -> None:
        """Revoke what waits for a sensor that is itself revoked."""
        waiting = self._renewals.offered(sensor)
        if waiting is not None:
            self._supersede(waiting.certificate, self._now())

    def _supersede(self, chain: str, now: datetime) -> None:
        with suppress(Refused):  # of another authority, or revoked before
            self._authority.revoke(f"{_leaf(chain).serial:x}", now, reason="superseded")


def _leaf(chain: str) -> Certificate:
    return read_certificates(chain.encode())[0]


def _lasts(certificate: Certificate, now: datetime) -> bool:
    return certificate.not_before + (certificate.not_after - certificate.not_before) * EARLIEST_SHARE > now


def _unknown(sensor: str) -> Refused:
    return Refused(
        "sensor-revoked",
        Words("此传感器的证书未登记或已吊销", "this sensor's certificate is unknown or revoked"),
        Words("请重新注册传感器", "enrol the sensor again"),
        field=sensor,
    )


def _early(sensor: str) -> Refused:
    return Refused(
        "renewal-early",
        Words("证书有效期尚未过半,不予续期", "not half of the certificate's life is over"),
        Words("请核对传感器的时钟", "check the sensor's clock"),
        field=sensor,
    )
