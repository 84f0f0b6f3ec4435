"""What a neighbour sees of another unit's objects: nothing but digests, and every try is audited."""

from typing import Any

import pytest

from compliance.ledger import NewEvidence
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from sensors.event import LogSource, Observation, stamp
from soc_api.evidence_scope import unit_of_subject

NEIGHBOUR = "320100"


@pytest.fixture(name="neighbour")
def _neighbour(world: Any) -> Any:
    """An account of a city; ``other`` is a system of the city, ``local`` one of the province."""
    registry = RegistryStore(world.engine)
    for number, unit in (("local", "320000-local"), ("other", NEIGHBOUR)):
        system = GradedSystem(id=number, unit=unit, name="平台", level=3, grade="S3A3G3")
        registry.register(system, unit_name="某单位", now=world.now)

    def signed_in(role: str) -> Any:
        return world.signed_in(role, f"{role.replace('_', '-')}-city", unit=NEIGHBOUR)

    return signed_in


def refused(world: Any, client: Any, method: str, path: str, **given: Any) -> bool:
    answer = client(method, path, **given)
    audited = world.audited()[-1]
    return (answer.status_code, answer.json()["code"], audited[1], audited[3]) == (
        403,
        "unit-scope",
        "access.denied",
        "refused: unit-scope",
    )


def test_alerts_and_their_packets(world: Any, neighbour: Any) -> None:
    group = world.raise_alert().group
    client = neighbour("shift_lead")
    assert client("GET", "/alerts").json()["total"] == 0
    judged = {"classification": "test", "reason": "演练"}
    for method, path, body in (
        ("GET", f"/alerts/{group}", None),
        ("POST", f"/alerts/{group}/acknowledge", None),
        ("POST", f"/alerts/{group}/close", judged),
        ("POST", f"/alerts/{group}/reopen", None),
        ("GET", f"/alerts/{group}/packets", None),
        ("POST", f"/alerts/{group}/packets", None),
    ):
        assert refused(world, client, method, path, json=body), path
    assert world.signed_in("shift_lead")("GET", "/alerts").json()["total"] == 1


def test_sensors_and_tokens(world: Any, neighbour: Any) -> None:
    beat = Observation(
        time=world.now,
        logsource=LogSource(product="liuhe", service="sensor"),
        fields={"event.dataset": "liuhe.heartbeat", "gov.sensor.kind": "host", "host.name": "web-01"},
    )
    event = stamp(beat, unit="320000-local", sensor="host-1", epoch=1, sequence=1)
    world.alerts.commit([], [event], 1, world.now)
    seen = world.signed_in("system_admin")("GET", "/sensors").json()["rows"]
    assert {row["unit"] for row in seen} == {"320000-local"}
    client = neighbour("system_admin")
    page = client("GET", "/sensors").json()
    assert (page["rows"], page["units"], page["tokens"], page["unit"]) == ([], [], [], NEIGHBOUR)
    moved = {"unit": NEIGHBOUR, "group": ""}
    for method, path, body in (
        ("GET", "/sensors/host-1", None),
        ("POST", "/sensors/host-1/drain", None),
        ("POST", "/sensors/host-1/resume", None),
        ("POST", "/sensors/host-1/revoke", {"reason": "主机报废"}),
        ("POST", "/sensors/host-1/move", moved),
        ("POST", "/sensors/tokens", {"kind": "host", "unit": "320000-local", "group": "", "hours": 1}),
    ):
        assert refused(world, client, method, path, json=body), path
    token = world.signed_in("system_admin", "keeper")(
        "POST", "/sensors/tokens", json={"kind": "host", "unit": "320000-local", "group": "", "hours": 1}
    ).json()["id"]
    assert refused(world, client, "DELETE", f"/sensors/tokens/{token}")
    own = client("POST", "/sensors/tokens", json={"kind": "host", "unit": NEIGHBOUR, "group": "", "hours": 1})
    assert own.status_code == 201
    assert [one["unit"] for one in client("GET", "/sensors").json()["tokens"]] == [NEIGHBOUR]


