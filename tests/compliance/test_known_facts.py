"""Facts of one graded system: its own hosts, its registry entry, its certificates, its orders."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from compliance.asset_store import AssetStore
from compliance.document_store import DocumentStore
from compliance.known_facts import (
    Known,
    Own,
    certificate_facts,
    known_facts,
    nothing_further,
    of_unit,
    registry_fact,
)
from compliance.order_store import OrderStore
from compliance.registry import GradedSystem
from detection.store.host_inventory import HostInventory
from detection.store.host_inventory_store import HostInventoryStore
from detection.store.inventory import ProbeResult

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
OWN = Own(ledger_size=1, ledger_ok=True, retention_days=190, rules_loaded=40)


@pytest.fixture(name="known")
def _known(world: Any) -> Known:
    return Known(
        alerts=world.alerts,
        inventory=world.inventory,
        hosts=HostInventoryStore(world.engine),
        registry=world.registry,
        assets=AssetStore(world.engine),
        documents=DocumentStore(world.engine),
        orders=OrderStore(world.engine),
        kinds={},
        further=nothing_further,
    )


def hosts(known: Known, system: GradedSystem) -> list[str]:
    facts = known_facts(known, OWN, system, NOW).facts
    return [fact.object for fact in facts.get("accounts.password_policy", ())]


def test_a_host_speaks_for_the_system_it_is_registered_in(world: Any, known: Known) -> None:
    world.probe(30, host="web-01")
    world.probe(30, host="stranger")
    local = world.registry.systems()[0]
    assert hosts(known, local) == ["stranger", "web-01"], "there is only one system"
    other = GradedSystem(id="other", unit=local.unit, name="另一系统", level=2, grade="S2A2G2")
    world.registry.register(other, unit_name="江苏省某厅", now=NOW)
    world.registry.add_asset("db-01", system="other", kind="host", now=NOW)
    world.probe(30, host="db-01")
    assert hosts(known, local) == ["web-01"]
    assert hosts(known, world.registry.system("other")) == ["db-01"]
    facts = known_facts(known, OWN, local, NOW).facts["assets.registered"][0].fields
    assert facts["assets.unregistered"] == []
    assert known_facts(known, OWN, local, NOW).hosts == ("web-01",), "registered, with a sensor or without"


def test_of_hosts_with_one_name_the_one_of_the_systems_unit_speaks() -> None:
    def told(unit: str, hours: int) -> ProbeResult:
        time = NOW - timedelta(hours=hours)
        return ProbeResult(
            host="web-01",
            probe="sshd",
            time=time,
            event=unit,
            unit=unit,
            sensor="s",
            method="",
            raw="",
            values={},
            error="",
        )

    ours, theirs, older = told("320000", 3), told("320100", 1), told("320200", 2)
    assert of_unit([older, theirs, ours], "320000") == [ours]
    assert of_unit([older, theirs], "320000") == [theirs]


def test_the_registry_says_how_many_days_are_left() -> None:
    system = GradedSystem(
        id="a",
        unit="320000",
        name="甲",
        level=3,
        grade="S3A3G3",
        filing_expires=date(2026, 11, 20),
        assessment_due=date(2027, 1, 1),
    )
    fields = registry_fact(system, NOW).fields
    assert (fields["registry.filing_days_left"], fields["registry.assessment_days_left"]) == (-2, 40)
    assert "registry.crypto_days_left" not in fields


def test_certificates_that_are_over_are_named() -> None:
    columns = ("path", "not_after", "ca")
    rows = (
        ("/a.pem", (NOW - timedelta(days=3)).isoformat(), "no"),
        ("/b.pem", (NOW + timedelta(days=9)).isoformat(), "no"),
        ("/root.pem", (NOW - timedelta(days=900)).isoformat(), "yes"),
        ("/c.pem", "", "no"),
    )
    told = HostInventory(
        host="web-01",
        kind="certificates",
        time=NOW,
        since=NOW,
        event="e1",
        unit="u",
        sensor="s",
        digest="",
        columns=columns,
        rows=rows,
        complete=True,
        truncated=False,
        error="",
        method="read",
    )
    (fact,) = certificate_facts([told], NOW)
    assert fact.fields["certificates.expired"] == [f"/a.pem {(NOW - timedelta(days=3)).date()}"]
    assert (fact.fields["certificates.count"], fact.fields["certificates.soon_count"]) == (2, 1)
