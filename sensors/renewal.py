"""Renewing the sensor's certificate: a new key at two thirds of its life, asked for on the live connection.

1. ``next.key`` is made and kept before anything is asked, so that a renewal that died asks with the same key.
2. The center answers with a certificate of that key; the old one stays good until the new one is used.
3. Key and certificate replace the old pair by one rename (``crypto.link_identity``); ``next.key`` goes.

Whatever dies in between, the sensor has one pair that works: the old one up to the rename, then the new one.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_identity import LinkIdentity
from crypto.words import BadInput, Refused, Words
from crypto.x509 import REQUEST, Certificate, read_certificates
from crypto.x509_issue import Subject, request_der
from sensors.messages import Renew, Renewed

DUE_SHARE: Final = 2 / 3  # of a certificate's life
RETRY: Final = timedelta(minutes=10)  # after a request without an answer, or one that was refused
_NEXT: Final = "next.key"


def due(certificate: Certificate, now: datetime) -> bool:
    """Whether two thirds of its life are over."""
    return now >= due_time(certificate)


def due_time(certificate: Certificate) -> datetime:
    """When it is to be renewed."""
    return certificate.not_before + (certificate.not_after - certificate.not_before) * DUE_SHARE


class Renewal:
    """The renewal of one identity file; one thread at a time."""

    def __init__(self, identity: Path, now: Callable[[], datetime]) -> None:
        self._identity: Final = identity
        self._now: Final = now
        self._asked: datetime | None = None

    def certificate(self) -> Certificate:
        """The one in use. Raises LiuheError, BadInput where the file is not readable."""
        return LinkIdentity.load(self._identity).certificate

    def request(self) -> Renew | None:
        """What to send now; None where it is not due or was sent a while ago. Raises LiuheError."""
        now = self._now()
        if self._asked is not None and now < self._asked + RETRY and now >= self._asked:
            return None
        certificate = self.certificate()
        self._asked = now
        if not due(certificate, now):
            return None
        key = self._next_key(certificate)
        subject = Subject(
            common_name=certificate.identity.id,
            id=certificate.identity.id,
            zone=certificate.identity.zone,
            unit=certificate.identity.unit,
        )
        return Renew(request=pem.encode(request_der(key, "sensor", subject), REQUEST).decode())

    def install(self, answer: Renewed) -> Certificate:
        """Take the new pair into use. Raises Refused, BadInput where it is not what was asked for."""
        chain = read_certificates(answer.certificate.encode())
        path = self._identity.with_name(_NEXT)
        if not path.exists():
            raise _unasked("没有请求过", "nothing was asked for")
        key, old = SigningKey.load(path), self.certificate()
        new = chain[0]
        if new.key_id != key.public.key_id:
            raise _unasked("公钥不是所请求的", "another key than was asked for")
        if new.identity.id != old.identity.id:
            raise _unasked("名字不是本传感器", "another sensor's name")
        if not new.not_before <= self._now() + timedelta(minutes=10) or new.not_after <= old.not_after:
            raise _unasked("有效期不长于现有的", "it lasts no longer than the present one")
        LinkIdentity(key=key, chain=tuple(chain)).save(self._identity)
        path.unlink()
        self._asked = None
        return new

    def _next_key(self, certificate: Certificate) -> SigningKey:
        path = self._identity.with_name(_NEXT)
        if path.exists():
            try:
                key = SigningKey.load(path)
            except (BadInput, Refused):
                path.unlink()  # it was never certified: nothing depends on it
            else:
                if key.public.key_id != certificate.key_id:
                    return key
                path.unlink()  # a renewal that died after its last step but one: this key is in use
        return SigningKey.create(path)


def _unasked(zh: str, en: str) -> Refused:
    return Refused(
        "renewal-answer",
        Words(f"续期证书不可用:{zh}", f"the renewed certificate cannot be used: {en}"),
        Words("请查看中心的日志", "see the center's log"),
        field="certificate",
    )
