"""The desk where people hand in: files once, drafts that run out, statements only where they count."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.attestation import Statement, read_statement, statement_bytes
from compliance.attestation_desk import ATTACHMENT_BYTES_MAX, AttestationDesk
from compliance.attestation_store import AttestationStore
from compliance.checklist import load_checklist
from compliance.enforcement import open_enforcement
from compliance.result_store import ResultStore
from crypto.keys import SigningKey
from crypto.sm2_forms import signature_to_der
from crypto.words import BadInput, Refused
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")


@pytest.fixture(name="desk")
def _desk(world: Any, signing_key: SigningKey) -> AttestationDesk:
    return open_enforcement(world.engine, world.ledger, signing_key, CHECKS, ROOT).statements


def statement(**changed: Any) -> Statement:
    plain: dict[str, Any] = {
        "system": "local",
        "object": "",
        "check": "PLT-14",
        "verdict": "符合",
        "reason": "",
        "answers": {"adopted": "未采用", "explanation": "无 TPM"},
        "attachments": (),
        "author": "user:li",
        "made": NOW,
        "expires": NOW + timedelta(days=30),
    }
    return Statement(**(plain | changed))


def test_a_file_is_kept_once_under_its_digest(world: Any, desk: AttestationDesk) -> None:
    first = desk.attach("a.pdf", b"bytes", "user:li", NOW)
    assert desk.attach("b.pdf", b"bytes", "user:wang", NOW) == first
    assert desk.file(first.sm3) == (first, b"bytes")
    assert world.subjects("attestation") == [f"attachment:{first.sm3}"]
    for name, data in (
        ("a", b""),
        ("", b"x"),
        ("../a", b"x"),
        ("a\n", b"x"),
        ("a", bytes(ATTACHMENT_BYTES_MAX + 1)),
    ):
        with pytest.raises(BadInput, match="attachment-malformed"):
            desk.attach(name, data, "user:li", NOW)
    with pytest.raises(Refused, match="attachment-not-found"):
        desk.file("0" * 64)


def test_a_low_check_needs_no_second_person_but_not_applicable_does(desk: AttestationDesk) -> None:
    assert desk.submit(statement(), NOW).state == "accepted"
    made = desk.submit(statement(verdict="不适用", reason="无此设备"), NOW)
    assert made.state == "submitted"
    with pytest.raises(Refused, match="attestation-review"):
        desk.review(made.id, accept=True, note="", actor="user:li", now=NOW)
    assert desk.withdraw(made.id, note="有误", actor="user:li", now=NOW).state == "rejected"


def test_a_draft_runs_out_and_belongs_to_its_author(world: Any, desk: AttestationDesk) -> None:
    key = SigningKey.generate()
    kept = desk.add_key("user:li", key.public.pem().decode(), "user:admin", NOW)
    data = desk.draft(statement(), NOW)
    assert statement_bytes(read_statement(data)) == data
    sign = key.sign(data).hex()
    late = NOW + timedelta(minutes=31)
    for author, now, allowed in (("user:wang", NOW, True), ("user:li", late, True), ("user:li", NOW, False)):
        with pytest.raises(Refused, match="attestation-signature"):
            desk.submit_signed(data, kept.fingerprint, sign, author, now, allowed=lambda _, yes=allowed: yes)
    made = desk.submit_signed(data, kept.fingerprint, sign, "user:li", NOW)
    assert made.signed.signature.key == kept.fingerprint
    der = signature_to_der(bytes.fromhex(sign)).hex().upper()  # as other people's tools write it
    again = desk.submit_signed(data, kept.fingerprint, der, "user:li", NOW)
    assert again.signed.signature.value == made.signed.signature.value == sign
    assert [one.person for one in AttestationStore(world.engine).person_keys()] == ["user:li"]
    with pytest.raises(Refused, match="person-key-not-found"):
        desk.submit_signed(data, "0" * 64, sign, "user:li", NOW)
    assert ResultStore(world.engine).of_system("local") == []


@pytest.mark.parametrize("data", [b"", b"{}", b'{"schema": 1}', b"[" * 10_000, b"x" * 70_000])
def test_no_statement(data: bytes) -> None:
    with pytest.raises(BadInput, match="attestation-malformed"):
        read_statement(data)
