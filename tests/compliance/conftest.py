"""The compliance side over real stores in a temporary folder."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from compliance import report_desk
from compliance.checklist import Check, LiveTest
from compliance.ledger import Ledger
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from compliance.report_desk import ReportDesk
from compliance.report_sources import DeskParts
from compliance.service import Compliance, Parts
from crypto.keys import SigningKey
from crypto.words import Words
from detection.alert import Alert, Claim, Match, claim
from detection.sigma.load import parse_condition
from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.inventory_store import InventoryStore
from detection.store.state import open_state
from sensors.event import Event, LogSource, Observation, Value, stamp

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
UNIT = "320000-local"
PASSWORDS = "accounts.password_policy"


def check(
    identifier: str,
    fact: str,
    satisfied: dict[str, Any],
    *,
    layer: str = "platform",
    freshness: timedelta = timedelta(hours=1),
) -> Check:
    """A check with one live test."""
    test = LiveTest(
        fact=fact,
        satisfied=parse_condition({"s": satisfied, "condition": "s"}),
        applies=None,
        text=str(satisfied),
    )
    return Check(
        id=identifier,
        title=Words(f"检查 {identifier}", f"check {identifier}"),
        layer=layer,  # type: ignore[arg-type]
        severity="high",
        method="probe",
        freshness=freshness,
        clauses=("8.1.4.1.a",),
        looks_at="口令策略",
        evidence_form="读取",
        enforce=(),
        occasion="",
        remedy=Words("改短", "shorten it"),
        tests=(test,),
    )


CHECKS = (
    check("PLT-01", PASSWORDS, {"gov.probe.value.max_days|lte": 90}),
    check("DAT-04", "ledger.state", {"ledger.ok": True}, layer="data"),
    check("PLT-12", "time.sync", {"gov.probe.value.running": True}),
)


class World:
    """Stores, ledger and the compliance side over them; ``again`` is a process started anew."""

    def __init__(self, folder: Path, key: SigningKey) -> None:
        self.folder = folder
        self.engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
        self.alerts = AlertStore(self.engine)
        self.inventory = InventoryStore(self.engine)
        self.events = EventStore(folder, self.engine)
        self.ledger = Ledger.open(
            folder / "evidence", center="local", origin="liuhe.local/local/evidence/sm3", key=key
        )
        self.registry = RegistryStore(self.engine)
        self.sequence = 0
        self.compliance = self.again()
        self.desk = self.desk_again()

    def register(self) -> None:
        system = GradedSystem(id="local", unit=UNIT, name="本机", level=3, grade="S3A3G3")
        self.registry.register(system, unit_name="江苏省某厅", now=NOW)
        self.registry.add_asset("web-01", system="local", kind="host", now=NOW)

    def again(self) -> Compliance:
        self.parts = Parts(
            engine=self.engine,
            alerts=self.alerts,
            inventory=self.inventory,
            events=self.events,
            ledger=self.ledger,
            retention_days=190,
            rules_loaded=40,
        )
        return Compliance(self.parts, CHECKS)

    def desk_again(self, **given: Any) -> ReportDesk:
        """The desk of reports, anew; what is sealed is the file's length."""
        values: dict[str, Any] = {
            "engine": self.engine,
            "alerts": self.alerts,
            "inventory": self.inventory,
            "events": self.events,
            "ledger": self.ledger,
            "folder": self.folder / "reports",
            "center": "本机安全监管中心",
            "unit": UNIT,
            "checks": CHECKS,
            "rules": 40,
            "retention_days": 190,
            "seal": lambda data, now: b"p7s of %d" % len(data),
        }
        return ReportDesk(DeskParts(**(values | given)))

    def close(self) -> None:
        self.events.close()
        self.ledger.close()
        self.engine.dispose()

    def event(self, fields: dict[str, Value], time: datetime, sensor: str = "host-1") -> Event:
        self.sequence += 1
        seen = Observation(time=time, logsource=LogSource(product="linux"), fields=fields)
        stamped = stamp(seen, unit=UNIT, sensor=sensor, epoch=1, sequence=self.sequence)
        return msgspec.structs.replace(stamped, ingested=time)

    def probe(self, max_days: int, *, time: datetime = NOW, host: str = "web-01", error: str = "") -> None:
        """What a host's password probe said."""
        fields: dict[str, Value] = {
            "host.name": host,
            "event.dataset": "probe",
            "gov.probe.id": PASSWORDS,
            "gov.probe.method": "read /etc/login.defs",
            "gov.probe.raw": f"PASS_MAX_DAYS {max_days}",
            "gov.probe.value.max_days": max_days,
        }
        if error:
            fields["gov.probe.error"] = error
        self.alerts.commit([], [self.event(fields, time)], self.sequence, time)

    def alert(self, rule: str = "r1", *, time: datetime = NOW, host: str = "web-01") -> Alert:
        """One alert with its event, as the pipeline commits them."""
        event = self.event({"host.name": host, "event.dataset": "process.start"}, time)
        raised = claim(
            Claim(rule=rule, detector="sigma", title=Words("监听", "Listener"), severity="high"),
            entity=f"host:{host}",
            reason=Words("启动了 nc", "nc was started"),
            events=(event,),
            matched=(Match(event=event.id, field="Image", value="/usr/bin/nc", selection="sel"),),
        )
        self.alerts.commit([raised], [event], self.sequence, time)
        return raised

    def subjects(self, kind: str = "") -> list[str]:
        """Subjects of the ledger's leaves, oldest first."""
        records = [self.ledger.record(index) for index in range(self.ledger.size)]
        return [record.subject for record in records if kind in ("", record.kind)]


@pytest.fixture(scope="session", name="signing_key")
def _signing_key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.create(tmp_path_factory.mktemp("keys") / "ledger.pem")


@pytest.fixture
def empty_world(tmp_path: Path, signing_key: SigningKey) -> Iterator[World]:
    """A center without a registered system."""
    made = World(tmp_path, signing_key)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def world(empty_world: World) -> World:
    """A center with one registered system."""
    empty_world.register()
    return empty_world


@pytest.fixture
def plain_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without typesetting, which takes longer than all the rest."""

    def made(kind: str) -> Any:
        return lambda *given, **_: b"%s %s" % (kind.encode(), _said(given[0]).encode())

    for kind in ("pdf", "docx", "xlsx"):
        monkeypatch.setattr(report_desk, f"render_{kind}", made(kind))


def _said(given: Any) -> str:
    return (
        f"{given.number} {given.watermark}"
        if hasattr(given, "number")
        else f"{given.report.id} {given.state}"
    )
