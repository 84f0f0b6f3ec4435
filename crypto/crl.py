"""Revocation lists: CRL version 2 (RFC 5280 5), signed with SM2 and SM3.

Each has a number that only grows and a ``nextUpdate`` at most seven days on, so that a withheld list is
noticed. Delta lists, indirect lists and lists for a part of the certificates are not used and are refused,
as is everything critical that is not understood.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, get_args

from asn1crypto import core

from crypto import asn1, pem
from crypto import x509_forms as forms
from crypto.sm2 import DEFAULT_ID
from crypto.words import BadInput, Refused, Words
from crypto.x509 import (
    SM2_WITH_SM3_DER,
    Certificate,
    Extension,
    raw_extensions,
    read_authority,
    verify_signature,
)
from crypto.x509_issue import Signs, authority_key, extension, key_identifier, sign_content

CRL_BYTES_MAX: Final = 4 * 1024 * 1024
ELEMENTS_MAX: Final = 500_000
REVOKED_MAX: Final = 50_000
NEXT_UPDATE_MAX: Final = timedelta(days=7)
CRL: Final = "X509 CRL"
Reason = Literal[
    "unspecified",
    "key-compromise",
    "ca-compromise",
    "affiliation-changed",
    "superseded",
    "cessation-of-operation",
    "certificate-hold",
    "privilege-withdrawn",
]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
_CODES: Final[dict[Reason, int]] = dict(zip(REASONS, (0, 1, 2, 3, 4, 5, 6, 9), strict=True))
_REASONS: Final = {code: reason for reason, code in _CODES.items()}
REASON_WORDS: Final[dict[Reason, Words]] = {
    "unspecified": Words("未说明", "unspecified"),
    "key-compromise": Words("私钥泄露", "key compromise"),
    "ca-compromise": Words("签发机构私钥泄露", "compromise of the issuer"),
    "affiliation-changed": Words("隶属关系变更", "affiliation changed"),
    "superseded": Words("已被新证书取代", "superseded"),
    "cessation-of-operation": Words("停止使用", "cessation of operation"),
    "certificate-hold": Words("暂停使用", "on hold"),
    "privilege-withdrawn": Words("权限撤回", "privilege withdrawn"),
}
_SEQUENCE: Final = 0x30
_INTEGER: Final = 2
_REASON_HEAD: Final = bytes.fromhex("300c300a0603551d1504030a01")  # extensions of a reason alone
_KNOWN: Final = {asn1.CRL_NUMBER, asn1.AUTHORITY_KEY}


class Revoked(NamedTuple):
    """One revoked certificate."""

    serial: int
    time: datetime
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Crl:
    """A revocation list as it stands; ``verify_crl`` says whether it is the issuer's."""

    der: bytes
    tbs: bytes
    algorithm: bytes
    algorithm_inside: bytes
    signature: bytes
    issuer: forms.Name
    this_update: datetime
    next_update: datetime
    number: int
    authority_key: bytes | None
    revoked: dict[int, Revoked]

    def pem(self) -> bytes:
        """The list as a PEM block."""
        return pem.encode(self.der, CRL)


def read_crls(data: bytes) -> list[Crl]:
    """Every list of a PEM bundle, or the one of a DER file. Raises BadInput."""
    return [read_crl(der) for der in pem.decode_all(data, CRL)]


def read_crl(der: bytes) -> Crl:
    """Decode a list. Raises BadInput, also for kinds of lists that are not used."""
    what = "CRL"
    tbs, content, algorithm, signature = forms.signed(
        forms.TbsCrl, der, bytes_max=CRL_BYTES_MAX, what=what, elements_max=ELEMENTS_MAX
    )
    with asn1.reading(what):
        extensions = raw_extensions(content["extensions"])
        values = _only(extensions, _KNOWN)
        if content["version"].native != 1 or asn1.CRL_NUMBER not in values:
            raise ValueError("not a CRL of version 2 with a number")
        number = int(asn1.load(core.Integer, values[asn1.CRL_NUMBER], bytes_max=32, what=what).native)
        if not 0 <= number < 1 << 159:
            raise ValueError("its number")
        authority = values.get(asn1.AUTHORITY_KEY)
        if authority is not None:
            asn1.check(authority, bytes_max=4096, what=what)
        return Crl(
            der=bytes(der),
            tbs=tbs,
            algorithm=algorithm,
            algorithm_inside=bytes(content["algorithm"].dump()),
            signature=signature,
            issuer=forms.read_name(content["issuer"].dump()),
            this_update=forms.read_time(content["this_update"].dump()),
            next_update=forms.read_time(content["next_update"].dump()),
            number=number,
            authority_key=read_authority(authority),
            revoked=_entries(content["revoked"].dump() or b"\x30\x00"),
        )


