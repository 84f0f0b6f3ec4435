"""Alerts sorted into categories, numbers as they are printed."""

from compliance.report.categories import CATEGORIES, category_of
from compliance.report.numbers import percent, points, share, tally


def test_a_tactic_decides_then_the_detector() -> None:
    assert category_of(("attack.t1048", "attack.exfiltration", "attack.execution"), "sigma") == "数据安全"
    assert category_of(("attack.initial_access",), "sigma") == "网络攻击"
    assert category_of((), "anomaly") == "异常行为"
    assert category_of(("attack.t1059",), "sigma") == "其他"
    assert len(CATEGORIES) == 10


def test_numbers() -> None:
    assert (percent(None), percent(0.6666)) == ("—", "66.7 %")
    assert (share(None), share(0.12345)) == (None, 12.3)
    assert (points(0.5, 0.75), points(None, 1)) == ("-25.0", "—")
    assert tally({"a": 1}, ("a", "b"), "项", {"a": "甲"}) == "甲 1 项，b 0 项"
