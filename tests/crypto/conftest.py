"""What tests share: a road between two centers for packages, a house of authorities for certificates."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, NamedTuple

import pytest
from asn1crypto import core

from crypto import cms, package, x509_forms, x509_issue
from crypto.chain import TrustStore
from crypto.crl import Crl, Revoked, make_crl
from crypto.keys import DecryptionKey, SigningKey
from crypto.package import APPROVER, AUTHOR, FileEntry, Manifest, PinnedKeys, Source
from crypto.profile import PROFILES, Kind
from crypto.sm2 import DEFAULT_ID, signature_to_der
from crypto.x509 import SM2_WITH_SM3_DER, Certificate, read_certificate
from crypto.x509_issue import Subject, issue, issue_root, new_serial

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


class House:
    """A province, a city, and whatever certificates somebody honest or dishonest makes below them."""

    now = NOW

    def __init__(self) -> None:
        self.root_key, self.issuer_key = SigningKey.generate(), SigningKey.generate()
        self.key, self.other = SigningKey.generate(), SigningKey.generate()
        self.wrap = DecryptionKey.generate()
        self.root = x509_issue.issue_root(
            self.root_key, Subject(common_name="省根", organization="某省"), serial=7, now=NOW, days=7_000
        )
        self.issuer = self.issue("issuer", self.issuer_key, below="root", zone="city")
        self.leaf = self.issue("center-sign", self.key)

    def issue(
        self, kind: Kind, key: SigningKey | DecryptionKey, *, below: str = "issuer", zone: str = "city"
    ) -> Certificate:
        """A certificate by the profile."""
        return x509_issue.issue(
            kind,
            Subject(common_name=f"{kind} 一号", id="one", zone=zone),
            key.public.spki(),
            issuer=self.root if below == "root" else self.issuer,
            key=self.root_key if below == "root" else self.issuer_key,
            serial=x509_issue.new_serial(),
            now=NOW,
            days=min(300, PROFILES[kind].days_max),
        )

    def crls(self, *, root: tuple[Revoked, ...] = (), issuer: tuple[Revoked, ...] = ()) -> tuple[Crl, Crl]:
        """A list of each authority."""
        return (
            make_crl(self.root, self.root_key, root, number=1, now=NOW),
            make_crl(self.issuer, self.issuer_key, issuer, number=1, now=NOW),
        )

    def store(self, **changes: Any) -> TrustStore:
        """The root trusted, the issuer known, fresh lists."""
        given: dict[str, Any] = {"intermediates": (self.issuer,), "crls": self.crls(), **changes}
        return TrustStore(given.pop("roots", (self.root,)), **given)

    def forge(
        self,
        like: Certificate,
        signer: SigningKey,
        *,
        extensions: Mapping[str, bytes | None] | None = None,
        more: tuple[tuple[str, bytes, bool], ...] = (),
        user_id: bytes = DEFAULT_ID,
        **changes: Any,
    ) -> Certificate:
        """A certificate like another with members changed, honestly signed by ``signer``."""
        kept = [
            x509_issue.extension(
                one.oid, (extensions or {}).get(one.oid, one.value) or b"", critical=one.critical
            )
            for one in like.extensions.every
            if (extensions or {}).get(one.oid, one.value) is not None
        ]
        kept += [x509_issue.extension(oid, value, critical=critical) for oid, value, critical in more]
        members: dict[str, Any] = {
            "version": 2,
            "serial": like.serial,
            "algorithm": core.Any.load(SM2_WITH_SM3_DER),
            "issuer": core.Any.load(like.issuer.der),
            "validity": {
                "not_before": x509_forms.write_time(changes.pop("begins", like.not_before)),
                "not_after": x509_forms.write_time(changes.pop("ends", like.not_after)),
            },
            "subject": core.Any.load(like.subject.der),
            "key": core.Any.load(changes.pop("spki", like.spki)),
            "extensions": x509_forms.Extensions(kept),
        }
        outside = changes.pop("outside", SM2_WITH_SM3_DER)
        if "issuer" in changes:
            changes["issuer"] = core.Any.load(changes["issuer"].der)
        if "subject" in changes:
            changes["subject"] = core.Any.load(changes["subject"].der)
        content = x509_forms.TbsCertificate({**members, **changes}).dump()
        signature = b"\0" + signature_to_der(signer.sign(content, user_id=user_id))
        bits = core.BitString.load(asn1_wrapped(3, signature))
        whole = {"content": core.Any.load(content), "algorithm": core.Any.load(outside), "signature": bits}
        return read_certificate(x509_forms.Signed(whole).dump())


def asn1_wrapped(tag: int, data: bytes) -> bytes:
    """One DER element by hand."""
    size = len(data)
    digits = bytes((size,)) if size < 0x80 else bytes((0x82,)) + size.to_bytes(2)
    digits = bytes((0x81, size)) if 0x80 <= size < 0x100 else digits
    return bytes((tag,)) + digits + data


@pytest.fixture(scope="session")
def house() -> House:
    """One house for all tests."""
    return House()


class Parties(NamedTuple):
    """Of messages: two who sign, two who receive, all below one province."""

    signers: list[cms.CmsSigner]
    keys: list[DecryptionKey]
    certificates: list[bytes]


@pytest.fixture(scope="session")
def parties() -> Parties:
    """Keys and certificates for all tests."""
    root_key, issuer_key = SigningKey.generate(), SigningKey.generate()
    root = issue_root(root_key, Subject(common_name="省根"), serial=new_serial(), now=NOW, days=3000)
    issuer = issue(
        "issuer",
        Subject(common_name="市"),
        issuer_key.public.spki(),
        issuer=root,
        key=root_key,
        serial=new_serial(),
        now=NOW,
        days=1000,
    )

    def leaf(kind: Any, key: SigningKey | DecryptionKey, name: str) -> bytes:
        subject = Subject(common_name=name, id=name, zone="z1")
        spki = key.public.spki()
        return issue(
            kind, subject, spki, issuer=issuer, key=issuer_key, serial=new_serial(), now=NOW, days=300
        ).der

    signing = [(f"p{place}", SigningKey.generate()) for place in range(2)]
    keys = [DecryptionKey.generate() for _ in range(2)]
    return Parties(
        [cms.CmsSigner(key, leaf("person", key, name), (issuer.der,)) for name, key in signing],
        keys,
        [leaf("center-encrypt", key, f"c{place}") for place, key in enumerate(keys)],
    )
