"""Requests and certificates made by the profile of ``crypto.profile``; clock and chance come as arguments.

    request = request_der(key, subject)                         the applicant, with the private key
    read_request(request), verify_request(...)                  the issuer: does who asks have the key?
    issue(kind, subject, spki, issuer=..., key=..., ...)        the issuer decides kind, names and dates

The issuer takes the key from a request and nothing else unasked: names in a request are wishes.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from asn1crypto import core

from crypto import asn1, profile
from crypto import x509_forms as forms
from crypto.keys import DecryptionKey, PublicKey, SigningKey
from crypto.profile import PROFILES, Kind
from crypto.sm2 import DEFAULT_ID, signature_to_der
from crypto.sm3 import sm3
from crypto.words import Refused, Words
from crypto.x509 import (
    EXTENSION_REQUEST,
    KEY_USAGES,
    SM2_WITH_SM3_DER,
    Certificate,
    Request,
    read_certificate,
    verify_signature,
)

SERIAL_BYTES: Final = 16
CLOCK_SLACK: Final = timedelta(minutes=10)  # a certificate is good at once on machines a little behind
NAME_CHARS_MAX: Final = 64
_KEY_ID_BYTES: Final = 20


class Signs(Protocol):
    """Whoever can sign for a CA: ``crypto.keys.SigningKey``, or one inside a cipher machine."""

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Who a certificate is for."""

    common_name: str
    id: str = ""
    zone: str = ""
    unit: str = ""
    organization: str = ""
    country: str = "CN"

    def name(self) -> forms.Name:
        """The distinguished name. Raises BadInput where a part is too long or cannot be printed."""
        parts = (("C", self.country), ("O", self.organization), ("OU", self.unit), ("CN", self.common_name))
        for label, value in parts:
            if len(value) > NAME_CHARS_MAX or not value.isprintable():
                raise profile.wrong(
                    label, "名称过长或含控制字符", "a name too long or with control characters"
                )
        if not self.common_name:
            raise profile.wrong("CN", "名称为空", "the name is empty")
        if len(self.country) != 2 or not self.country.isascii():
            raise profile.wrong("C", "国家代码为两个字母", "a country has two letters")
        return forms.write_name(tuple((label, value) for label, value in parts if value))


def subject_of(request: Request) -> Subject:
    """The wishes of a request, for the issuer to confirm."""
    identity, name = request.extensions.identity, request.subject
    return Subject(
        common_name=name.get("CN"),
        id=identity.id,
        zone=identity.zone,
        unit=identity.unit or name.get("OU"),
        organization=name.get("O"),
        country=name.get("C") or "CN",
    )


def new_serial() -> int:
    """127 random bits and never zero: positive, 16 octets at most."""
    return int.from_bytes(secrets.token_bytes(SERIAL_BYTES)) >> 1 | 1 << 96


def request_der(key: SigningKey | DecryptionKey, kind: Kind, subject: Subject) -> bytes:
    """A PKCS#10 request signed by the key that is to be certified."""
    names = [_names(profile.uris(kind, subject.id, subject.zone, subject.unit))]
    wishes = [one for one in names if one is not None]
    attributes = []
    if wishes:
        value = core.Any(forms.Extensions(wishes))
        attributes = [forms.Attribute({"type": EXTENSION_REQUEST, "values": forms.Values([value])})]
    info = forms.RequestInfo(
        {
            "version": 0,
            "subject": _raw(subject.name().der),
            "key": _raw(key.public.spki()),
            "attributes": forms.Attributes(attributes),
        }
    ).dump()
    return _signed(info, key.sign(info) if isinstance(key, SigningKey) else key.prove(info))


def verify_request(request: Request, *, user_id: bytes = DEFAULT_ID) -> None:
    """Return silently where the request is signed by the key it is for, else raise Refused."""
    verify_signature(
        request.public_key(), request.info, request.algorithm, request.signature, user_id=user_id
    )


def issue_root(key: Signs, subject: Subject, *, serial: int, now: datetime, days: int) -> Certificate:
    """The self-signed certificate of a province."""
    profile.check_days("root", days)
    spki = key.public.spki()
    name = subject.name()
    validity = (now - CLOCK_SLACK, now + timedelta(days=days))
    extensions = _extensions("root", subject, spki, key_identifier(spki))
    return _certificate(key, name, name, spki, serial, validity, extensions)


