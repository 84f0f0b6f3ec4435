"""Certificates and requests as plain values, read strictly (RFC 5280, RFC 2986; see ``crypto.profile``).

Reading says what stands there and refuses only what is malformed; whether it may be believed is the matter of
``crypto.chain``. Who somebody is stands in URI names, percent-encoded:

    urn:liuhe:sensor:<id>, urn:liuhe:center:<id>, urn:liuhe:person:<id>     exactly one of these
    urn:liuhe:zone:<zone>                                                   the network zone it belongs to
    urn:liuhe:unit:<unit>                                                   the unit it belongs to
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from crypto import asn1, pem
from crypto import x509_forms as forms
from crypto.keys import EncryptionKey, PublicKey
from crypto.sm2 import Pair
from crypto.sm3 import sm3_hex
from crypto.words import Refused, Words
from crypto.x509_forms import Name

CERTIFICATE_BYTES_MAX: Final = 16 * 1024
EXTENSIONS_MAX: Final = 32
NAMES_MAX: Final = 64
URI_BYTES_MAX: Final = 512
SM2_WITH_SM3_DER: Final = bytes.fromhex("300a06082a811ccf55018375")  # no parameters
KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
URN: Final = "urn:liuhe:"
SUBJECT_KINDS: Final = ("sensor", "center", "person")
CERTIFICATE: Final = "CERTIFICATE"
REQUEST: Final = "CERTIFICATE REQUEST"
_REQUEST_LABELS: Final = (REQUEST, "NEW CERTIFICATE REQUEST")
EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"


class Extension(NamedTuple):
    """One extension as it stands."""

    oid: str
    critical: bool
    value: bytes


class Basic(NamedTuple):
    """basicConstraints."""

    ca: bool
    path_length: int | None


class Identity(NamedTuple):
    """Who the URI names of a certificate say it is; empty where they do not."""

    kind: str
    id: str
    zone: str
    unit: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" + (f"@{self.zone}" if self.zone else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Extensions:
    """Extensions, those that are understood also decoded; None where absent."""

    every: tuple[Extension, ...] = ()
    basic: Basic | None = None
    usage: frozenset[str] | None = None
    extended: tuple[str, ...] | None = None
    uris: tuple[str, ...] = ()
    other_names: int = 0
    subject_key: bytes | None = None
    authority_key: bytes | None = None

    def named(self, kind: str) -> tuple[str, ...]:
        """Everything that stands under ``urn:liuhe:<kind>:``."""
        head = f"{URN}{kind}:"
        return tuple(
            forms.printable(unquote(uri.removeprefix(head))) for uri in self.uris if uri.startswith(head)
        )

    @property
    def identity(self) -> Identity:
        """Who it is; all empty unless exactly one such name is there, zone and unit empty where ambiguous."""
        subjects = [(kind, name) for kind in SUBJECT_KINDS for name in self.named(kind)]
        if len(subjects) != 1:
            return Identity("", "", "", "")
        zones, units = self.named("zone"), self.named("unit")
        zone, unit = (values[0] if len(values) == 1 else "" for values in (zones, units))
        return Identity(*subjects[0], zone, unit)


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """An X.509 certificate."""

    der: bytes
    tbs: bytes
    version: int
    serial: int
    algorithm: bytes
    """The AlgorithmIdentifier outside, DER."""
    algorithm_inside: bytes
    signature: bytes
    issuer: Name
    subject: Name
    not_before: datetime
    not_after: datetime
    spki: bytes
    extensions: Extensions

    @property
    def fingerprint(self) -> str:
        """SM3 of the DER, 64 hex digits."""
        return sm3_hex(self.der)

    @property
    def key_id(self) -> str:
        """The name of its key, as ``crypto.keys`` has it."""
        return sm3_hex(self.spki)

    @property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject.der == self.issuer.der

    @property
    def identity(self) -> Identity:
        """Who its URI names say it is."""
        return self.extensions.identity

    def public_key(self) -> PublicKey:
        """Its key for verifying. Raises BadInput where it is not an SM2 key."""
        return PublicKey.from_spki(self.spki)

    def encryption_key(self) -> EncryptionKey:
        """Its key for encrypting to it. Raises BadInput where it is not an SM2 key."""
        return EncryptionKey.from_spki(self.spki)

    def pem(self) -> bytes:
        """The certificate as a PEM block."""
        return pem.encode(self.der, CERTIFICATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A PKCS#10 request; ``verify`` shows that who asks has the key."""

    der: bytes
    info: bytes
    algorithm: bytes
    signature: bytes
    subject: Name
    spki: bytes
    extensions: Extensions

    def public_key(self) -> PublicKey:
        """The key to certify. Raises BadInput where it is not an SM2 key."""
        return PublicKey.from_spki(self.spki)

    def pem(self) -> bytes:
        """The request as a PEM block."""
        return pem.encode(self.der, REQUEST)


def verify_signature(
    key: PublicKey, content: bytes, algorithm: bytes, signature: bytes, *, user_id: bytes
) -> None:
    """Return silently where SM2 with SM3 over the content is this key's, else raise Refused."""
    if algorithm != SM2_WITH_SM3_DER:
        raise refused_algorithm()
    key.verify(content, Pair.from_der(signature).raw(), user_id=user_id)


def refused_algorithm() -> Refused:
    """What is said of a signature by another algorithm."""
    return Refused(
        "signature-algorithm",
        Words("签名算法不是 SM2-with-SM3", "the signature algorithm is not SM2 with SM3"),
        Words("请换用国密证书", "use an SM certificate"),
    )


