"""Manifests: one canonical spelling, every limit held, and nothing but Refused from any bytes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import package_format as form
from crypto.package_format import FileEntry, decode_manifest, encode_manifest, manifest_sm3, statement
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused

Road = Any
NOW = datetime(2026, 11, 22, tzinfo=UTC)
ENTRY = FileEntry(name="a", size=1, sm3="00" * 32)


def test_canonical_bytes_are_read_back(road: Road) -> None:
    manifest = road.manifest((ENTRY,), attributes={"a": "", "b": "回执"})
    encoded = encode_manifest(manifest)
    assert decode_manifest(encoded) == manifest
    assert manifest_sm3(manifest) == sm3_hex(encoded)
    assert encoded.startswith(b'{"format":1,"package":"0011')
    assert manifest.content_bytes == 1


def test_statement_names_format_role_and_digest() -> None:
    assert statement("author", b"abc").decode().splitlines() == [
        "liuhe-package-signature-v1",
        "author",
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"package": "00"},
        {"package": "A" * 32},
        {"sequence": 0},
        {"sequence": 2},
        {"sequence": 1 << 53, "previous": "00" * 32},
        {"epoch": 0},
        {"previous": "00" * 32},
        {"sequence": 2, "previous": "00"},
        {"kind": ""},
        {"channel": " a"},
        {"application": "a\nb"},
        {"sender": "a\u202eb"},
        {"receiver": "x" * 257},
        {"label": ""},
        {"from_zone": "\udc80"},
        {"to_zone": "\ue000"},
        {"purpose": "x" * 2001},
        {"marks": ("",)},
        {"marks": ("x",) * 17},
        {"attributes": {"b": "", "a": ""}},
        {"attributes": {"": "a"}},
        {"attributes": {str(place): "" for place in range(10, 43)}},
        {"issued": NOW.replace(tzinfo=None)},
        {"issued": NOW.replace(microsecond=1)},
        {"issued": NOW.astimezone(timezone(timedelta(hours=8)))},
        {"expires": NOW - timedelta(days=1)},
        {"expires": NOW + timedelta(days=4000)},
        {"recipients": ()},
        {"recipients": ("00" * 32, "00" * 32)},
        {"recipients": ("00",)},
        {"recipients": tuple(f"{place:064x}" for place in range(65))},
        {"roles": ()},
        {"roles": ("author", "author")},
        {"roles": ("Author",)},
        {"roles": ("author\n",)},
        {"files": (ENTRY, ENTRY)},
        {"files": (FileEntry(name="../a", size=1, sm3="00" * 32),)},
        {"files": (FileEntry(name="a", size=-1, sm3="00" * 32),)},
        {"files": (FileEntry(name="a", size=1 << 41, sm3="00" * 32),)},
        {"files": (FileEntry(name="a", size=1, sm3="zz" * 32),)},
        {"files": tuple(FileEntry(name=str(place), size=0, sm3="00" * 32) for place in range(10_001))},
    ],
    ids=lambda changes: ",".join(changes) if isinstance(changes, dict) else "",
)
def test_what_may_not_be_sealed_is_not_read_either(road: Road, changes: dict[str, Any]) -> None:
    manifest = road.manifest(**changes)
    with pytest.raises(BadInput) as caught:
        encode_manifest(manifest)
    assert caught.value.code == "manifest-invalid"
    try:
        encoded = msgspec.json.encode(manifest)
    except UnicodeEncodeError:
        return
    with pytest.raises(Refused):
        decode_manifest(encoded)


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text + b" ",
        lambda text: text.replace(b'":"', b'": "', 1),
        lambda text: text.replace(b'"format":1,', b'"format":1,"format":1,'),
        lambda text: text.replace(b'"format":1,', b""),
        lambda text: text.replace(b'{"format"', b'{"extra":1,"format"'),
        lambda text: text.replace(b'"epoch":1,', b'"epoch":1.0,'),
        lambda text: text.replace(b'"epoch":1,"sequence":1,', b'"sequence":1,"epoch":1,'),
        lambda text: text.replace("一般".encode(), b"\\u4e00\\u822c"),
        lambda text: text.replace(b"00Z", b"00+00:00", 1),
        lambda text: text.replace(b"00Z", b"00.000Z", 1),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: b"[" * 100_000,
        lambda text: b"",
        lambda text: b" " * (form.MANIFEST_BYTES_MAX + 1),
    ],
)
def test_any_other_spelling_is_refused(road: Road, edit: Any) -> None:
    encoded = encode_manifest(road.manifest((ENTRY,)))
    assert edit(encoded) != encoded
    with pytest.raises(Refused) as caught:
        decode_manifest(edit(encoded))
    assert caught.value.code == "package-malformed"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        decode_manifest(data)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_manifests_are_refused_or_have_another_digest(road: Road, data: st.DataObject) -> None:
    encoded = bytearray(encode_manifest(road.manifest((ENTRY,))))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] ^= data.draw(st.integers(1, 255))
    try:
        manifest = decode_manifest(bytes(encoded))
    except Refused:
        return
    assert encode_manifest(manifest) == bytes(encoded)
