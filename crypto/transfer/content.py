"""What kind of file this really is: recognised by its bytes from first to last, never by its name alone.

Only the kinds listed here pass, and only where the name's ending agrees. Files must end where their format
ends, so that nothing can be appended to a picture or a document; office documents are looked into without
being unpacked: bounded members, no macros, no encryption, no member that could leave a folder.

This recognises formats. It is neither a virus scanner nor a review of what a document says.
"""

import codecs
import zipfile
from collections.abc import Callable, Mapping
from typing import BinaryIO, Final, NamedTuple

import msgspec

from crypto.package_names import flaw_of_name
from crypto.words import Refused, Words

READ_BYTES: Final = 1 << 20
JSON_BYTES_MAX: Final = 32 << 20
MEMBERS_MAX: Final = 4_000
MEMBER_BYTES_MAX: Final = 256 << 20
UNPACKED_BYTES_MAX: Final = 512 << 20
RATIO_MAX: Final = 200  # XML of one repeated cell reaches about 100
DIRECTORY_BYTES_MAX: Final = 2 << 20
_TAIL_BYTES: Final = 1024
_ENDINGS: Final[Mapping[str, str]] = {
    "pdf": "pdf",
    "png": "png",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "docx": "docx",
    "xlsx": "xlsx",
    "csv": "csv",
    "txt": "txt",
    "json": "json",
}
KINDS: Final = ("pdf", "png", "jpeg", "docx", "xlsx", "csv", "txt", "json")
_MAIN: Final = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}
_ACTIVE: Final = ("vbaproject", "vbadata", "activex", "oleobject", "macrosheets", "embeddings/")
_PNG: Final = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"


def check_content(name: str, file: BinaryIO, size: int) -> str:
    """The kind of a file, where it is one of KINDS and whole. Raises Refused. The file must be seekable."""
    if flaw := flaw_of_name(name):
        raise _refused(name, f"文件名不合要求({flaw})", flaw)
    kind = _ENDINGS.get(name.rpartition("/")[2].rpartition(".")[2].lower(), "")
    if not kind or "." not in name.rpartition("/")[2]:
        raise _refused(name, "文件类型不在白名单内", "its type is not on the list of those allowed")
    file.seek(0)
    flaw = _CHECKS[kind](_Seen(file, size, kind))
    if flaw:
        raise _refused(name, f"内容不是所称的 {kind}:{flaw}", f"its content is not {kind}: {flaw}")
    return kind


class _Seen(NamedTuple):
    """A file with its size and the kind its name claims."""

    file: BinaryIO
    size: int
    kind: str


def _pdf(seen: _Seen) -> str:
    if seen.file.read(5) != b"%PDF-":
        return "it does not begin as one"
    return (
        ""
        if _tail(seen.file, seen.size).rstrip(b"\r\n \t").endswith(b"%%EOF")
        else "something follows its end"
    )


def _png(seen: _Seen) -> str:
    """Every chunk in turn up to IEND, which must be the last."""
    if seen.file.read(len(_PNG)) != _PNG:
        return "it does not begin as one"
    place = len(_PNG) - 8
    while place + 12 <= seen.size:
        seen.file.seek(place)
        head = seen.file.read(8)
        length = int.from_bytes(head[:4], "big")
        if length > 0x7FFF_FFFF or not head[4:].isalpha():
            return "a chunk of it is damaged"
        place += 12 + length
        if head[4:] == b"IEND":
            ends = place == seen.size and _tail(seen.file, seen.size).endswith(_PNG_END)
            return "" if ends else "something follows its end"
    return "it is cut short"


def _jpeg(seen: _Seen) -> str:
    if seen.file.read(3) != b"\xff\xd8\xff":
        return "it does not begin as one"
    return "" if _tail(seen.file, seen.size).endswith(b"\xff\xd9") else "something follows its end"