@pytest.mark.parametrize(
    "path",
    [
        "/checks?system=local",
        "/checks/PLT-01?system=local",
        "/checks/PLT-01/explanation?system=local",
        "/attestations?system=local",
        "/documents?system=local",
        "/gates?system=local",
        "/gates/decisions?system=local",
    ],
)
def test_what_is_asked_of_a_system(world: Any, neighbour: Any, path: str) -> None:
    client = neighbour("compliance_officer")
    assert refused(world, client, "GET", path)
    assert client("GET", path.replace("local", "other")).status_code == 200


def test_the_release_switch_is_the_centers(world: Any, neighbour: Any) -> None:
    order = {"reason": "抗洪救灾", "hours": 4}
    assert refused(world, neighbour("security_admin"), "POST", "/gates/release", json=order)
    assert world.signed_in("security_admin")("POST", "/gates/release", json=order).status_code == 200


def test_records_show_their_digests_and_no_words(world: Any, neighbour: Any) -> None:
    world.record_evidence(1)
    entry = NewEvidence(
        kind="evaluation",
        actor="system:jobs",
        subject="check:PLT-01/system:other",
        summary="符合",
        payload=b"b",
    )
    world.ledger.append([entry], world.now)
    world.ledger.checkpoint(world.now)
    client = neighbour("compliance_officer")
    page = client("GET", "/evidence").json()
    own = next(row for row in page["rows"] if row["subject"] == "check:PLT-01/system:other")
    hidden = [row for row in page["rows"] if row is not own]
    assert hidden
    assert {(row["subject"], row["actor"], row["summary"]) for row in hidden} == {("***", "***", "***")}
    assert all(len(row["leaf_hash"]) == 64 for row in hidden)
    assert client("GET", f"/evidence/{own['index']}/payload").content == b"b"
    assert refused(world, client, "GET", f"/evidence/{hidden[-1]['index']}/payload")


def test_a_file_is_for_its_unit_even_where_a_neighbour_names_it(world: Any, neighbour: Any) -> None:
    officer = world.signed_in("compliance_officer")
    file = officer("POST", "/attachments?name=a.pdf", content=b"%PDF-1.7").json()["sm3"]
    client = neighbour("compliance_officer")
    assert refused(world, client, "GET", f"/attachments/{file}")
    statement = {
        "system": "other",
        "check": "DAT-12",
        "verdict": "符合",
        "answers": {"places": "南京政务云", "abroad": "否"},
        "attachments": [file],
        "valid_days": 30,
    }
    assert refused(world, client, "POST", "/attestations", json=statement)
    own = client("POST", "/attachments?name=b.pdf", content=b"%PDF-1.4").json()["sm3"]
    assert client("POST", "/attestations", json=statement | {"attachments": [own]}).status_code == 201
    colleague = world.signed_in("compliance_officer", "colleague", unit=NEIGHBOUR)
    assert colleague("GET", f"/attachments/{own}").content == b"%PDF-1.4"


@pytest.mark.parametrize(
    ("subject", "unit"),
    [
        ("check:PLT-01/system:other", NEIGHBOUR),
        ("checklist/system:local", "320000-local"),
        ("system:other", NEIGHBOUR),
        ("asset:other/web-01", NEIGHBOUR),
        ("object:other/host:web-01", NEIGHBOUR),
        (f"unit:{NEIGHBOUR}", NEIGHBOUR),
        ("order:2026-000001/issued", ""),
        ("attestation:x", ""),
        ("attestation:7", ""),
        ("check:PLT-01/system:gone", ""),
        ("segment:1", ""),
        ("audit:4", ""),
    ],
)
def test_the_unit_a_record_is_about(world: Any, neighbour: Any, subject: str, unit: str) -> None:
    del neighbour
    assert unit_of_subject(world.center, subject) == unit
