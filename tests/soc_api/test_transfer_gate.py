"""The gate as transfers ask it: shipped rules, refusals that name their checks, a record of each answer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.check_store import CheckStore, Kept
from compliance.checklist import load_checklist
from compliance.evaluation import Evaluation, Verdict
from compliance.gate_store import GateStore
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from crypto.words import BadInput, Refused, Words
from detection.store.state import Engine, open_state
from rules import ROOT
from soc_api.transfer_channels import load_channels
from soc_api.transfer_gate import ask, check_gate, load_policy

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = load_checklist(ROOT / "checklist")


def state(folder: Path, **verdicts: Verdict) -> Engine:
    """A state in which checks have these verdicts."""
    engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
    system = GradedSystem(id="local", unit="320000", name="本机", level=3, grade="S3A3G3")
    RegistryStore(engine).register(system, unit_name="江苏省", now=NOW)
    CheckStore(engine).keep(
        Kept(
            evaluation=Evaluation(
                check=name.replace("_", "-"),
                system="local",
                verdict=verdict,
                reason=Words("", ""),
                evaluated=NOW,
                stale_at=NOW + timedelta(1),
                findings=(),
            ),
            leaf=number,
        )
        for number, (name, verdict) in enumerate(verdicts.items())
    )
    return engine


def test_the_shipped_rules_stop_on_what_failed_and_on_nothing_unknown(tmp_path: Path) -> None:
    engine = state(tmp_path, NET_08="不符合", DAT_04="不符合", NET_09="未知", PLT_07="不符合")
    gate = check_gate(engine, CHECKS)
    decision = gate.ask("import", "local", "一般", NOW)
    assert decision.failed_checks == ("DAT-04", "NET-08")
    with pytest.raises(Refused, match="transfer-gate") as caught:
        ask(gate, "export", "local", "一般", NOW, about="transfer:t1", decider="user:li")
    assert caught.value.field == "DAT-04,NET-08"
    newest = GateStore(engine).decisions()[0].decision
    assert (newest.decider, newest.about, newest.allowed) == ("user:li", "transfer:t1 一般", False)
    assert newest.evidence == (0, 1, 2, 3)
    engine.dispose()


def test_nothing_known_lets_pass_and_is_recorded(tmp_path: Path) -> None:
    engine = state(tmp_path)
    assert check_gate(engine, CHECKS).ask("export", "local", "一般", NOW).allowed
    assert [one.decision.allowed for one in GateStore(engine).decisions()] == [True]
    engine.dispose()


def test_wrong_rules_are_refused(tmp_path: Path) -> None:
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
