"""Self-assessment over real stores: verdicts of checks become results, scores, those of units."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from compliance.checklist import load_checklist
from compliance.enforcement_tables import object_results
from compliance.grading_store import GradingStore
from compliance.registry import GradedSystem, Unit
from compliance.registry_store import RegistryStore
from compliance.self_assessment import SelfAssessment
from detection.store.state import Engine, open_state, writing
from detection.store.tables import micros
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SYSTEM = GradedSystem(id="portal", unit="320100-zwb", name="门户", level=3, grade="S3A3G3")
CHECKS = load_checklist(ROOT / "checklist")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    registry = RegistryStore(engine)
    registry.plant([Unit(code="320100", name="南京市", kind="city")], NOW)
    registry.register(SYSTEM, unit_name="政务办", now=NOW)
    registry.add_asset("web-01", system="portal", kind="host", now=NOW)
    yield engine
    engine.dispose()


def say(engine: Engine, check: str, verdict: str, name: str = "") -> None:
    row = {
        "system": "portal",
        "object": name,
        "check": check,
        "verdict": verdict,
        "reason_zh": "如此",
        "reason_en": "so",
        "evaluated": micros(NOW),
        "stale_at": micros(NOW + timedelta(days=1)),
        "leaf": 3,
    }
    with writing(engine) as connection:
        connection.execute(insert(object_results).values(row))


def test_what_checks_say_comes_to_items_systems_and_units(engine: Engine) -> None:
    assessment = SelfAssessment(engine, CHECKS, ROOT / "grading")
    nothing = assessment.assess(SYSTEM, NOW)
    assert (len(nothing.items), nothing.score.counts["未知"], nothing.score.conclusion) == (211, 211, "未定")
    say(engine, "PLT-01", "符合", "web-01")
    say(engine, "PHY-01", "不符合")
    found = assessment.assess(SYSTEM, NOW)
    results = {(one.item, one.object): one for one in found.results}
    assert results["L3-8.1.4.1.a", "host:web-01"].verdict == "符合"
    door = results["L3-8.1.1.2", "room:机房"]
    assert (door.verdict, door.by, door.leaves, door.risk) == ("不符合", ("PHY-01",), (3,), "major")
    assert len(found.score.major_risks) == 1
    assert assessment.keep_scores(NOW) == 1
    kept = GradingStore(engine).newest("portal")
    assert kept == found.score
    units = RegistryStore(engine).tree().subtree("320100")
    city = assessment.unit("320100", units)
    assert (city.systems, city.major_risks, city.counts) == (1, 1, found.score.counts)
    assert assessment.unit("320100", units, NOW).systems == 0  # before the first score there is none
    # A day later the evidence is stale, and the risk is still in the count.
    late = assessment.assess(SYSTEM, NOW + timedelta(days=2)).score
    assert (late.counts["未知"], late.high_risks, len(late.major_risks)) == (211, 0, 1)


def test_a_large_system_is_assessed_within_a_second(engine: Engine) -> None:
    registry = RegistryStore(engine)
    for number in range(100):
        registry.add_asset(f"host-{number:03}", system="portal", kind="host", now=NOW)
    assessment = SelfAssessment(engine, CHECKS, ROOT / "grading")
    for check in CHECKS:
        say(engine, check.id, "符合")
    found = assessment.assess(SYSTEM, NOW)
    assert len(found.results) > 2_000
    assert found.score.conclusion in ("符合", "未定")
