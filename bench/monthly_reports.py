"""Monthly reports of many units: PDF, DOCX and XLSX of each, drafted one after the other, with progress.

``python -m bench.monthly_reports [--units N]`` prints one JSON object a line; progress goes to stderr. Each
unit has one graded system of level 3 with the whole checklist and the alerts of its host. Its folder is
temporary, in what TMPDIR names.
"""

import argparse
import json
import os
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time

from compliance.catalogue import load_catalogue
from compliance.checklist import load_checklist
from compliance.ledger import Ledger
from compliance.registry import GradedSystem, Unit
from compliance.registry_store import RegistryStore
from compliance.report_cases import cases_of
from compliance.report_desk import ReportDesk
from compliance.report_sources import DeskParts
from compliance.scoring import SystemScore
from compliance.self_assessment import SelfAssessment
from compliance.service import Compliance, Parts
from compliance.verdict_rule import rule_words
from crypto.keys import SigningKey
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import open_state
from rules import ROOT

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TOP = "320000-bench"
LIMIT_SECONDS = 60.0


def desk_in(folder: Path, ledger: Ledger, units: int) -> tuple[ReportDesk, Compliance]:
    """A center with ``units`` units below its own, one system each."""
    engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
    registry = RegistryStore(engine)
    registry.put_unit(Unit(code=TOP, name="省级单位"), NOW, "bench")
    for number in range(units):
        code = f"{TOP}.{number:03d}"
        registry.put_unit(Unit(code=code, name=f"单位{number}", parent=TOP), NOW, "bench")
        system = GradedSystem(id=f"s{number:03d}", unit=code, name=f"系统{number}", level=3, grade="S3A3G3")
        registry.register(system, unit_name=f"单位{number}", now=NOW)
    checks = load_checklist(ROOT / "checklist")
    alerts, inventory = AlertStore(engine), InventoryStore(engine)
    events = EventStore(folder, engine)
    compliance = Compliance(
        Parts(
            engine=engine,
            alerts=alerts,
            inventory=inventory,
            events=events,
            ledger=ledger,
            retention_days=190,
            rules_loaded=1,
        ),
        checks,
    )
    assessment = SelfAssessment(engine, checks, ROOT / "grading")
    rule = rule_words(assessment.rule).zh

    def scores(system: GradedSystem, now: datetime) -> tuple[SystemScore, str]:
        return assessment.assess(system, now).score, rule

    parts = DeskParts(
        engine=engine,
        alerts=alerts,
        inventory=inventory,
        events=events,
        ledger=ledger,
        folder=folder / "reports",
        center="bench",
        unit=TOP,
        checks=checks,
        rules=1,
        retention_days=190,
        scores=scores,
        cases=cases_of(load_catalogue(ROOT / "grading")),
    )
    return ReportDesk(parts), compliance


def main() -> None:
    """Draft them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=60)
    units = parser.parse_args().units
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = SigningKey.create(folder / "key.pem")
        with Ledger.open(folder / "evidence", center="bench", origin="bench/evidence/sm3", key=key) as ledger:
            desk, compliance = desk_in(folder, ledger, units)
            compliance.evaluate("bench", NOW)
            started, used = perf_counter(), process_time()
            for number in range(units):
                desk.make_report("2026-11", "bench", NOW + timedelta(minutes=1), unit=f"{TOP}.{number:03d}")
                print(f"{number + 1}/{units}", file=sys.stderr)
            took, used = perf_counter() - started, process_time() - used
            whole = perf_counter()
            desk.make_report("2026-11", "bench", NOW + timedelta(minutes=1))
            province = perf_counter() - whole
            written = sum(path.stat().st_size for path in (folder / "reports").iterdir())
    conditions = f"{units} units, 1 system each, 74 checks, PDF+DOCX+XLSX, {os.cpu_count()} cores"
    rows = (
        ("reports of all units", took),
        ("reports of all units, processor", used),
        ("report over all units", province),
    )
    for what, value in rows:
        result = {
            "name": what,
            "value": round(value, 2),
            "unit": "s",
            "versus": "limit",
            "versus_value": LIMIT_SECONDS,
            "ratio": round(value / LIMIT_SECONDS, 3),
            "conditions": f"{conditions}, {written} bytes",
        }
        print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()
