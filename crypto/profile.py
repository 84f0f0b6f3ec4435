"""The certificate profile: which kinds there are, what each may do, and for how long.

    root (province)  ->  issuer (city)  ->  sensor, center-link, center-sign, center-encrypt, person

GM/T 0015 and RFC 5280: version 3, SM2 with SM3 (1.2.156.10197.1.501, no parameters), the default identity, a
random serial of 127 bits. A center has three certificates: signing and encrypting are different keys, and the
key of its links (TLS, both directions) lies unencrypted beside the listener and must sign nothing else.
"""

import re
from collections.abc import Collection
from typing import Final, Literal, NamedTuple, get_args

from crypto import asn1
from crypto.pkcs8 import Use
from crypto.words import BadInput, Words
from crypto.x509 import URN, Certificate

Kind = Literal["root", "issuer", "sensor", "center-link", "center-sign", "center-encrypt", "person"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LEAVES: Final[tuple[Kind, ...]] = ("sensor", "center-link", "center-sign", "center-encrypt", "person")
ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CA_USAGE: Final = frozenset({"key_cert_sign", "crl_sign"})


class Profile(NamedTuple):
    """What certificates of one kind look like."""

    words: Words
    usage: frozenset[str]
    extended: tuple[str, ...]
    days_max: int
    path_length: int | None = None
    """Of a CA; None for those that are none."""
    subject: str = ""
    """The kind of its URI name."""

    @property
    def ca(self) -> bool:
        """Whether it issues certificates."""
        return self.path_length is not None

    @property
    def use(self) -> Use:
        """What its key is for."""
        return "encrypt" if "key_encipherment" in self.usage else "sign"


PROFILES: Final[dict[Kind, Profile]] = {
    "root": Profile(Words("省级根", "root of the province"), _CA_USAGE, (), 7_305, 1),
    "issuer": Profile(Words("市级签发机构", "issuer of a city"), _CA_USAGE, (), 3_653, 0),
    "sensor": Profile(
        Words("传感器", "sensor"),
        frozenset({"digital_signature"}),
        (asn1.CLIENT_AUTH,),
        366,
        subject="sensor",
    ),
    "center-link": Profile(
        Words("中心链路", "center, links"),
        frozenset({"digital_signature"}),
        (asn1.SERVER_AUTH, asn1.CLIENT_AUTH),
        1_096,
        subject="center",
    ),
    "center-sign": Profile(
        Words("中心签名", "center, signing"),
        frozenset({"digital_signature", "content_commitment"}),
        (asn1.SERVER_AUTH, asn1.CLIENT_AUTH, asn1.DOCUMENT),
        1_096,
        subject="center",
    ),
    "center-encrypt": Profile(
        Words("中心加密", "center, encryption"),
        frozenset({"key_encipherment"}),
        (asn1.DOCUMENT,),
        1_096,
        subject="center",
    ),
    "person": Profile(
        Words("人员", "person"),
        frozenset({"digital_signature", "content_commitment"}),
        (asn1.CLIENT_AUTH, asn1.DOCUMENT),
        1_096,
        subject="person",
    ),
}
_ISSUED_BY: Final[dict[Kind, Kind]] = {"root": "root", "issuer": "root"}


def issued_by(kind: Kind) -> Kind:
    """The kind of CA that issues this kind."""
    return _ISSUED_BY.get(kind, "issuer")


def kind_of(certificate: Certificate) -> Kind | None:
    """Which kind a certificate is by its constraints, usages and names; None where it is none of ours."""
    extensions = certificate.extensions
    if extensions.basic is not None and extensions.basic.ca:
        return "root" if certificate.self_issued else "issuer"
    usage = extensions.usage or frozenset()
    for kind in LEAVES:
        profile = PROFILES[kind]
        if certificate.identity.kind == profile.subject and usage == profile.usage:
            return kind
    return None


def uris(kind: Kind, name: str, zone: str, unit: str = "") -> tuple[str, ...]:
    """The URI names of a certificate. Raises BadInput where the id or the zone is malformed."""
    from urllib.parse import quote

    subject = PROFILES[kind].subject
    if kind == "center-link":  # its peers know a center by the name in its channels, in any script
        if not 0 < len(name) <= 64 or not name.isprintable() or name != name.strip():
            raise wrong("id", "须为至多 64 个可打印字符", "1 to 64 printable characters")
    elif subject and not ID.fullmatch(name):
        raise wrong("id", "须为字母、数字与 ._-,至多 64 个", "letters, digits and ._-, at most 64")
    if zone and not ID.fullmatch(zone):
        raise wrong("zone", "须为字母、数字与 ._-,至多 64 个", "letters, digits and ._-, at most 64")
    if len(unit) > 64 or not unit.isprintable():
        raise wrong("unit", "须为至多 64 个可打印字符", "at most 64 printable characters")
    said = ((subject, name if subject else ""), ("zone", zone), ("unit", unit))
    return tuple(f"{URN}{key}:{quote(value, safe='')}" for key, value in said if value)


def check_days(kind: Kind, days: int) -> None:
    """Raise BadInput where certificates of the kind may not last so long."""
    if not 1 <= days <= PROFILES[kind].days_max:
        limit = PROFILES[kind].days_max
        raise wrong("days", f"{kind} 的有效期为 1 至 {limit} 天", f"{kind} lasts 1 to {limit} days")


def words_of(kinds: Collection[Kind]) -> Words:
    """The kinds in words."""
    return Words(
        "、".join(PROFILES[kind].words.zh for kind in kinds),
        ", ".join(PROFILES[kind].words.en for kind in kinds),
    )


def wrong(field: str, zh: str, en: str) -> BadInput:
    """What is said of an argument that does not fit the profile."""
    return BadInput(
        "certificate-profile",
        Words(f"不符合证书规范:{zh}", f"not within the certificate profile: {en}"),
        Words("请改正后重试", "correct it and try again"),
        field=field,
    )
