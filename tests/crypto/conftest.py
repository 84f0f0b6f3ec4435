"""What the tests of packages share: three parties, a manifest that holds, and a quarantine in memory."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

import pytest

from crypto import package
from crypto.keys import DecryptionKey, SigningKey
from crypto.package import APPROVER, AUTHOR, FileEntry, Manifest, PinnedKeys, Source

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class _Kept(io.BytesIO):
    """A file whose content outlives its closing."""

    kept = b""

    def close(self) -> None:
        if not self.closed:
            self.kept = self.getvalue()
        super().close()


class MemoryQuarantine:
    """Counts what happens to it; ``seen`` is what a reader outside could see."""

    def __init__(self) -> None:
        self.files: dict[str, _Kept] = {}
        self.calls: list[str] = []

    def create(self, entry: FileEntry) -> BinaryIO:
        assert entry.name not in self.files
        self.files[entry.name] = _Kept()
        return self.files[entry.name]

    def release(self) -> None:
        assert all(file.closed for file in self.files.values())
        self.calls.append("release")

    def discard(self) -> None:
        self.calls.append("discard")

    @property
    def seen(self) -> dict[str, bytes]:
        return {name: file.kept for name, file in self.files.items()} if self.calls == ["release"] else {}


class Road:
    """From one center to another: who signs, who receives, and what is trusted there."""

    now = NOW

    def __init__(self) -> None:
        self.author, self.approver = SigningKey.generate(), SigningKey.generate()
        self.receiver, self.stranger = DecryptionKey.generate(), DecryptionKey.generate()
        self.trust = PinnedKeys({AUTHOR: [self.author.public], APPROVER: [self.approver.public]})

    def sources(self, contents: Mapping[str, bytes]) -> list[Source]:
        return [Source(name, lambda data=data: io.BytesIO(data)) for name, data in contents.items()]

    def manifest(self, files: tuple[FileEntry, ...] = (), **changes: Any) -> Manifest:
        members: dict[str, Any] = {
            "package": "00112233445566778899aabbccddeeff",
            "kind": "content",
            "channel": "省中心-市中心",
            "epoch": 1,
            "sequence": 1,
            "previous": "",
            "application": "申请-2026-0001",
            "purpose": "月度报告",
            "sender": "省中心",
            "receiver": "市中心",
            "label": "一般",
            "marks": ("内部",),
            "from_zone": "政务外网",
            "to_zone": "互联网区",
            "issued": NOW,
            "expires": NOW + timedelta(days=7),
            "roles": (AUTHOR, APPROVER),
            "recipients": (self.receiver.public.key_id,),
            "files": files,
        }
        return Manifest(**{**members, **changes})

    def sign(self, manifest: Manifest) -> list[package.Signature]:
        keys = {AUTHOR: self.author, APPROVER: self.approver}
        return [package.sign(manifest, role, keys[role]) for role in manifest.roles]

    def seal(self, contents: Mapping[str, bytes], **changes: Any) -> bytes:
        sources = self.sources(contents)
        manifest = self.manifest(package.describe(sources), **changes)
        sink = io.BytesIO()
        package.seal(
            sources,
            sink,
            manifest=manifest,
            signatures=self.sign(manifest),
            recipients=[self.receiver.public],
        )
        return sink.getvalue()

    def open(
        self, data: bytes, quarantine: MemoryQuarantine | None = None, **changes: Any
    ) -> dict[str, bytes]:
        quarantine = quarantine or MemoryQuarantine()
        given: dict[str, Any] = {"recipient": self.receiver, "trust": self.trust, "now": NOW, **changes}
        package.open_(io.BytesIO(data), quarantine=quarantine, **given)
        return quarantine.seen


@pytest.fixture(scope="session")
def road() -> Road:
    """One road for all tests: its keys never change."""
    return Road()


@pytest.fixture
def quarantine() -> MemoryQuarantine:
    """A fresh one."""
    return MemoryQuarantine()
