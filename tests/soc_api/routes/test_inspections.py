"""Tests of soc_api.routes.inspections: the kit is handed out, recorded, and named safely."""

from typing import Any


def test_a_kit_for_an_inspection(world: Any) -> None:
    client = world.signed_in("compliance_officer")
    answer = client("POST", "/inspections", json={"audience": "police", "system": "local"})
    assert (answer.status_code, answer.content) == (200, b"PK")
    assert 'filename="liuhe-police-local-compliance-officer-2026' in answer.headers["content-disposition"]
    for wrong in ({"audience": "x", "system": "local"}, {"audience": "police", "system": 'a"b'}):
        assert client("POST", "/inspections", json=wrong).status_code == 422
    analyst = world.signed_in("analyst")
    assert analyst("POST", "/inspections", json={"audience": "data", "system": "local"}).status_code == 403
    assert ("user:compliance-officer", "inspection.make", "police local", "accepted") in world.audited()
