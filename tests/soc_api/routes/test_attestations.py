"""Statements, files, documents and keys over HTTP."""

from typing import Any

import pytest

from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex

DAT_12 = {
    "check": "DAT-12",
    "verdict": "符合",
    "answers": {"places": "南京", "abroad": "否"},
    "valid_days": 365,
}
BACKUP = "任务,完成时间,结果\n全量,2026-11-22T07:00:00+00:00,成功\n"


@pytest.fixture(name="officer")
def _officer(world: Any) -> Any:
    system = GradedSystem(id="local", unit="320000-local", name="本机", level=3, grade="S3A3G3")
    RegistryStore(world.engine).register(system, unit_name="省数据局", now=world.now)
    return world.signed_in("compliance_officer")


def handed_in(client: Any, data: bytes = b"%PDF-1.7") -> str:
    answer = client("POST", "/attachments?name=report.pdf", content=data)
    assert answer.status_code == 201
    assert answer.json()["sm3"] == sm3_hex(data)
    return str(answer.json()["sm3"])


def test_a_statement_is_reviewed_by_another_person(world: Any, officer: Any) -> None:
    digest = handed_in(officer)
    made = officer("POST", "/attestations", json={**DAT_12, "attachments": [digest]})
    assert made.status_code == 201
    row = made.json()
    assert (row["state"], row["signed_by"], row["counts"]) == ("submitted", "center", False)
    assert officer("POST", f"/attestations/{row['id']}/review", json={"accept": True}).status_code == 403
    admin = world.signed_in("security_admin")
    done = admin("POST", f"/attestations/{row['id']}/review", json={"accept": True}).json()
    assert (done["state"], done["counts"], done["reviewer"]) == ("accepted", True, "user:security-admin")
    again = admin("POST", f"/attestations/{row['id']}/review", json={"accept": True})
    assert (again.status_code, again.json()["code"]) == (409, "attestation-review")
    listed = officer("GET", "/attestations?check=DAT-12").json()
    assert [one["id"] for one in listed["rows"]] == [row["id"]]
    assert admin("GET", f"/attachments/{digest}").content == b"%PDF-1.7"
    back = officer("POST", f"/attestations/{row['id']}/withdraw", json={"note": "有误"}).json()
    assert (back["state"], back["counts"]) == ("withdrawn", False)


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"attachments": []}, 422, "attachments"),
        ({"attachments": ["0" * 64]}, 404, "0" * 64),
        ({"valid_days": 400}, 422, "expires"),
        ({"verdict": "不符合"}, 422, "reason"),
        ({"answers": {"places": "南京"}}, 422, "abroad"),
        ({"answers": {"places": "南京", "abroad": "也许"}}, 422, "abroad"),
        ({"answers": {**DAT_12["answers"], "more": "x"}}, 422, "more"),  # type: ignore[dict-item]
        ({"check": "NET-02"}, 409, "NET-02"),
        ({"check": "X-1"}, 404, "X-1"),
        ({"system": "elsewhere"}, 404, "elsewhere"),
    ],
)
def test_what_cannot_be_stated(officer: Any, change: dict[str, Any], status: int, field: str) -> None:
    body = {**DAT_12, "attachments": [handed_in(officer)], **change}
    answer = officer("POST", "/attestations", json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)


def test_a_person_signs_with_a_key_of_their_own(world: Any, officer: Any, tmp_path: Any) -> None:
    key = SigningKey.create(tmp_path / "person.pem")
    admin = world.signed_in("system_admin")
    pem = key.public.pem().decode()
    order = {"person": "compliance-officer", "public_pem": pem}
    registered = admin("POST", "/person-keys", json=order)
    assert registered.status_code == 201
    assert admin("POST", "/person-keys", json=order).status_code == 409
    fingerprint = registered.json()["fingerprint"]
    body = {**DAT_12, "attachments": [handed_in(officer)]}
    draft = officer("POST", "/attestations/draft", json=body).json()["statement"]
    signed = {"statement": draft, "key": fingerprint, "signature": key.sign(draft.encode()).hex()}
    assert officer("POST", "/attestations/signed", json=signed).json()["signed_by"] == "person"
    for wrong in (
        {"signature": key.sign(b"other").hex()},
        {"statement": draft.replace("南京", "苏州")},
        {"statement": draft.replace('"DAT-12"', ' "DAT-12"')},
    ):
        answer = officer("POST", "/attestations/signed", json={**signed, **wrong})
        assert answer.json()["code"] in ("attestation-signature", "attestation-malformed")
    assert admin("POST", f"/person-keys/{fingerprint}/revoke").status_code == 204
    refused = officer("POST", "/attestations/signed", json=signed)
    assert refused.json()["code"] == "attestation-signature"
    assert admin("GET", "/person-keys").json()["rows"][0]["revoked"] is not None


def test_a_document_is_tried_then_imported(officer: Any) -> None:
    path = "/documents?kind=backup.jobs&name=jobs.csv"
    trial = officer("POST", f"{path}&trial=true", content=BACKUP.encode("gb18030")).json()
    assert (trial["id"], trial["rows"]) == (0, 1)
    kept = officer("POST", path, content=BACKUP.encode())
    assert (kept.status_code, kept.json()["rows"]) == (201, 1)
    page = officer("GET", "/documents").json()
    assert [row["id"] for row in page["rows"]] == [1]
    assert next(kind for kind in page["kinds"] if kind["kind"] == "backup.jobs")["checks"] == ["DAT-05"]
    wrong = officer("POST", path, content="任务,完成时间,结果\n全量,昨天,成功\n".encode())
    assert (wrong.status_code, wrong.json()["field"]) == (422, "2:finished")
    assert officer("POST", "/documents?kind=x&name=x", content=b"a").status_code == 404
    secret = officer("POST", "/attachments?name=%E7%BB%9D%E5%AF%86%E2%98%85.pdf", content=b"x")
    assert secret.status_code in (409, 422)


def test_another_units_system_is_out_of_reach(world: Any, officer: Any) -> None:
    world.account("compliance_officer", "elsewhere", unit="320500-other")
    other = world.client()
    other.login("elsewhere", world.password)
    answer = other("GET", "/attestations?system=local")
    assert (answer.status_code, answer.json()["code"]) in ((403, "unit-scope"), (409, "unit-scope"))
    assert other("GET", "/attestations").status_code == 404
