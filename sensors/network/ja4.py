"""JA4: the fingerprint of a TLS client, after FoxIO's published description of JA4 (BSD-3-Clause).

``a_b_c``: a tells transport, version, whether a name is given, how many suites and extensions and the first
application protocol; b is a hash of the sorted suites; c of the sorted extensions (without the name and the
application protocol) and of the signature algorithms in their order. Numbers of RFC 8701 are left out before.
JA4S, JA4H, JA4X, JA4T and their kin are under another licence and are not made here.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

_VERSIONS: Final = {
    0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 0x0200: "s2", 0x0002: "s2",
    0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3",
}  # fmt: skip
_SERVER_NAME: Final = 0
_ALPN: Final = 16
_NOTHING: Final = "000000000000"


def ja4(
    transport: str,
    version: int,
    suites: Sequence[int],
    extensions: Sequence[int],
    signatures: Sequence[int],
    protocol: bytes,
) -> str:
    """The fingerprint; ``transport`` is t (TCP), q (QUIC) or d (DTLS), ``protocol`` the first of ALPN."""
    head, sorted_suites, rest = ja4_parts(transport, version, suites, extensions, signatures, protocol)
    return f"{head}_{_hash(sorted_suites)}_{_hash(rest)}"


def ja4_parts(
    transport: str,
    version: int,
    suites: Sequence[int],
    extensions: Sequence[int],
    signatures: Sequence[int],
    protocol: bytes,
) -> tuple[str, str, str]:
    """(a, suites, extensions and signatures), the latter two before hashing."""
    named = "d" if _SERVER_NAME in extensions else "i"
    head = (
        f"{transport}{_VERSIONS.get(version, '00')}{named}"
        f"{min(len(suites), 99):02d}{min(len(extensions), 99):02d}{_ends(protocol)}"
    )
    kept = sorted(number for number in extensions if number not in (_SERVER_NAME, _ALPN))
    rest = _hexed(kept)
    if signatures:
        rest += "_" + _hexed(signatures)
    return head, _hexed(sorted(suites)), rest


def _ends(protocol: bytes) -> str:
    """The outer characters of the protocol; 9 for one that is not ASCII, as FoxIO writes it."""
    if not protocol:
        return "00"
    return "".join(chr(sign) if 0x20 < sign < 0x7F else "9" for sign in (protocol[0], protocol[-1]))


def _hexed(numbers: Sequence[int]) -> str:
    return ",".join(f"{number:04x}" for number in numbers)


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:12] if text else _NOTHING
