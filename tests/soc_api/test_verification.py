"""Tests of soc_api.verification through its route: what was changed is found."""

from typing import Any

from sqlalchemy import text

from detection.store.state import writing


def test_verification_finds_a_changed_payload_and_a_changed_audit_line(world: Any) -> None:
    world.record_evidence(2)
    client = world.signed_in("audit_admin")
    path = world.folder / "evidence" / "payloads.log"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"payload 1", b"payload 2"))
    with writing(world.engine) as connection:
        connection.execute(text("DROP TRIGGER audit_log_no_update"))
        connection.execute(text("UPDATE audit_log SET actor = 'user:nobody' WHERE sequence = 1"))
    outcome = client("POST", "/evidence/verify").json()
    assert outcome["ok"] is False
    assert world.compliance.sound is False
    assert any("line 1 of the audit log" in finding["en"] for finding in outcome["findings"])
    assert len(outcome["findings"]) >= 2