def issue(
    kind: Kind,
    subject: Subject,
    spki: bytes,
    *,
    issuer: Certificate,
    key: Signs,
    serial: int,
    now: datetime,
    days: int,
) -> Certificate:
    """A certificate below ``issuer``; it ends no later than its issuer.

    Raises BadInput where the key is not an SM2 key or the profile forbids it, Refused where the issuer may
    not issue this kind or ``key`` is not its key.
    """
    profile.check_days(kind, days)
    PublicKey.from_spki(spki)
    if key.public.spki() != issuer.spki:
        raise _not_allowed("私钥与签发证书不符", "the key is not that of the issuing certificate")
    if kind == "root" or profile.kind_of(issuer) != profile.issued_by(kind):
        raise _not_allowed(
            f"该证书不能签发 {PROFILES[kind].words.zh} 证书",
            f"this certificate can't issue one of kind {kind}",
        )
    if not issuer.not_before <= now <= issuer.not_after:
        raise _not_allowed("签发证书不在有效期内", "the issuing certificate is not valid now")
    if spki == issuer.spki:
        raise _not_allowed("申请的公钥就是签发者的公钥", "the key asked for is the issuer's own")
    identifier = issuer.extensions.subject_key or key_identifier(issuer.spki)
    validity = (now - CLOCK_SLACK, min(now + timedelta(days=days), issuer.not_after))
    extensions = _extensions(kind, subject, spki, identifier)
    return _certificate(key, issuer.subject, subject.name(), spki, serial, validity, extensions)


def key_identifier(spki: bytes) -> bytes:
    """SubjectKeyIdentifier: the first 20 bytes of the SM3 of the public key's bits."""
    return sm3(spki[-65:])[:_KEY_ID_BYTES]


def extension(oid: str, value: bytes, *, critical: bool = False) -> forms.Extension:
    """One extension of DER."""
    return forms.Extension({"id": oid, "critical": critical, "value": value})


def authority_key(identifier: bytes) -> forms.Extension:
    """authorityKeyIdentifier."""
    return extension(asn1.AUTHORITY_KEY, forms.AuthorityKey({"key": identifier}).dump())


def sign_content(key: Signs, content: bytes) -> bytes:
    """SIGNED{}: the content, the algorithm, and the signature of the key."""
    return _signed(content, key.sign(content))


def _signed(content: bytes, signature: bytes) -> bytes:
    bits = core.BitString.load(forms.wrap(3, b"\0" + signature_to_der(signature)))
    whole = {"content": _raw(content), "algorithm": _raw(SM2_WITH_SM3_DER), "signature": bits}
    return bytes(forms.Signed(whole).dump())


def _certificate(
    key: Signs,
    issuer: forms.Name,
    subject: forms.Name,
    spki: bytes,
    serial: int,
    validity: tuple[datetime, datetime],
    extensions: list[forms.Extension],
) -> Certificate:
    begins, ends = validity
    content = forms.TbsCertificate(
        {
            "version": 2,
            "serial": serial,
            "algorithm": _raw(SM2_WITH_SM3_DER),
            "issuer": _raw(issuer.der),
            "validity": {"not_before": forms.write_time(begins), "not_after": forms.write_time(ends)},
            "subject": _raw(subject.der),
            "key": _raw(spki),
            "extensions": forms.Extensions(extensions),
        }
    ).dump()
    return read_certificate(sign_content(key, content))


def _extensions(kind: Kind, subject: Subject, spki: bytes, authority: bytes) -> list[forms.Extension]:
    what = PROFILES[kind]
    names = _names(profile.uris(kind, subject.id, subject.zone, subject.unit))
    basic: dict[str, Any] = {"ca": what.ca}
    if what.path_length is not None:
        basic["path_length"] = what.path_length
    found = [
        extension(asn1.BASIC_CONSTRAINTS, forms.BasicConstraints(basic).dump(), critical=True),
        extension(asn1.KEY_USAGE, _usage_bits(what.usage), critical=True),
    ]
    if what.extended:
        found.append(extension(asn1.EXTENDED_USAGE, forms.Oids(list(what.extended)).dump()))
    if names is not None:
        found.append(names)
    found.append(extension(asn1.SUBJECT_KEY, core.OctetString(key_identifier(spki)).dump()))
    found.append(authority_key(authority))
    return found


def _names(uris: tuple[str, ...]) -> forms.Extension | None:
    if not uris:
        return None
    names = forms.Anything([_raw(forms.wrap(0x86, uri.encode("ascii"))) for uri in uris])
    return extension(asn1.ALTERNATIVE_NAME, names.dump())


def _usage_bits(usage: frozenset[str]) -> bytes:
    """KeyUsage in DER: trailing zero bits are left out."""
    bits = "".join("1" if name in usage else "0" for name in KEY_USAGES).rstrip("0")
    octets = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8))
    return bytes((3, len(octets) + 1, -len(bits) % 8)) + octets


def _raw(der: bytes) -> core.Any:
    return core.Any.load(der)


def _not_allowed(zh: str, en: str) -> Refused:
    return Refused(
        "issue-refused",
        Words(f"不予签发:{zh}", f"not issued: {en}"),
        Words("请核对签发机构与申请", "check the issuer and the request"),
    )
