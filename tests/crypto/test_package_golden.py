"""Format 1 never changes: the golden package opens, and given its keys every byte is what it was.

The second reader below follows docs/reference/formats/package.md with plain ciphers, sharing no code with
``crypto.package``: what it reads is what another implementation would.
"""

import io
import json
import struct
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from crypto import package, sm2, sm2_forms, sm4
from crypto.keys import DecryptionKey, SigningKey
from crypto.package import APPROVER, AUTHOR, PinnedKeys
from crypto.package_chunks import SealingKey
from crypto.sm2 import Sm2PrivateKey
from crypto.sm3 import sm3, sm3_hex

GOLDEN = json.loads((Path(__file__).parent / "golden/package.json").read_text("utf-8"))
PACKAGE = bytes.fromhex(GOLDEN["package"])
MIB = 1 << 20
Road = Any


def private(name: str) -> Sm2PrivateKey:
    return Sm2PrivateKey.from_scalar(bytes.fromhex(GOLDEN[f"{name}_scalar"]))


def test_golden_package_opens(road: Road, quarantine: Any) -> None:
    trust = PinnedKeys(
        {
            AUTHOR: [SigningKey(private("author")).public],
            APPROVER: [SigningKey(private("approver")).public],
        }
    )
    opened = package.open_(
        io.BytesIO(PACKAGE),
        recipient=DecryptionKey(private("receiver")),
        trust=trust,
        quarantine=quarantine,
        now=road.now,
    )
    assert {name: data.hex() for name, data in quarantine.seen.items()} == GOLDEN["files"]
    assert opened.header.manifest_sm3 == GOLDEN["manifest_sm3"]
    assert opened.header.header_sm3 == GOLDEN["header_sm3"]
    assert package.encode_manifest(opened.header.manifest).decode() == GOLDEN["manifest"]
    assert opened.header.content_key.hex() == GOLDEN["content_key"]


def test_an_independent_reader_finds_the_same() -> None:
    fixed = struct.unpack_from(">8sII16s8sIQH", PACKAGE)
    magic, clear_bytes, sealed_bytes, package_id, prefix, chunk_bytes, content_bytes, recipients = fixed
    assert (magic, chunk_bytes, recipients) == (b"LIUHEPK\1", MIB, 1)
    key_id, length = struct.unpack_from(">32sH", PACKAGE, 54)
    receiver = private("receiver")
    assert key_id == sm3(receiver.public.spki())
    content_key = sm2.decrypt(receiver, sm2_forms.from_der(PACKAGE[88 : 88 + length]))
    assert 88 + length == clear_bytes
    head = PACKAGE[: clear_bytes + sealed_bytes]
    inner = sm4.gcm_open(
        content_key,
        prefix + b"\xff" * 4,
        head[clear_bytes:],
        sm3(head[:clear_bytes]) + b"\xff" * 4 + b"\2",
    )
    manifest_bytes = int.from_bytes(inner[:4], "big")
    manifest, signatures = inner[4 : 4 + manifest_bytes], json.loads(inner[4 + manifest_bytes :])
    assert manifest.decode() == GOLDEN["manifest"]
    members = json.loads(manifest)
    assert (members["package"], members["recipients"]) == (package_id.hex(), [key_id.hex()])
    for signature, name in zip(signatures, ("author", "approver"), strict=True):
        text = f"liuhe-package-signature-v1\n{name}\n{sm3_hex(manifest)}\n"
        private(name).public.verify(text.encode(), b64decode(signature["value"]))
        assert signature["key_id"] == sm3_hex(private(name).public.spki())
    content = sm4.gcm_open(content_key, prefix + bytes(4), PACKAGE[len(head) :], sm3(head) + bytes(4) + b"\1")
    assert len(content) == content_bytes
    for entry in members["files"]:
        data, content = content[: entry["size"]], content[entry["size"] :]
        assert (sm3_hex(data), data.hex()) == (entry["sm3"], GOLDEN["files"][entry["name"]])


@pytest.mark.parametrize("index", range(3))
def test_chunks_are_what_they_were(index: int) -> None:
    key = SealingKey(
        bytes.fromhex(GOLDEN["content_key"]),
        bytes.fromhex(GOLDEN["prefix"]),
        bytes.fromhex(GOLDEN["header_sm3"]),
        3,
    )
    content = b"".join(number.to_bytes(4, "big") for number in range((2 * MIB + 8) // 4))
    sealed = key.seal(index, memoryview(content)[index * MIB : (index + 1) * MIB])
    assert sm3_hex(b"".join(sealed)) == GOLDEN["chunks"]["sm3"][index]
