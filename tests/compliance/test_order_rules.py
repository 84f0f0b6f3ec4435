"""The rules of orders: the shipped ones fit the checklist, wrong ones are refused."""

from datetime import timedelta
from pathlib import Path

import pytest

from compliance.checklist import LAYERS, load_checklist
from compliance.order_owner import OTHERS
from compliance.order_rules import load_order_rules
from crypto.words import BadInput
from rules import ROOT


def test_shipped_rules_name_checks_facts_and_layers_that_are_there() -> None:
    rules = load_order_rules(ROOT / "gates" / "orders.yaml")
    checks = {one.id: one for one in load_checklist(ROOT / "checklist")}
    for awaited in rules.settle:
        assert timedelta(0) < awaited.time <= timedelta(days=3)
        for name in awaited.checks:
            assert awaited.fact in {test.fact for test in checks[name].tests}, name
    assert OTHERS in rules.duties
    assert set(rules.duties) <= {*LAYERS, OTHERS}


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "format: 2",
        "format: 1\nreminders: [0]\nescalations: []\nunknown_of_critical: true",
        "format: 1\nreminders: []\nescalations: []\nunknown_of_critical: true\nsettle: [{checks: [A]}]",
        "format: 1\nreminders: []\nescalations: []\nunknown_of_critical: true\nduties: {others: [boss]}",
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "orders.yaml").write_text(text)
    with pytest.raises(BadInput, match="gates-malformed"):
        load_order_rules(tmp_path / "orders.yaml")
