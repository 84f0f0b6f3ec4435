"""The keys of QUIC's Initial packets (RFC 9001 5.2, RFC 9369), which anybody on the path can derive.

They hide nothing and protect nothing: they come from a connection id sent in the clear. AES-128-GCM and
SHA-256 are what that protocol lays down for reading foreign traffic; nothing of ours rests on them.
"""

import hmac
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

V1: Final = 0x00000001
V2: Final = 0x6B3343CF
_DRAFT_29: Final = bytes.fromhex("afbfec289993d24c9e9786f19c6111e04390a899")
_DRAFT_23: Final = bytes.fromhex("c3eef712c72ebb5a11a7d2432bb46365bef9f502")
_SALTS: Final = {
    V1: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    V2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
    **{0xFF000000 + draft: _DRAFT_29 for draft in range(29, 33)},
    **{0xFF000000 + draft: _DRAFT_23 for draft in range(23, 29)},
}
VERSIONS: Final = frozenset(_SALTS)
SAMPLE_BYTES: Final = 16


class Keys(NamedTuple):
    """What one direction's Initial packets are sealed with."""

    packet: AESGCM
    iv: int
    header: bytes

    def mask(self, sample: bytes) -> bytes:
        """Five bytes that cover the packet number and the low bits of the first byte."""
        cipher = Cipher(AES(self.header), ECB()).encryptor()  # noqa: S305 - RFC 9001 5.4.3 says so
        return cipher.update(sample)[:5]

    def open(self, number: int, header: bytes, sealed: bytes) -> bytes | None:
        """The frames of a packet, None where the keys are not its keys."""
        try:
            return self.packet.decrypt((self.iv ^ number).to_bytes(12, "big"), sealed, header)
        except InvalidTag:
            return None


def initial_keys(version: int, connection: bytes) -> tuple[Keys, Keys]:
    """(the client's, the server's) from the first destination connection id the client chose."""
    secret = hmac.digest(_SALTS[version], connection, sha256)
    prefix = b"quicv2 " if version == V2 else b"quic "
    client, server = (_keys(_expand(secret, name, 32), prefix) for name in (b"client in", b"server in"))
    return client, server


def _keys(secret: bytes, prefix: bytes) -> Keys:
    return Keys(
        AESGCM(_expand(secret, prefix + b"key", 16)),
        int.from_bytes(_expand(secret, prefix + b"iv", 12), "big"),
        _expand(secret, prefix + b"hp", 16),
    )


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    """HKDF-Expand-Label (RFC 8446 7.1) for one block of output."""
    full = b"tls13 " + label
    info = size.to_bytes(2, "big") + bytes((len(full),)) + full + b"\0\1"
    return hmac.digest(secret, info, sha256)[:size]
