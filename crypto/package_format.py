"""The signed manifest of a package: what it holds, who may have it, where it goes, and its one JSON form.

A manifest is read only from its canonical bytes: members in the order of ``Manifest``, no spaces, no unknown
or missing member, times in UTC to the second. Reading writes it again and compares, so two readers can never
see different members. The byte layout around it is in ``crypto.package_envelope``; the whole format is in
docs/reference/formats/package.md.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from crypto.package_names import flaw_of_names, has_hidden
from crypto.sm3 import sm3, sm3_hex
from crypto.words import BadInput, Refused, Words

FORMAT: Final = 1
MANIFEST_BYTES_MAX: Final = 4 * 1024 * 1024
FILES_MAX: Final = 10_000
CONTENT_BYTES_MAX: Final = 1 << 40  # 2^20 chunks: far from the 2^32 invocations a GCM key allows
RECIPIENTS_MAX: Final = 64
SIGNATURES_MAX: Final = 8
TEXT_CHARACTERS_MAX: Final = 256
PURPOSE_CHARACTERS_MAX: Final = 2000
ATTRIBUTES_MAX: Final = 32
MARKS_MAX: Final = 16
SEQUENCE_MAX: Final = (1 << 53) - 1  # exact in every JSON reader
VALIDITY_MAX: Final = timedelta(days=3660)
CERTIFICATES_MAX: Final = 5
CERTIFICATE_BYTES_MAX: Final = 16 * 1024
SIGNATURE_BYTES: Final = 64

AUTHOR: Final = "author"  # 经办
APPROVER: Final = "approver"  # 审批
_HEX: Final = frozenset("0123456789abcdef")
_STATEMENT: Final = "liuhe-package-signature-v1\n{role}\n{digest}\n"


class FileEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file: its name inside the package, its size in bytes and its SM3 in hex."""

    name: str
    size: int
    sm3: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the signers vouch for.

    ``channel`` is the one-way road from ``sender`` to ``receiver`` on which ``sequence`` counts from 1;
    ``epoch`` grows when a channel starts over (new keys, restored state). ``previous`` is the SM3 of the
    manifest before on the channel, empty for the first of an epoch. ``recipients`` are the ids of the
    encryption keys that may open it, ``roles`` those whose signatures it needs, no more and no fewer.
    ``attributes`` carry what a kind of package adds (a receipt's verdict), keys sorted.
    """

    format: int = FORMAT
    package: str
    kind: str
    channel: str
    epoch: int
    sequence: int
    previous: str
    application: str
    purpose: str
    sender: str
    receiver: str
    label: str
    marks: tuple[str, ...] = ()
    from_zone: str
    to_zone: str
    issued: datetime
    expires: datetime
    roles: tuple[str, ...]
    recipients: tuple[str, ...]
    attributes: dict[str, str] = {}
    files: tuple[FileEntry, ...]

    @property
    def content_bytes(self) -> int:
        """The size of all files together."""
        return sum(entry.size for entry in self.files)


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signer's word on a manifest: the role signed for, the key's id, r then s, and the signer's
    certificate chain in DER, leaf first, where the signer has one."""

    role: str
    key_id: str
    value: bytes
    certificates: tuple[bytes, ...] = ()


def encode_manifest(manifest: Manifest) -> bytes:
    """The canonical bytes. Raises BadInput naming what may not be sealed."""
    flaw = flaw_of_manifest(manifest)
    encoded = b"" if flaw else msgspec.json.encode(manifest)
    if len(encoded) > MANIFEST_BYTES_MAX:
        flaw = f"it is longer than {MANIFEST_BYTES_MAX} bytes"
    if flaw:
        raise BadInput(
            "manifest-invalid",
            Words(f"清单不能封装:{flaw}", f"the manifest cannot be sealed: {flaw}"),
            Words("请改正所列内容后重试", "correct what is named and try again"),
            field="manifest",
        )
    return encoded


def decode_manifest(data: bytes) -> Manifest:
    """Read canonical bytes. Raises Refused."""
    if len(data) > MANIFEST_BYTES_MAX:
        raise malformed("the manifest is too long")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise malformed("the manifest is not the JSON of a manifest") from None
    flaw = flaw_of_manifest(manifest)
    if flaw:
        raise malformed(flaw)
    if msgspec.json.encode(manifest) != data:
        raise malformed("the manifest is not in its canonical form")
    return manifest


def manifest_sm3(manifest: Manifest) -> str:
    """The SM3 of the canonical bytes, in hex: the name by which the next manifest refers to this one."""
    return sm3_hex(encode_manifest(manifest))


def statement(role: str, encoded_manifest: bytes) -> bytes:
    """The text a signer of this role signs: three lines that name the format, the role and the digest."""
    return _STATEMENT.format(role=role, digest=sm3(encoded_manifest).hex()).encode()


def flaw_of_manifest(manifest: Manifest) -> str:
    """Why this manifest is not valid; empty where it is."""
    if manifest.format != FORMAT:
        return f"format {manifest.format} is not {FORMAT}"
    return (
        _flaw_of_identity(manifest)
        or _flaw_of_texts(manifest)
        or _flaw_of_times(manifest)
        or _flaw_of_parties(manifest)
        or _flaw_of_files(manifest.files)
    )


def _flaw_of_identity(manifest: Manifest) -> str:
    if not is_hex(manifest.package, 16):
        return "the package id is not 32 hex digits"
    if not (1 <= manifest.sequence <= SEQUENCE_MAX and 1 <= manifest.epoch <= SEQUENCE_MAX):
        return "epoch or sequence is out of range"
    if manifest.previous and not is_hex(manifest.previous, 32):
        return "the previous manifest is not named by 64 hex digits"
    if (manifest.sequence == 1) != (not manifest.previous):
        return "the first of an epoch has no previous manifest, every other has one"
    return ""


def _flaw_of_texts(manifest: Manifest) -> str:
    texts = {
        name: getattr(manifest, name)
        for name in ("kind", "channel", "application", "sender", "receiver", "label", "from_zone", "to_zone")
    }
    for name, text in texts.items():
        if not _is_text(text):
            return f"{name} is empty, too long or holds a hidden character"
    if not _is_text(manifest.purpose, PURPOSE_CHARACTERS_MAX):
        return "purpose is empty, too long or holds a hidden character"
    if len(manifest.marks) > MARKS_MAX or not all(map(_is_text, manifest.marks)):
        return "marks are too many, or one is not plain text"
    if len(manifest.attributes) > ATTRIBUTES_MAX or list(manifest.attributes) != sorted(manifest.attributes):
        return "attributes are too many or not sorted"
    for name, text in manifest.attributes.items():
        if not _is_text(name) or (text and not _is_text(text, PURPOSE_CHARACTERS_MAX)):
            return "an attribute is not plain text"
    return ""


def _flaw_of_times(manifest: Manifest) -> str:
    for moment in (manifest.issued, manifest.expires):
        if moment.tzinfo != UTC or moment.microsecond:
            return "a time is not in UTC to the second"
    if not timedelta(0) < manifest.expires - manifest.issued <= VALIDITY_MAX:
        return "it expires before it is issued, or too late"
    return ""


def _flaw_of_parties(manifest: Manifest) -> str:
    if not 1 <= len(manifest.recipients) <= RECIPIENTS_MAX:
        return f"there are not 1 to {RECIPIENTS_MAX} recipients"
    if not all(is_hex(key_id, 32) for key_id in manifest.recipients):
        return "a recipient is not named by the 64 hex digits of a key id"
    if not 1 <= len(manifest.roles) <= SIGNATURES_MAX or not all(map(is_role, manifest.roles)):
        return "roles are none, too many, or not lower-case letters"
    if len(set(manifest.roles)) < len(manifest.roles):
        return "a role stands twice"
    if len(set(manifest.recipients)) < len(manifest.recipients):
        return "a recipient stands twice"
    return ""


def _flaw_of_files(files: tuple[FileEntry, ...]) -> str:
    if len(files) > FILES_MAX:
        return f"there are more than {FILES_MAX} files"
    if any(not 0 <= entry.size <= CONTENT_BYTES_MAX or not is_hex(entry.sm3, 32) for entry in files):
        return "a file's size or digest is not valid"
    if sum(entry.size for entry in files) > CONTENT_BYTES_MAX:
        return f"the files are larger than {CONTENT_BYTES_MAX} bytes"
    return flaw_of_names(entry.name for entry in files)


def is_role(role: str) -> bool:
    """Whether this is the name of a role: 1 to 32 lower-case letters and hyphens."""
    return 0 < len(role) <= 32 and role.isascii() and role.replace("-", "a").isalpha() and role.islower()


def is_hex(text: str, size: int) -> bool:
    """Whether this is exactly ``size`` bytes in lower-case hex."""
    return len(text) == 2 * size and _HEX.issuperset(text)


def _is_text(text: str, characters_max: int = TEXT_CHARACTERS_MAX) -> bool:
    return 0 < len(text) <= characters_max and text == text.strip() and not has_hidden(text)


def malformed(reason: str) -> Refused:
    """The refusal of a package that breaks the format."""
    return Refused(
        "package-malformed",
        Words(f"不是有效的数据包:{reason}", f"not a valid package: {reason}"),
        Words("请让发送方重新发送", "ask the sender to send it again"),
        field="package",
    )
