"""The header of a package in bytes: a clear part that finds a recipient's key, then the sealed manifest.

    clear    magic 8 | clear bytes u32 | sealed bytes u32 | package id 16 | nonce prefix 8 | chunk bytes u32
             | content bytes u64 | recipients u16 | per recipient: key id 32, length u16, wrapped key
    sealed   SM4-GCM of: manifest bytes u32 | manifest | signatures; then the tag, 16
    chunks   SM4-GCM of up to 1 MiB of content each, with its tag

Numbers are big-endian. Nothing follows the last chunk. docs/reference/formats/package.md says it in full.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import msgspec

from crypto import package_format as form
from crypto.package_format import Manifest, Signature, malformed

MAGIC: Final = b"LIUHEPK\x01"
CHUNK_BYTES: Final = 1 << 20
TAG_BYTES: Final = 16
KEY_BYTES: Final = 16
PREFIX_BYTES: Final = 8
WRAPPED_BYTES_MAX: Final = 160  # GM/T 0009 of 16 bytes is at most 123
# Manifest, and the signatures with their certificates in base64.
SEALED_BYTES_MAX: Final = form.MANIFEST_BYTES_MAX + 1024 * 1024
MANIFEST_INDEX: Final = 0xFFFF_FFFF
MORE: Final = 0
LAST: Final = 1
MANIFEST_FLAG: Final = 2
_FIXED: Final = struct.Struct(">8sII16s8sIQH")
_RECIPIENT: Final = struct.Struct(">32sH")
CLEAR_BYTES_MAX: Final = _FIXED.size + form.RECIPIENTS_MAX * (_RECIPIENT.size + WRAPPED_BYTES_MAX)
START_BYTES: Final = 16  # magic and the two lengths


class Readable(Protocol):
    """What a package is read from: a file, a BytesIO, a socket's file."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill some of the buffer; 0 at the end."""
        ...


class WrappedKey(NamedTuple):
    """The content key for one recipient: the id of the recipient's key and the SM2 ciphertext in DER."""

    key_id: str
    ciphertext: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Clear:
    """The part of the header that is not encrypted: enough to find a key and to count chunks."""

    package: str
    prefix: bytes
    content_bytes: int
    recipients: tuple[WrappedKey, ...]

    def encode(self, sealed_bytes: int) -> bytes:
        """The bytes before the sealed part."""
        entries = b"".join(
            _RECIPIENT.pack(bytes.fromhex(entry.key_id), len(entry.ciphertext)) + entry.ciphertext
            for entry in self.recipients
        )
        fixed = _FIXED.pack(
            MAGIC,
            _FIXED.size + len(entries),
            sealed_bytes,
            bytes.fromhex(self.package),
            self.prefix,
            CHUNK_BYTES,
            self.content_bytes,
            len(self.recipients),
        )
        return fixed + entries


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """A header whose manifest was decrypted and whose signatures were verified against the trust given."""

    clear: Clear
    manifest: Manifest
    manifest_sm3: str
    signatures: tuple[Signature, ...]
    header_sm3: str
    header_bytes: int
    content_key: bytes = field(repr=False)

    @property
    def chunks(self) -> int:
        """How many chunks follow; an empty package has one, empty."""
        return chunk_count(self.clear.content_bytes)

    @property
    def package_bytes(self) -> int:
        """The size of the whole package."""
        return self.header_bytes + self.clear.content_bytes + self.chunks * TAG_BYTES

    def chunk_place(self, index: int) -> tuple[int, int]:
        """Where chunk ``index`` begins in the package and how many bytes it has, tag included."""
        return self.header_bytes + index * (CHUNK_BYTES + TAG_BYTES), self.sealed_bytes(index)

    def sealed_bytes(self, index: int) -> int:
        """The bytes of one chunk with its tag."""
        return plain_bytes(self.clear.content_bytes, index) + TAG_BYTES


