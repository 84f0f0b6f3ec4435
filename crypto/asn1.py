"""DER, strictly: object identifiers of the SM standards, and reading that refuses all but the one encoding.

``check`` walks the bytes before any parser sees them: definite minimal lengths, primitive and constructed as
X.690 says, canonical BOOLEAN, INTEGER, BIT STRING, NULL and OBJECT IDENTIFIER, nothing after the end, and
limits on size, depth and number of elements. ``load`` then gives the structure, and ``reading`` turns what a
parser raises into BadInput, so that no parser's exception leaves this house.

OIDs: GM/T 0006-2012 (1.2.156.10197), GB/T 35275-2017 (CMS content types), RFC 8018 (PBES2), RFC 5280 (X.509).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from crypto.words import BadInput, Words

# --- algorithms
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
SM2_CURVE: Final = "1.2.156.10197.1.301"
SM2_SIGN: Final = "1.2.156.10197.1.301.1"
SM2_EXCHANGE: Final = "1.2.156.10197.1.301.2"  # GmSSL writes it for encryption
SM2_ENCRYPT: Final = "1.2.156.10197.1.301.3"
SM3: Final = "1.2.156.10197.1.401"
HMAC_SM3: Final = "1.2.156.10197.1.401.2"
HMAC_SM3_PKCS5: Final = "1.2.156.10197.1.401.3.1"  # table A.1 of GM/T 0091, seen in other products
SM2_WITH_SM3: Final = "1.2.156.10197.1.501"
SM4: Final = "1.2.156.10197.1.104"
SM4_CBC: Final = "1.2.156.10197.1.104.2"
SM4_GCM: Final = "1.2.156.10197.1.104.8"
PBES2: Final = "1.2.840.113549.1.5.13"
PBKDF2: Final = "1.2.840.113549.1.5.12"
HMAC_SHA256: Final = "1.2.840.113549.2.9"

# --- content types of GB/T 35275
CMS_DATA: Final = "1.2.156.10197.6.1.4.2.1"
CMS_SIGNED: Final = "1.2.156.10197.6.1.4.2.2"
CMS_ENVELOPED: Final = "1.2.156.10197.6.1.4.2.3"
CMS_SIGNED_ENVELOPED: Final = "1.2.156.10197.6.1.4.2.4"
CMS_ENCRYPTED: Final = "1.2.156.10197.6.1.4.2.5"

# --- extensions of RFC 5280 and extended key usages
SUBJECT_KEY: Final = "2.5.29.14"
KEY_USAGE: Final = "2.5.29.15"
ALTERNATIVE_NAME: Final = "2.5.29.17"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
CRL_NUMBER: Final = "2.5.29.20"
CRL_REASON: Final = "2.5.29.21"
NAME_CONSTRAINTS: Final = "2.5.29.30"
CRL_POINTS: Final = "2.5.29.31"
AUTHORITY_KEY: Final = "2.5.29.35"
EXTENDED_USAGE: Final = "2.5.29.37"
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
DOCUMENT: Final = "1.3.6.1.5.5.7.3.4"  # emailProtection: what verifiers of CMS ask for
ANY_USAGE: Final = "2.5.29.37.0"

DEPTH_MAX: Final = 24  # the deepest structure we write, CMS in CMS with certificates, has 14
ELEMENTS_MAX: Final = 20_000  # a CRL entry with a reason is 7: room for some thousand revoked certificates
OID_BYTES_MAX: Final = 64
_SEQUENCE: Final = 16
_SET: Final = 17
_PARSER_ERRORS: Final = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class _Header(NamedTuple):
    kind: int  # the identifier octet
    begins: int
    ends: int


def check(
    der: bytes,
    *,
    bytes_max: int,
    what: str = "DER",
    depth_max: int = DEPTH_MAX,
    elements_max: int = ELEMENTS_MAX,
) -> None:
    """Return silently where the bytes are exactly one DER element within the limits. Raises BadInput."""
    if not der or len(der) > bytes_max:
        raise malformed(what, f"{len(der)} bytes, allowed are 1 to {bytes_max}")
    ends = [len(der)]
    at = elements = 0
    while True:
        header = _header(der, at, ends[-1], what)
        elements += 1
        if elements > elements_max:
            raise malformed(what, f"more than {elements_max} elements")
        if header.kind & 0x20:
            ends.append(header.ends)
            at = header.begins
            if len(ends) > depth_max + 1:
                raise malformed(what, f"nested deeper than {depth_max}")
        else:
            if header.kind < 0x40:
                _check_primitive(header.kind, der[header.begins : header.ends], what)
            at = header.ends
        while len(ends) > 1 and at == ends[-1]:
            ends.pop()
        if len(ends) == 1:
            break
    if at != len(der):
        raise malformed(what, f"{len(der) - at} bytes after the end")


def _header(der: bytes, at: int, limit: int, what: str) -> _Header:
    if limit - at < 2:
        raise malformed(what, f"cut off at byte {at}")
    kind, length = der[at], der[at + 1]
    if kind & 0x1F == 0x1F or kind == 0:
        raise malformed(what, f"tag {kind:#04x} at byte {at}")
    begins = at + 2
    if length >= 0x80:
        size = length & 0x7F
        digits = der[begins : min(begins + size, limit)]
        length = int.from_bytes(digits, "big")
        if not 1 <= size <= 4 or len(digits) != size or digits[0] == 0 or length < 0x80:
            raise malformed(what, f"length at byte {at}")
        begins += size
    if begins + length > limit:
        raise malformed(what, f"an element at byte {at} longer than what holds it")
    if kind < 0x40 and (kind & 0x1F in (_SEQUENCE, _SET)) != bool(kind & 0x20):
        raise malformed(what, f"tag {kind:#04x} at byte {at}")
    return _Header(kind, begins, begins + length)


def _check_primitive(tag: int, content: bytes, what: str) -> None:
    """The canonical form of the universal types that have more than one in BER."""
    if tag == 1:
        good = content in (b"\x00", b"\xff")
    elif tag in (2, 10):
        spare = len(content) > 1 and (content[0], content[1] >> 7) in ((0, 0), (0xFF, 1))
        good = len(content) > 0 and not spare
    elif tag == 3:
        unused = content[0] if content else 8
        good = unused <= 7 and (unused == 0 or (len(content) > 1 and content[-1] & ((1 << unused) - 1) == 0))
    elif tag == 5:
        good = not content
    elif tag == 6:
        good = 0 < len(content) <= OID_BYTES_MAX and content[-1] < 0x80 and _minimal_arcs(content)
    else:
        good = True
    if not good:
        raise malformed(what, f"content of a value with tag {tag}")


def _minimal_arcs(content: bytes) -> bool:
    begins = True
    for byte in content:
        if begins and byte == 0x80:
            return False
        begins = byte < 0x80
    return True


def load(spec: Any, der: bytes, *, bytes_max: int, what: str = "DER") -> Any:
    """The structure of asn1crypto's class ``spec``, after ``check``; lazy: use it inside ``reading``."""
    check(der, bytes_max=bytes_max, what=what)
    with reading(what):
        return spec.load(der, strict=True)


@contextmanager
def reading(what: str = "DER") -> Iterator[None]:
    """Whatever the parser raises in here becomes BadInput naming ``what``."""
    try:
        yield
    except _PARSER_ERRORS as error:
        raise malformed(what, f"{type(error).__name__}: {str(error)[:120]}") from error


def malformed(what: str, reason: str) -> BadInput:
    """What is said of bytes that are not what they should be."""
    reason = " ".join(reason.split())
    return BadInput(
        "der-malformed",
        Words(f"{what} 的编码不符合 DER 或所需结构:{reason}", f"not a well-formed {what}: {reason}"),
        Words("请换用未损坏的文件", "use an undamaged file"),
        field=what,
    )