def _office(seen: _Seen) -> str:
    if seen.file.read(4) != b"PK\x03\x04":
        return "it does not begin as one"
    flaw = _flaw_of_directory(_tail(seen.file, seen.size), seen.size)
    if flaw:
        return flaw
    try:
        with zipfile.ZipFile(seen.file) as archive:
            return _flaw_of_members(archive.infolist(), seen.size, seen.kind)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError, IndexError):
        return "its directory is damaged"


def _flaw_of_directory(tail: bytes, size: int) -> str:
    """Judge the size of the directory before anything reads it; a comment after it is not allowed."""
    end = tail[-22:]
    if len(end) != 22 or end[:4] != b"PK\x05\x06":
        return "something follows its end"
    members, length = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    start = int.from_bytes(end[16:20], "little")
    if end[20:22] != b"\0\0" or end[4:8] != bytes(4) or end[8:10] != end[10:12]:
        return "it has a comment or several volumes"
    if members > MEMBERS_MAX or length > DIRECTORY_BYTES_MAX or start + length + 22 != size:
        return "it has too many members, or something before its beginning"
    return ""


def _flaw_of_members(members: list[zipfile.ZipInfo], size: int, kind: str) -> str:
    names = [member.filename for member in members]
    if _MAIN[kind] not in names or "[Content_Types].xml" not in names:
        return "its main part is missing"
    if len({name.casefold() for name in names}) < len(names):
        return "two members have the same name"
    packed = sum(member.compress_size for member in members)
    unpacked = sum(member.file_size for member in members)
    if packed > size or unpacked > UNPACKED_BYTES_MAX or unpacked > RATIO_MAX * max(size, 1024):
        return "it would unpack to too much"
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            return "its members overlap"
        end = member.header_offset + 30 + len(member.filename.encode("utf-8")) + member.compress_size
        if flaw := _flaw_of_member(member):
            return flaw
    return ""


def _flaw_of_member(member: zipfile.ZipInfo) -> str:
    name = member.orig_filename
    if flaw_of_name(name.rstrip("/")):
        return "a member has an unsafe name"
    if member.flag_bits & 0x1:
        return "it is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed in an unusual way"
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "a member is a link"
    if any(word in name.casefold() for word in _ACTIVE):
        return "it holds macros or embedded objects"
    if member.file_size > MEMBER_BYTES_MAX or member.file_size > RATIO_MAX * max(member.compress_size, 1024):
        return "it would unpack to too much"
    return ""


def _text(seen: _Seen) -> str:
    """UTF-8, or else GB 18030; no control characters but tab and line ends, so that no program passes."""
    if any(_reads(seen.file, encoding) for encoding in ("utf-8", "gb18030")):
        return ""
    return "it is neither UTF-8 nor GB 18030 text"


def _reads(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    file.seek(0)
    try:
        while chunk := file.read(READ_BYTES):
            if chunk.translate(None, _CONTROLS) != chunk:
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _json(seen: _Seen) -> str:
    if seen.size > JSON_BYTES_MAX:
        return "it is too large to be verified"
    try:
        msgspec.json.decode(seen.file.read(JSON_BYTES_MAX))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return "it does not parse"
    return ""


def _tail(file: BinaryIO, size: int) -> bytes:
    file.seek(max(0, size - _TAIL_BYTES))
    return file.read(_TAIL_BYTES)


def _refused(name: str, zh: str, en: str) -> Refused:
    return Refused(
        "transfer-content",
        Words(zh, en),
        Words("请转换为允许的类型,或移除该文件", "convert it to a type that is allowed, or leave it out"),
        field=name,
    )


_CONTROLS: Final = bytes(code for code in range(32) if code not in b"\t\n\r\f") + b"\x7f"
_CHECKS: Final[Mapping[str, Callable[[_Seen], str]]] = {
    "pdf": _pdf,
    "png": _png,
    "jpeg": _jpeg,
    "docx": _office,
    "xlsx": _office,
    "csv": _text,
    "txt": _text,
    "json": _json,
}
