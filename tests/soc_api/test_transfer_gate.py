"""The gate: which verdicts stop a transfer, by the shipped rules and by stricter ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.check_store import Kept
from compliance.checklist import load_checklist
from compliance.evaluation import Evaluation
from crypto.words import BadInput, Refused, Words
from rules import ROOT
from soc_api.transfer_channels import load_channels
from soc_api.transfer_gate import CheckGate, GateRules, ask, load_gate_rules, load_policy

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")
SHIPPED = load_gate_rules(ROOT / "transfer")


def gate(rules: GateRules = SHIPPED, *, stale: bool = False, **verdicts: Any) -> CheckGate:
    kept = {
        name.replace("_", "-"): Kept(
            evaluation=Evaluation(
                check=name.replace("_", "-"),
                system="local",
                verdict=verdict,
                reason=Words("", ""),
                evaluated=NOW,
                stale_at=NOW - timedelta(1) if stale else NOW + timedelta(1),
                findings=(),
            ),
            leaf=0,
        )
        for name, verdict in verdicts.items()
    }
    return CheckGate(lambda system: kept, CHECKS, rules)


def test_the_shipped_rules_stop_on_two_failed_checks_and_on_nothing_unknown() -> None:
    assert gate().ask("export", "local", "一般", NOW).allowed
    assert gate(NET_08="未知", NET_09="不符合").ask("export", "local", "一般", NOW).allowed
    decision = gate(NET_08="不符合", DAT_04="不符合").ask("import", "local", "一般", NOW)
    assert decision.failed_checks == ("DAT-04", "NET-08")
    with pytest.raises(Refused, match="transfer-gate") as caught:
        ask(gate(NET_08="不符合"), "export", "local", "一般", NOW)
    assert caught.value.field == "NET-08"


def test_fail_closed_where_the_rules_say_so() -> None:
    strict = GateRules(format=1, every_enforced=True, failed=(), unknown=("NET-09",))
    assert gate(strict).ask("export", "local", "一般", NOW).failed_checks == ("NET-09",)
    assert gate(strict, NET_09="符合").ask("export", "local", "一般", NOW).allowed
    assert not gate(strict, stale=True, NET_09="符合").ask("export", "local", "一般", NOW).allowed
    assert gate(strict, NET_09="符合", DAT_02="不符合").ask("export", "local", "一般", NOW).failed_checks == (
        "DAT-02",
    )


def test_wrong_rules_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="unknown check"):
        gate(GateRules(format=1, every_enforced=False, failed=("X-1",), unknown=()))
    rules = "every_enforced: false\nfailed: []\nunknown: []\n"
    flaws = ("format: 2\n", "format: 1\nformat: 1\n", "---\nformat: 1\n---\n")
    for text in ("", "[", "[" * 5_000, *(flaw + rules for flaw in flaws)):
        (tmp_path / "gate.yaml").write_text(text)
        with pytest.raises(BadInput, match="transfer-rules"):
            load_gate_rules(tmp_path)
    with pytest.raises(BadInput, match="transfer-rules"):
        load_policy(tmp_path)


def test_channels_are_read_strictly(tmp_path: Path) -> None:
    assert load_channels(tmp_path).all == ()
    for text in ("", "format = 2", "format = 1\n[[channel]]\nid = 'a'", "[", "\xff"):
        (tmp_path / "channels.toml").write_text(text, "latin-1")
        with pytest.raises(BadInput, match="transfer-channels"):
            load_channels(tmp_path)
    (tmp_path / "channels.toml").write_text("format = 1\n")
    with pytest.raises(BadInput, match="transfer-channel-unknown"):
        load_channels(tmp_path).find("out", "a")
