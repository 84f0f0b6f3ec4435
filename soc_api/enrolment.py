"""Enrolment at the center: one-time tokens, and certificates for the sensors that show one.

The secret of a token exists in the token alone; the center keeps its SM3. It works once: using it up and
keeping the sensor is one transaction. A sensor that lost the answer may ask again with the same key.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

from crypto import sm3
from crypto.link_authority import LinkAuthority
from crypto.words import BadInput, Refused, Words
from crypto.x509 import read_certificates, read_request
from detection.store.inventory import RESERVED
from sensors.address import parse_address
from sensors.messages import Enrolled, EnrolRequest
from sensors.token import SECRET_BYTES, Token, encode_token
from soc_api.sensor_renewal import RenewalDesk

TOKEN_HOURS: Final = 24
TOKEN_DAYS_MAX: Final = 30


class TokenRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the center keeps of a token."""

    id: str
    secret_sm3: str
    unit: str
    actor: str
    created: datetime
    expires: datetime
    used: datetime | None = None
    sensor: str = ""
    group: str = ""


class SensorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An enrolled sensor; only the certificate with this fingerprint is accepted.

    ``unit`` and ``group`` are where it belongs now; its certificate may still name the unit it came from.
    """

    id: str
    unit: str
    kind: str
    hostname: str
    certificate: str
    fingerprint: str
    key_digest: str
    enrolled: datetime
    revoked: datetime | None = None
    revoked_by: str = ""
    revoked_reason: str = ""
    group: str = ""
    draining: datetime | None = None  # since when only the rest is taken
    drained: datetime | None = None  # since when there is no rest
    quarantined: datetime | None = None  # since when two machines are known to use this identity
    quarantine_reason: str = ""


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor that may deliver, and the unit its events belong to."""

    unit: str


class Store(Protocol):
    """Where tokens and sensors are kept; every write is durable on return."""

    def add_token(self, token: TokenRecord) -> None:
        """Keep a new token."""
        ...

    def token(self, identifier: str) -> TokenRecord | None:
        """A token by its public half."""
        ...

    def sensor(self, identifier: str) -> SensorRecord | None:
        """An enrolled sensor."""
        ...

    def enrol(self, token: str, sensor: SensorRecord) -> bool:
        """Use the token up and keep the sensor in one transaction; False where either was taken meanwhile.

        A revoked sensor of that id is replaced.
        """
        ...

    def revoke(self, sensor: str, now: datetime, *, actor: str = "", reason: str = "") -> bool:
        """Refuse a sensor from now on; False where it is unknown or already revoked."""
        ...

    def hold(self, sensor: str, reason: str, now: datetime) -> bool:
        """Quarantine a sensor until it is enrolled anew; False where it is not in use or held already."""
        ...

    def settle(self, sensor: str, now: datetime) -> bool:
        """Whether a draining sensor has delivered all; noted with the time it was first seen to have."""
        ...