def _entries(raw: bytes) -> dict[int, Revoked]:
    """By hand: a parser takes a third of a millisecond for each of what may be many thousands."""
    found: dict[int, Revoked] = {}
    for one in forms.children(raw):
        number, time, *rest = forms.children(one)
        if one[0] != _SEQUENCE or number[0] != _INTEGER or len(rest) > 1:
            raise ValueError("an entry")
        serial = int.from_bytes(forms.content(number), signed=True)
        if serial in found or len(found) >= REVOKED_MAX:
            raise ValueError("a serial twice, or too many entries")
        found[serial] = Revoked(serial, forms.read_time(time), _reason(rest[0] if rest else None))
    return found


def _only(extensions: tuple[Extension, ...], known: set[str]) -> dict[str, bytes]:
    """The values of those known; raises ValueError for a double or for anything critical besides."""
    values = {one.oid: one.value for one in extensions}
    if len(values) != len(extensions):
        raise ValueError("an extension twice")
    if any(one.critical and one.oid not in known for one in extensions):
        raise ValueError("a critical extension that is not understood")
    return values


def _reason(extensions: bytes | None) -> Reason:
    if extensions is None:
        return "unspecified"
    value = extensions.removeprefix(_REASON_HEAD)
    if len(value) == len(extensions):
        values = _only(raw_extensions(forms.Extensions.load(extensions, strict=True)), {asn1.CRL_REASON})
        if asn1.CRL_REASON not in values:
            return "unspecified"
        value = values[asn1.CRL_REASON].removeprefix(b"\x0a\x01")
    if len(value) != 1 or value[0] not in _REASONS:
        raise ValueError("a reason that is not used")
    return _REASONS[value[0]]


def make_crl(
    issuer: Certificate,
    key: Signs,
    revoked: Iterable[Revoked],
    *,
    number: int,
    now: datetime,
    lasts: timedelta = NEXT_UPDATE_MAX,
) -> Crl:
    """A new list of everything revoked, signed by the issuer."""
    if not timedelta(hours=1) <= lasts <= NEXT_UPDATE_MAX:
        raise BadInput(
            "crl-lifetime",
            Words("吊销列表的有效期为 1 小时至 7 天", "a CRL lasts one hour to seven days"),
            Words("请改正后重试", "correct it and try again"),
            field="days",
        )
    if key.public.spki() != issuer.spki:
        raise Refused(
            "issue-refused",
            Words("不予签发:私钥与签发证书不符", "not issued: the key is not that of the certificate"),
            Words("请核对私钥", "check the key"),
        )
    identifier = issuer.extensions.subject_key or key_identifier(issuer.spki)
    content: dict[str, Any] = {
        "version": 1,
        "algorithm": core.Any.load(SM2_WITH_SM3_DER),
        "issuer": core.Any.load(issuer.subject.der),
        "this_update": forms.write_time(now),
        "next_update": forms.write_time(now + lasts),
        "extensions": forms.Extensions(
            [authority_key(identifier), extension(asn1.CRL_NUMBER, core.Integer(number).dump())]
        ),
    }
    entries = b"".join(_entry(one) for one in sorted(revoked))
    if entries:
        content["revoked"] = forms.Anything.load(forms.wrap(_SEQUENCE, entries))
    return read_crl(sign_content(key, forms.TbsCrl(content).dump()))


def _entry(one: Revoked) -> bytes:
    number, time = core.Integer(one.serial).dump(), forms.write_time(one.time).dump()
    why = b"" if one.reason == "unspecified" else _REASON_HEAD + bytes((_CODES[one.reason],))
    return forms.wrap(_SEQUENCE, number + time + why)


def verify_crl(crl: Crl, issuer: Certificate, *, user_id: bytes = DEFAULT_ID) -> None:
    """Return silently where the list is this issuer's, else raise Refused. Its dates are not looked at."""
    usage = issuer.extensions.usage or frozenset()
    named = crl.authority_key in (None, issuer.extensions.subject_key)
    if crl.issuer.der != issuer.subject.der or "crl_sign" not in usage or not named:
        raise Refused(
            "crl-issuer",
            Words("吊销列表不是该机构签发的", "the CRL was not issued by this authority"),
            Words("请取得签发机构自己的吊销列表", "get the CRL of the issuer itself"),
        )
    if crl.algorithm != crl.algorithm_inside:
        raise Refused(
            "crl-issuer",
            Words("吊销列表内外的签名算法不一致", "the CRL names two signature algorithms"),
            Words("请重新取得吊销列表", "get the CRL anew"),
        )
    verify_signature(issuer.public_key(), crl.tbs, crl.algorithm, crl.signature, user_id=user_id)
