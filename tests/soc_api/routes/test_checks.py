"""Tests of the check routes."""

from typing import Any

from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore


def test_checks_show_evaluate_and_explain(world: Any) -> None:
    client = world.signed_in("compliance_officer")
    page = client("GET", "/checks").json()
    assert page["checks"][0]["verdict"] == "符合"
    assert page["layers"] == [{"layer": "platform", "counts": {"符合": 1}}]
    assert client("POST", "/checks/evaluate").json() == page
    assert world.compliance.evaluated == 1
    detail = client("GET", "/checks/PLT-01").json()
    assert detail["evidence"][0]["values"] == {"max_days": 90}
    assert client("GET", "/checks/PLT-99").status_code == 404
    assert [line[1:] for line in world.audited()[-4:]] == [
        ("checks.evaluate", "checklist", "accepted"),
        ("evidence.read", "check:PLT-01", "accepted"),
        ("evidence.read", "check:PLT-99", "accepted"),
        ("evidence.read", "check:PLT-99", "failed: check-not-found"),
    ]


def test_checks_of_a_system_one_names_within_ones_part_of_the_tree(world: Any) -> None:
    registry = RegistryStore(world.engine)
    for number, unit in (("a", "320000-local"), ("b", "320100")):
        system = GradedSystem(id=number, unit=unit, name="平台", level=3, grade="S3A3G3")
        registry.register(system, unit_name="某单位", now=world.now)
    officer = world.signed_in("compliance_officer")
    assert officer("GET", "/checks?system=b").json()["system"] == "b"
    assert officer("GET", "/checks/PLT-01?system=b").status_code == 200
    assert officer("POST", "/checks/evaluate?system=b").json()["system"] == "b"
    assert officer("GET", "/checks?system=c").status_code == 404
    below = world.signed_in("compliance_officer", "below", unit="320100")
    assert below("GET", "/checks").json()["system"] == "b"
    assert below("GET", "/checks?system=a").status_code == 403
    assert below("GET", "/checks/PLT-01?system=a").status_code == 403