class EnrolmentDesk:
    """Gives out tokens and turns them into certificates; blocking calls, safe from any thread."""

    def __init__(
        self,
        store: Store,
        authority: LinkAuthority,
        center: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        renewals: RenewalDesk | None = None,
    ) -> None:
        self._renewals = renewals
        self._store = store
        self._authority = authority
        self._center = center
        self._now = now

    def give_token(
        self,
        *,
        unit: str,
        addresses: Sequence[str],
        actor: str,
        valid: timedelta = timedelta(hours=TOKEN_HOURS),
        group: str = "",
    ) -> str:
        """A new token as text, shown once. Raises BadInput on a bad address, unit or duration."""
        for address in addresses:
            parse_address(address)
        if not 0 < len(unit) <= 64 or not addresses:
            raise _bad_token("unit must have 1 to 64 characters, and one address is needed")
        if not timedelta(0) < valid <= timedelta(days=TOKEN_DAYS_MAX):
            raise _bad_token(f"it may be valid for {TOKEN_DAYS_MAX} days at most")
        now = self._now()
        token = Token(
            addresses=list(addresses),
            authority=bytes.fromhex(self._authority.root().fingerprint),
            id=secrets.token_hex(8),
            secret=secrets.token_bytes(SECRET_BYTES),
        )
        text = encode_token(token)
        self._store.add_token(
            TokenRecord(
                id=token.id,
                secret_sm3=sm3.sm3_hex(token.secret),
                unit=unit,
                actor=actor,
                created=now,
                expires=now + valid,
                group=group,
            )
        )
        return text

    def authority_pem(self) -> str:
        """The center's root and issuers."""
        return self._authority.bundle().decode("ascii")

    def enrol(self, request: EnrolRequest) -> Enrolled:
        """The certificate for a request. Raises Refused (token), BadInput (CSR); messages hold no secret."""
        token = self._store.token(request.token)
        digest = token.secret_sm3 if token is not None else "0" * 64
        same = sm3.same_digest(sm3.sm3_hex(request.secret).encode(), digest.encode())
        if token is None or not same:
            raise _refused("token-unknown", Words("注册令牌无效", "the enrolment token is not valid"))
        asked = read_request(request.request.encode())
        key_digest = sm3.sm3_hex(asked.spki)
        if token.used is not None:
            return self._answer_again(token, request, key_digest)
        now = self._now()
        if now >= token.expires:
            raise _refused("token-expired", Words("注册令牌已过期", "the enrolment token has expired"))
        known = self._store.sensor(request.sensor)
        if (known is not None and known.revoked is None) or request.sensor.startswith(RESERVED):
            raise Refused(
                "sensor-exists",
                Words("已有同名传感器", "a sensor of that name is enrolled already"),
                Words(
                    "请用 --id 换一个名字,或先吊销旧的", "choose another --id, or revoke the old one first"
                ),
                field=request.sensor,
            )
        chain = self._authority.issue_sensor(
            request.request.encode(), sensor=request.sensor, unit=token.unit, now=now
        )
        record = SensorRecord(
            id=request.sensor,
            unit=token.unit,
            kind=request.kind,
            hostname=request.hostname,
            certificate="".join(one.pem().decode("ascii") for one in chain),
            fingerprint=chain[0].fingerprint,
            key_digest=key_digest,
            enrolled=now,
            group=token.group,
        )
        if not self._store.enrol(token.id, record):
            raise _used()
        return self._answer(record)

    def admission(self, sensor: str, fingerprint: str) -> Admission:
        """What a verified certificate opens. Raises Refused (sensor-revoked, sensor-drained)."""
        record = self._store.sensor(sensor)
        if record is None or record.revoked is not None or not self._holds(record, fingerprint):
            raise Refused(
                "sensor-revoked",
                Words("此传感器的证书未登记或已吊销", "this sensor's certificate is unknown or revoked"),
                Words("请重新注册传感器", "enrol the sensor again"),
                field=sensor,
            )
        if record.quarantined is not None:
            raise Refused(
                "sensor-quarantined",
                Words(
                    "同一身份有两台机器在使用,此传感器已隔离",
                    "two machines use this identity: the sensor is quarantined",
                ),
                Words(
                    "请查明哪一台是冒用的,吊销后以新令牌重新登记",
                    "find out which is the copy, revoke the sensor and enrol it again with a new token",
                ),
                field=sensor,
            )
        if record.draining is not None and self._store.settle(sensor, self._now()):
            raise Refused(
                "sensor-drained",
                Words("此传感器已排空,不再接收", "this sensor is drained: nothing more is taken from it"),
                Words(
                    "请停止它的服务;若要继续使用,请在控制台恢复接收",
                    "stop its service; to go on using it, take it up again in the console",
                ),
                field=sensor,
            )
        return Admission(unit=record.unit)

    def hold(self, sensor: str, reason: str) -> None:
        """Quarantine a sensor whose identity two machines use; the first reason stays."""
        self._store.hold(sensor, reason, self._now())

    def admits(self, sensor: str, fingerprint: str) -> bool:
        """Whether a verified certificate is the one this sensor has now, and not revoked."""
        record = self._store.sensor(sensor)
        return record is not None and record.revoked is None and self._holds(record, fingerprint)

    def _holds(self, record: SensorRecord, fingerprint: str) -> bool:
        """A renewed certificate takes the place of the one before when it is first shown."""
        if record.fingerprint == fingerprint:
            return True
        return self._renewals is not None and self._renewals.promote(record.id, fingerprint)

    def revoke(self, sensor: str, *, actor: str, reason: str = "") -> bool:
        """Refuse a sensor from now on and say so in the revocation list; False where it is not in use.

        The register counts at once and by itself; a list that cannot be made now is made at the next chance.
        """
        now = self._now()
        record = self._store.sensor(sensor)
        if record is None or not self._store.revoke(sensor, now, actor=actor, reason=reason):
            return False
        for certificate in read_certificates(record.certificate.encode())[:1]:
            with suppress(Refused):  # not of this authority, or revoked by ``liuhe cert revoke`` before
                self._authority.revoke(f"{certificate.serial:x}", now)
        if self._renewals is not None:
            self._renewals.withdraw(sensor)
        return True

    def _answer_again(self, token: TokenRecord, request: EnrolRequest, key_digest: str) -> Enrolled:
        record = self._store.sensor(token.sensor)
        if record is None or record.revoked is not None or record.id != request.sensor:
            raise _used()
        if record.key_digest != key_digest:
            raise _used()
        return self._answer(record)

    def _answer(self, record: SensorRecord) -> Enrolled:
        return Enrolled(
            sensor=record.id, unit=record.unit, center=self._center, certificate=record.certificate
        )


def _used() -> Refused:
    return _refused("token-used", Words("注册令牌已经用过", "the enrolment token was used already"))


def _refused(code: str, what: Words) -> Refused:
    fix = Words("请在控制台生成新的令牌", "make a new token at the center")
    return Refused(code, what, fix)


def _bad_token(reason: str) -> BadInput:
    return BadInput(
        "token-request",
        Words(f"不能生成令牌:{reason}", f"the token cannot be made: {reason}"),
        Words("请改正参数", "correct the argument"),
    )
