"""Content by its bytes: what is whole and of its kind passes, what pretends or carries more does not."""

import io
import struct
import zipfile
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.transfer.content import KINDS, MEMBERS_MAX, check_content
from crypto.words import Refused


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\0\0\0"))
        + chunk(b"IEND", b"")
    )


def office(kind: str, *more: tuple[str, bytes], stored: bool = False) -> bytes:
    main = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}[kind]
    file = io.BytesIO()
    how = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in (("[Content_Types].xml", b"<a/>"), (main, b"<b/>"), *more):
            archive.writestr(name, data)
    return file.getvalue()


PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\xff\xd9"
GOOD: dict[str, bytes] = {
    "a.pdf": PDF,
    "a.png": png(),
    "a.jpg": JPEG,
    "a.JPEG": JPEG,
    "a.docx": office("docx"),
    "a.xlsx": office("xlsx", stored=True),
    "a.csv": "名称,数量\r\n".encode("gb18030"),
    "a.txt": "六合 𠀀\n".encode(),
    "b.txt": b"",
    "a.json": b'{"a": [1]}',
}


def check(name: str, data: bytes) -> str:
    return check_content(name, io.BytesIO(data), len(data))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_whole_passes(name: str) -> None:
    assert check(name, GOOD[name]) in KINDS


def bomb() -> bytes:
    return office("docx", ("word/x.xml", bytes(20 << 20)))


def encrypted() -> bytes:
    data = bytearray(office("docx"))
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    return bytes(data)


def linked() -> bytes:
    file = io.BytesIO(office("docx"))
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo("word/link")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return file.getvalue()


HOSTILE: list[tuple[str, bytes]] = [
    ("a.exe", b"MZ"),
    ("a", b"text"),
    (".pdf", b"MZ"),
    ("a.pdf.exe", PDF),
    ("a.svg", b"<svg/>"),
    ("a.html", b"<html/>"),
    ("a.zip", office("docx")),
    ("a.docm", office("docx")),
    ("a.pdf", b"MZ" + PDF),
    ("a.pdf", PDF + office("docx")),
    ("a.pdf", PDF[:-6]),
    ("a.pdf", b""),
    ("a.png", png() + b"PK"),
    ("a.png", png()[:-4]),
    ("a.png", JPEG),
    ("a.png", png()[:30] + png()[34:]),
    ("a.jpg", JPEG + b"<?php"),
    ("a.jpg", png()),
    ("a.docx", office("xlsx")),
    ("a.xlsx", office("docx")),
    ("a.docx", b"MZ" + office("docx")),
    ("a.docx", office("docx") + b"x"),
    ("a.docx", office("docx")[:-1]),
    ("a.docx", b"PK\x03\x04" + bytes(100)),
    ("a.docx", b"PK\x05\x06" + bytes(18)),
    ("a.docx", office("docx", ("word/vbaProject.bin", b"x"))),
    ("a.docx", office("docx", ("word/embeddings/oleObject1.bin", b"x"))),
    ("a.xlsx", office("xlsx", ("xl/macrosheets/sheet1.xml", b"x"))),
    ("a.docx", office("docx", ("../evil.txt", b"x"))),
    ("a.docx", office("docx", ("/evil.txt", b"x"))),
    ("a.docx", office("docx", ("word/con.xml", b"x"))),
    ("a.docx", office("docx", ("WORD/DOCUMENT.XML", b"x"))),
    ("a.docx", office("docx", *[(f"word/{n}.xml", b"") for n in range(MEMBERS_MAX)])),
    ("a.docx", bomb()),
    ("a.docx", encrypted()),
    ("a.docx", linked()),
    ("a.txt", b"a\0b"),
    ("a.txt", b"\x7fELF"),
    ("a.txt", b"\x1b[2J"),
    ("a.txt", b"\xff\xff\xff"),
    ("a.csv", png()),
    ("a.csv", office("xlsx")),
    ("a.json", b"{"),
    ("a.json", b"[" * 100_000),
    ("a.json", b"\xff"),
    ("../a.txt", b"a"),
    ("/a.txt", b"a"),
    ("a\\b.txt", b"a"),
    ("nul.txt", b"a"),
    ("a\u202etxt.pdf", PDF),
    ("a:b.txt", b"a"),
    ("a.txt ", b"a"),
]


@pytest.mark.parametrize(("name", "data"), HOSTILE, ids=[f"{n}-{one[0]!a}" for n, one in enumerate(HOSTILE)])
def test_what_pretends_or_carries_more_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(Refused, match="transfer-content"):
        check(name, data)


@settings(max_examples=60, deadline=None)
@given(name=st.sampled_from(sorted(GOOD)), place=st.integers(0, 10_000), data=st.data())
def test_damage_is_refused_or_of_the_same_kind_and_nothing_else_is_raised(
    name: str, place: int, data: Any
) -> None:
    good = bytearray(GOOD[name] or b"x")
    good[place % len(good)] = data.draw(st.integers(0, 255))
    with suppress(Refused):
        assert check(name, bytes(good)) in KINDS