def read_certificate(der: bytes) -> Certificate:
    """Decode one certificate. Raises BadInput."""
    what = "certificate"
    tbs, content, algorithm, signature = forms.signed(
        forms.TbsCertificate, der, bytes_max=CERTIFICATE_BYTES_MAX, what=what
    )
    with asn1.reading(what):
        return Certificate(
            der=bytes(der),
            tbs=tbs,
            version=int(content["version"].native) + 1,
            serial=int(content["serial"].native),
            algorithm=algorithm,
            algorithm_inside=bytes(content["algorithm"].dump()),
            signature=signature,
            issuer=forms.read_name(content["issuer"].dump()),
            subject=forms.read_name(content["subject"].dump()),
            not_before=forms.read_time(content["validity"]["not_before"].dump()),
            not_after=forms.read_time(content["validity"]["not_after"].dump()),
            spki=bytes(content["key"].dump()),
            extensions=read_extensions(content["extensions"]),
        )


def read_request(data: bytes) -> Request:
    """Decode one request, PEM or DER. Raises BadInput. Its signature is not checked here."""
    label = next((name for name in _REQUEST_LABELS if f"-----BEGIN {name}-----".encode() in data), REQUEST)
    der = pem.decode_all(data, label)[0]
    what = "certificate request"
    info, content, algorithm, signature = forms.signed(
        forms.RequestInfo, der, bytes_max=CERTIFICATE_BYTES_MAX, what=what
    )
    with asn1.reading(what):
        if content["version"].native != 0:
            raise ValueError("version is not 1")
        wanted = [
            value
            for attribute in content["attributes"]
            if attribute["type"].dotted == EXTENSION_REQUEST
            for value in attribute["values"]
        ]
        if len(wanted) > 1:
            raise ValueError("more than one extension request")
        return Request(
            der=der,
            info=info,
            algorithm=algorithm,
            signature=signature,
            subject=forms.read_name(content["subject"].dump()),
            spki=bytes(content["key"].dump()),
            extensions=read_extensions(wanted[0].parse(forms.Extensions) if wanted else ()),
        )


def read_certificates(data: bytes) -> list[Certificate]:
    """Every certificate of a PEM bundle, or the one of a DER file. Raises BadInput."""
    return [read_certificate(der) for der in pem.decode_all(data, CERTIFICATE)]


def raw_extensions(given: Any) -> tuple[Extension, ...]:
    """Extensions undecoded; call inside ``asn1.reading``."""
    every = tuple(
        Extension(one["id"].dotted, bool(one["critical"].native), bytes(one["value"].native)) for one in given
    )
    if len(every) > EXTENSIONS_MAX:
        raise ValueError("too many extensions")
    return every


def read_extensions(given: Any) -> Extensions:
    """Decode the extensions that are understood, the first of each; call inside ``asn1.reading``."""
    every = raw_extensions(given)
    first: dict[str, bytes] = {}
    for one in every:
        first.setdefault(one.oid, one.value)
        asn1.check(one.value, bytes_max=CERTIFICATE_BYTES_MAX, what=f"extension {one.oid}")
    names = _names(first.get(asn1.ALTERNATIVE_NAME))
    uris = tuple(forms.content(name).decode("ascii") for name in names if name[0] == 0x86)
    if any(len(uri) > URI_BYTES_MAX for uri in uris):
        raise ValueError("an oversized URI")
    return Extensions(
        every=every,
        basic=_basic(first.get(asn1.BASIC_CONSTRAINTS)),
        usage=_usage(first.get(asn1.KEY_USAGE)),
        extended=_extended(first.get(asn1.EXTENDED_USAGE)),
        uris=tuple(map(forms.printable, uris)),
        other_names=len(names) - len(uris),
        subject_key=_octets(first.get(asn1.SUBJECT_KEY)),
        authority_key=read_authority(first.get(asn1.AUTHORITY_KEY)),
    )


def _basic(der: bytes | None) -> Basic | None:
    if der is None:
        return None
    value = forms.BasicConstraints.load(der, strict=True)
    length = value["path_length"].native
    if length is not None and not 0 <= length <= 255:
        raise ValueError("path length")
    return Basic(bool(value["ca"].native), length)


def _usage(der: bytes | None) -> frozenset[str] | None:
    """BIT STRING, first bit first."""
    if der is None:
        return None
    if der[0] != 3 or len(der) > 5:
        raise ValueError("key usage")
    bits = "".join(f"{byte:08b}" for byte in der[3:])
    return frozenset(name for name, bit in zip(KEY_USAGES, bits, strict=False) if bit == "1")


def _extended(der: bytes | None) -> tuple[str, ...] | None:
    if der is None:
        return None
    oids = tuple(one.dotted for one in forms.Oids.load(der, strict=True))
    if not 1 <= len(oids) <= NAMES_MAX:
        raise ValueError("number of extended key usages")
    return oids


def _names(der: bytes | None) -> list[bytes]:
    if der is None:
        return []
    names = [bytes(one.dump()) for one in forms.Anything.load(der, strict=True)]
    if not 1 <= len(names) <= NAMES_MAX:
        raise ValueError("number of names")
    return names


def _octets(der: bytes | None) -> bytes | None:
    if der is None:
        return None
    if der[0] != 4:
        raise ValueError("key identifier")
    return forms.content(der)


def read_authority(der: bytes | None) -> bytes | None:
    """The key identifier of authorityKeyIdentifier; None where it names the issuer otherwise."""
    if der is None:
        return None
    key = forms.AuthorityKey.load(der, strict=True)["key"].native
    return None if key is None else bytes(key)
