"""The recipe of docs/reference/formats/cms.md, run as it stands there with the openssl command alone."""

import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto import cms, sm2_forms
from crypto.keys import DecryptionKey, SigningKey
from crypto.x509_issue import Subject, issue, issue_root, new_serial

PAGE = Path(__file__).parents[2] / "docs/reference/formats/cms.md"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = "季度安全报告\n".encode() * 1000


def _openssl_offers_sm() -> bool:
    if not shutil.which("openssl"):
        return False
    done = subprocess.run(
        ["openssl", "list", "-cipher-algorithms"], capture_output=True, text=True, check=False
    )
    return "SM4-CBC" in done.stdout.upper()


pytestmark = pytest.mark.skipif(not _openssl_offers_sm(), reason="no openssl command with SM4-CBC here")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """The two scripts of the page."""
    for name, text in re.findall(r"```sh\n# (\w+\.sh)\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        (tmp_path / name).write_text(text, "utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"open.sh", "verify.sh"}
    return tmp_path


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", *arguments], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("profile", [cms.STANDARD, cms.GMSSL])
def test_openssl_alone_opens_and_verifies_ours(folder: Path, profile: cms.Profile) -> None:
    root_key, key = SigningKey.generate(), SigningKey.generate()
    receivers = [DecryptionKey.generate() for _ in range(2)]
    root = issue_root(root_key, Subject(common_name="省根"), serial=new_serial(), now=NOW, days=3000)
    issuer = issue(
        "issuer",
        Subject(common_name="市"),
        key.public.spki(),
        issuer=root,
        key=root_key,
        serial=new_serial(),
        now=NOW,
        days=1000,
    )
    certificates = [
        issue(
            "center-encrypt",
            Subject(common_name=name, id=name, zone="z1"),
            receiver.public.spki(),
            issuer=issuer,
            key=key,
            serial=new_serial(),
            now=NOW,
            days=300,
        ).der
        for name, receiver in zip(("c1", "c2"), receivers, strict=True)
    ]
    signer = cms.CmsSigner(key, issuer.der, (root.der,))
    (folder / "message").write_bytes(cms.seal(TEXT, [signer], certificates, profile=profile))
    first = cms.decrypt(
        (folder / "message").read_bytes(), key=receivers[0], certificate=certificates[0]
    ).content
    results = []
    for number in ("1", "2"):  # the page's number is the place in the message, which DER sorts
        for receiver in receivers:
            (folder / "key.pem").write_bytes(receiver.private_pem(None))
            opened = _run(folder, "open.sh", "message", "key.pem", number, "inner")
            if opened.returncode == 0 and (folder / "inner").read_bytes() == first:
                results.append(number)
    assert results == ["1", "2"]
    (folder / "inner").write_bytes(first)
    verified = _run(folder, "verify.sh", "inner", "text")
    assert verified.stdout.strip() == "Verified OK", verified.stderr
    assert (folder / "text").read_bytes() == TEXT
    damaged = first.replace(b"\xe5\xad\xa3", b"\xe5\xad\xa4", 1)
    (folder / "inner").write_bytes(damaged)
    assert _run(folder, "verify.sh", "inner", "text").returncode != 0


def test_openssl_verifies_a_raw_signature_beside_its_file(folder: Path) -> None:
    key = SigningKey.generate()
    (folder / "report").write_bytes(TEXT)
    (folder / "report.sig").write_bytes(sm2_forms.signature_to_der(key.sign(TEXT)))
    (folder / "key.pem").write_bytes(key.public.pem())
    command = "openssl dgst -sm3 -verify key.pem -sigopt distid:1234567812345678 -signature report.sig report"
    done = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "Verified OK"