def chunk_count(content_bytes: int) -> int:
    """Chunks of a content of this size."""
    return max(1, -(-content_bytes // CHUNK_BYTES))


def plain_bytes(content_bytes: int, index: int) -> int:
    """The content bytes in one chunk."""
    return min(CHUNK_BYTES, content_bytes - index * CHUNK_BYTES)


def nonce(prefix: bytes, index: int) -> bytes:
    """12 bytes: the package's prefix, then the index."""
    return prefix + index.to_bytes(4, "big")


def associated(digest: bytes, index: int, flag: int) -> bytes:
    """What a segment is bound to: the bytes before it, its place, and whether it is the last."""
    return digest + index.to_bytes(4, "big") + bytes((flag,))


def read_exactly(source: Readable, buffer: memoryview) -> None:
    """Fill the whole buffer. Raises Refused where the source ends early."""
    filled = 0
    while filled < len(buffer):
        taken = source.readinto(buffer[filled:])
        if not taken:
            raise malformed("it ends too early")
        filled += taken


def read_clear(source: Readable) -> tuple[Clear, bytes, int]:
    """The clear part, its bytes, and the size of the sealed part that follows. Raises Refused."""
    start = bytearray(START_BYTES)
    read_exactly(source, memoryview(start))
    magic, clear_bytes, sealed_bytes = struct.unpack(">8sII", start)
    if magic != MAGIC:
        raise malformed("it does not begin as a package of this format")
    if not _FIXED.size < clear_bytes <= CLEAR_BYTES_MAX:
        raise malformed("its clear header has an impossible size")
    if not TAG_BYTES < sealed_bytes <= SEALED_BYTES_MAX:
        raise malformed("its sealed header has an impossible size")
    data = bytearray(clear_bytes)
    data[:START_BYTES] = start
    read_exactly(source, memoryview(data)[START_BYTES:])
    return _parse_clear(bytes(data)), bytes(data), sealed_bytes


def _parse_clear(data: bytes) -> Clear:
    _, _, _, package, prefix, chunk_bytes, content_bytes, count = _FIXED.unpack_from(data)
    if chunk_bytes != CHUNK_BYTES or content_bytes > form.CONTENT_BYTES_MAX:
        raise malformed("its chunk or content size is not one of this format")
    if not 1 <= count <= form.RECIPIENTS_MAX:
        raise malformed("it has no recipient or too many")
    recipients: list[WrappedKey] = []
    place = _FIXED.size
    for _ in range(count):
        if place + _RECIPIENT.size > len(data):
            raise malformed("its list of recipients is cut short")
        key_id, length = _RECIPIENT.unpack_from(data, place)
        place += _RECIPIENT.size
        if not 0 < length <= min(WRAPPED_BYTES_MAX, len(data) - place):
            raise malformed("a wrapped key has an impossible size")
        recipients.append(WrappedKey(key_id.hex(), data[place : place + length]))
        place += length
    if place != len(data):
        raise malformed("something follows its list of recipients")
    return Clear(
        package=package.hex(), prefix=prefix, content_bytes=content_bytes, recipients=tuple(recipients)
    )


def encode_inner(encoded_manifest: bytes, signatures: tuple[Signature, ...]) -> bytes:
    """What the sealed part holds."""
    return len(encoded_manifest).to_bytes(4, "big") + encoded_manifest + msgspec.json.encode(signatures)


def decode_inner(data: bytes) -> tuple[bytes, tuple[Signature, ...]]:
    """The manifest's bytes and the signatures, unverified. Raises Refused."""
    length = int.from_bytes(data[:4], "big")
    if not 0 < length <= min(form.MANIFEST_BYTES_MAX, len(data) - 4):
        raise malformed("its manifest has an impossible size")
    encoded = data[4 + length :]
    try:
        signatures = msgspec.json.decode(encoded, type=tuple[Signature, ...])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise malformed("its signatures are not the JSON of signatures") from None
    if msgspec.json.encode(signatures) != encoded:
        raise malformed("its signatures are not in their canonical form")
    flaw = flaw_of_signatures(signatures)
    if flaw:
        raise malformed(flaw)
    return data[4 : 4 + length], signatures


def flaw_of_signatures(signatures: tuple[Signature, ...]) -> str:
    """Why these cannot be a package's signatures; empty where they can."""
    if not 1 <= len(signatures) <= form.SIGNATURES_MAX:
        return "it has no signature or too many"
    for signature in signatures:
        if not form.is_role(signature.role) or not form.is_hex(signature.key_id, 32):
            return "a signature's role or key id is not valid"
        if len(signature.value) != form.SIGNATURE_BYTES:
            return "a signature is not 64 bytes"
        if len(signature.certificates) > form.CERTIFICATES_MAX or any(
            not 0 < len(der) <= form.CERTIFICATE_BYTES_MAX for der in signature.certificates
        ):
            return "a signature's certificates are too many or too large"
    return ""
