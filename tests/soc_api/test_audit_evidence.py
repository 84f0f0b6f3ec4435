"""Tests of soc_api.audit_evidence: leaves come out of evidence that holds, under the key that was given."""

from typing import Any

from soc_api.api_process import audit_feed
from soc_api.audit_evidence import ledger_leaves


def test_a_ledger_of_another_key_is_named(world: Any) -> None:
    world.signed_in("analyst")
    world.ledger.append([leaf for _, leaf in audit_feed(world.audit)(0)], world.now)
    world.ledger.checkpoint(world.now)
    folder = world.folder / "evidence"
    findings, leaves = ledger_leaves(folder, None, None)
    assert (findings, [number for number, _ in leaves]) == (
        [],
        [line.sequence for line in world.audit.since(0)],
    )
    (finding,), _ = ledger_leaves(folder, None, "0" * 64)
    assert "not the one given" in finding.en
