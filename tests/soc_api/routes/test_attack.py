"""The ATT&CK matrix by its routes."""

from typing import Any


def test_the_matrix_counts_detections_and_hits(world: Any) -> None:
    client = world.signed_in("analyst")
    page = client("GET", "/attack").json()
    columns = {column["id"]: column for column in page["tactics"]}
    assert {"execution", "stealth", "impact"} <= columns.keys()
    scans = {one["id"]: one for one in columns["discovery"]["techniques"]}["T1046"]
    assert (scans["detections"] >= 1, scans["enabled"] >= 1, scans["hits"]) == (True, True, 0)
    assert 0 < page["covered"] < page["techniques"]
    guessing = {one["id"]: one for one in columns["credential-access"]["techniques"]}["T1110"]
    assert {"T1110.001", "T1110.003"} <= {part["id"] for part in guessing["parts"]}
    assert guessing["detections"] >= 3


def test_one_technique_with_what_names_it(world: Any) -> None:
    client = world.signed_in("security_admin")
    world.raise_alert(rule="special.port-scan", host="web-9")
    found = client("GET", "/attack/T1046").json()
    ours = {row["id"]: row for row in found["detections"]}
    assert (ours["special.port-scan"]["kind"], ours["special.port-scan"]["hits"]) == ("special", 1)
    assert [group["entity"] for group in found["groups"]] == ["host:web-9"]
    gone = client("GET", "/attack/T9999")
    assert (gone.status_code, gone.json()["code"]) == (404, "technique-not-found")


def test_hits_are_of_ones_own_units(world: Any) -> None:
    world.registry.plant(world.now)
    world.raise_alert(rule="special.port-scan")
    found = world.signed_in("analyst", unit="320300")("GET", "/attack/T1046").json()
    assert found["groups"] == []
    assert sum(row["hits"] for row in found["detections"]) == 0


def test_who_may_not_look(world: Any) -> None:
    assert world.signed_in("audit_admin")("GET", "/attack").status_code == 403
