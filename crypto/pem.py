"""PEM (RFC 7468): base64 between two lines that name what it is.

``encode`` writes one form. ``decode`` reads it back strictly, for keys; ``decode_all`` takes files as other
programs write them, several blocks with remarks between, for certificates; both also know plain DER.
"""

import base64
import binascii
from typing import Final

from crypto.words import BadInput, Words

BLOCKS_MAX: Final = 64
_SEQUENCE: Final = 0x30


def encode(der: bytes, label: str) -> bytes:
    """The block, 64 characters a line."""
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")


def label_of(data: bytes) -> str:
    """What the first block says it is; empty where there is none."""
    begins = data.find(b"-----BEGIN ")
    ends = data.find(b"-----", begins + 11)
    return data[begins + 11 : ends].decode("ascii", "replace") if 0 <= begins < ends < begins + 64 else ""


def decode(data: bytes, label: str) -> bytes:
    """The DER inside; every byte must be as ``encode`` writes it, or nearly (CRLF, no end)."""
    lines = data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
    try:
        der = base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        der = b""
    if not der or b"\n".join(lines) + b"\n" != encode(der, label):
        raise _bad(label)
    return der


def decode_all(data: bytes, label: str) -> list[bytes]:
    """The DER of every block of that label, other blocks and text left out; or the file itself if it is DER.

    Raises BadInput where a block is damaged or there is none.
    """
    if data[:1] == bytes((_SEQUENCE,)):
        return [data]
    head, foot = f"-----BEGIN {label}-----".encode(), f"-----END {label}-----".encode()
    found: list[bytes] = []
    lines = iter(line.strip() for line in data.split(b"\n"))
    for line in lines:
        if line != head:
            continue
        body: list[bytes] = []
        for inner in lines:
            if inner == foot:
                break
            body.append(inner)
        else:
            raise _bad(label)
        try:
            found.append(base64.b64decode(b"".join(body), validate=True))
        except binascii.Error as error:
            raise _bad(label) from error
        if len(found) > BLOCKS_MAX:
            raise _bad(label)
    if not found:
        raise _bad(label)
    return found


def _bad(label: str) -> BadInput:
    return BadInput(
        "pem-malformed",
        Words(f"不是可读的 PEM({label})", f"not a readable PEM file of a {label}"),
        Words("请换用未损坏的文件", "use an undamaged file"),
        field=label,
    )
