"""Tests of the evidence routes over a real ledger."""

from typing import Any


def test_an_empty_ledger_is_a_page_too(world: Any) -> None:
    body = world.signed_in("analyst")("GET", "/evidence").json()
    assert body == {"size": 0, "root": "", "checkpoint": "", "rows": [], "next": ""}


def test_the_ledger_pages_from_the_newest_and_verifies(world: Any) -> None:
    world.record_evidence(5)
    client = world.signed_in("audit_admin")
    first = client("GET", "/evidence?limit=3").json()
    rest = client("GET", f"/evidence?limit=3&cursor={first['next']}").json()
    assert [row["index"] for row in first["rows"] + rest["rows"]] == [4, 3, 2, 1, 0]
    assert rest["next"] == ""
    assert first["checkpoint"].startswith("liuhe.test/local\n5\n")
    outcome = client("POST", "/evidence/verify").json()
    assert (outcome["ok"], outcome["checked_leaves"], outcome["findings"]) == (True, 5, [])
    assert outcome["root"] == first["root"]
    assert world.compliance.sound is True
    assert client("GET", "/evidence?cursor=x").json()["field"] == "query.cursor"
    assert client("GET", f"/evidence?cursor={'9' * 16}").status_code == 200


def test_a_payload_is_read_whole_and_the_reading_is_audited(world: Any) -> None:
    world.record_evidence(2)
    client = world.signed_in("audit_admin")
    answer = client("GET", "/evidence/1/payload")
    assert answer.content == b"payload 1"
    assert "attachment" in answer.headers["content-disposition"]
    assert world.audited()[-1] == ("user:audit-admin", "evidence.read", "record:1", "accepted")
    assert client("GET", "/evidence/2/payload").json()["code"] == "record-not-found"
