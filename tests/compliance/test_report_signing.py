"""A step of a report under the person's own key: only these bytes, this report, this person, in time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.attestation_store import AttestationStore, PersonKey
from compliance.person_keys import fingerprint
from compliance.report_signing import OwnSignature
from crypto.keys import PublicKey, SigningKey
from crypto.words import Refused

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
OFFICER = "user:officer"

pytestmark = pytest.mark.usefixtures("plain_reports")


class Signer:
    """A person with a key of their own, and a draft report before them."""

    def __init__(self, world: Any) -> None:
        self.desk, self.ledger = world.desk, world.ledger
        self.key = SigningKey.generate()
        self.name = fingerprint(self.key.public)
        self.store = AttestationStore(world.engine)
        self.store.add_key(
            PersonKey(
                fingerprint=self.name,
                person=OFFICER,
                public_pem=self.key.public.pem().decode(),
                added=NOW,
                added_by="user:admin",
                revoked=None,
            )
        )
        self.report = world.desk.make_report("2026-11", OFFICER, NOW)

    def draft(self, step: str = "prepare") -> bytes:
        drafted: bytes = self.desk.report_draft(self.report.id, step, self.report.content_sm3, OFFICER, NOW)
        return drafted

    def signed(self, data: bytes) -> OwnSignature:
        return OwnSignature(statement=data.decode(), key=self.name, value=self.key.sign(data).hex().upper())

    def take(self, own: OwnSignature, *, actor: str = OFFICER, now: datetime = NOW) -> Any:
        content = self.report.content_sm3
        return self.desk.sign_report(
            self.report.id, "prepare", content=content, actor=actor, name="张三", now=now, own=own
        )


@pytest.fixture(name="signer")
def _signer(world: Any) -> Signer:
    return Signer(world)


def test_the_signature_stands_in_the_record_and_holds_without_us(signer: Signer) -> None:
    (taken,) = signer.take(signer.signed(signer.draft())).signatures
    assert (taken.step, taken.key) == ("prepare", signer.name)
    payload = msgspec.json.decode(signer.ledger.payload_of(signer.ledger.record(taken.leaf)))
    own = payload["own"]
    public = PublicKey.from_pem(signer.key.public.pem())
    public.verify(own["statement"].encode(), bytes.fromhex(own["value"]))
    assert msgspec.json.decode(own["statement"])["content"] == signer.report.content_sm3


def test_without_a_key_the_session_signs_as_before(signer: Signer) -> None:
    done = signer.desk.sign_report(
        signer.report.id,
        "prepare",
        content=signer.report.content_sm3,
        actor=OFFICER,
        name="张三",
        now=NOW,
    )
    assert done.signatures[0].key == ""


def test_nothing_else_is_taken_for_it(signer: Signer) -> None:
    data = signer.draft()
    good = signer.signed(data)
    for wrong in (
        msgspec.structs.replace(good, value=signer.key.sign(b"other").hex()),
        msgspec.structs.replace(good, value="zz"),
        signer.signed(data.replace(b"prepare", b"approve")),
        signer.signed(data.replace(b"user:officer", b"user:another")),
        signer.signed(data.replace(b'"step"', b' "step"')),
        signer.signed(data.replace(signer.report.content_sm3.encode(), b"0" * 64)),
        signer.signed(b"{}"),
        signer.signed(b"x" * 9_000),
    ):
        with pytest.raises(Refused, match="attestation-signature"):
            signer.take(wrong)
    with pytest.raises(Refused, match="attestation-signature"):
        signer.take(good, now=NOW + timedelta(minutes=31))
    with pytest.raises(Refused, match="attestation-signature"):
        signer.take(good, actor="user:another")
    with pytest.raises(Refused, match="person-key-not-found"):
        signer.take(msgspec.structs.replace(good, key="0" * 64))
    signer.store.revoke_key(signer.name, "user:admin", NOW)
    with pytest.raises(Refused, match="attestation-signature"):
        signer.take(good)
    assert signer.desk.report_detail(signer.report.id).signatures == ()


def test_a_draft_is_of_what_is_there_now(signer: Signer) -> None:
    with pytest.raises(Refused, match="report-state"):
        signer.draft("review")
    signer.desk.edit_report(signer.report.id, {"plan": "改"}, OFFICER, NOW)
    with pytest.raises(Refused, match="report-changed"):
        signer.draft()
