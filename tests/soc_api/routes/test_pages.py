"""Tests of the other pages: overview, checks, evidence, sensors, reports, audit, health."""

from typing import Any

import pytest
from sqlalchemy import text

from detection.store.state import writing
from sensors.event import LogSource, Observation, stamp


def test_the_overview_counts(world: Any) -> None:
    world.raise_alert()
    world.record_evidence(3)
    body = world.signed_in("wall_display")("GET", "/overview").json()
    assert body["open_alerts"] == {"informational": 0, "low": 0, "medium": 0, "high": 1, "critical": 0}
    assert len(body["alerts_last_day"]) == 24
    assert sum(body["alerts_last_day"]) == 1
    assert (body["sensors_online"], body["sensors_total"]) == (1, 2)
    assert body["verdicts"] == {"符合": 1, "部分符合": 0, "不符合": 0, "不适用": 0, "未知": 0}
    assert body["ledger_size"] == 3
    assert len(body["ledger_root"]) == 64
    assert body["anomaly_state"]["en"] == "learning"


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


def test_verification_finds_a_changed_payload_and_a_changed_audit_line(world: Any) -> None:
    world.record_evidence(2)
    client = world.signed_in("audit_admin")
    digest = client("GET", "/evidence").json()["rows"][0]["payload_sm3"]
    path = next((world.folder / "evidence" / "payload").rglob(f"*{digest}*"))
    path.chmod(0o600)
    path.write_bytes(b"another")
    with writing(world.engine) as connection:
        connection.execute(text("DROP TRIGGER audit_log_no_update"))
        connection.execute(text("UPDATE audit_log SET actor = 'user:nobody' WHERE sequence = 1"))
    outcome = client("POST", "/evidence/verify").json()
    assert outcome["ok"] is False
    assert world.compliance.sound is False
    assert any("line 1 of the audit log" in finding["en"] for finding in outcome["findings"])
    assert len(outcome["findings"]) >= 2


def test_sensors_show_health_gaps_and_those_never_heard_of(world: Any) -> None:
    fields: dict[str, Any] = {
        "event.dataset": "liuhe.heartbeat",
        "host.name": "web-01",
        "gov.sensor.kind": "host",
        "gov.sensor.version": "0.1.0",
        "gov.sensor.backlog": 3,
        "gov.sensor.sources": ["processes=running", "capture:lo=missing"],
        "gov.sensor.source_details": ["capture:lo=缺少 CAP_NET_RAW|CAP_NET_RAW is missing"],
    }
    gap: dict[str, Any] = {"event.dataset": "liuhe.gap", "gov.gap.lane": "bulk", "gov.gap.count": 7}
    source = LogSource(product="liuhe", service="sensor")
    events = [
        stamp(
            Observation(time=world.now, logsource=source, fields=one),
            unit="320000-local",
            sensor="host-1",
            epoch=1,
            sequence=number,
        )
        for number, one in enumerate((fields, gap), 1)
    ]
    world.alerts.commit([], events, 2, world.now)
    rows = world.signed_in("system_admin")("GET", "/sensors").json()["rows"]
    assert [(row["id"], row["state"]) for row in rows] == [("host-1", "online"), ("quiet", "never")]
    assert rows[0]["gaps"][0]["count"] == 7
    assert rows[0]["sources"][1]["state"] == "missing"
    assert rows[0]["sources"][1]["detail"]["zh"] == "缺少 CAP_NET_RAW"
    assert rows[0]["last_sequence"] == 2


def test_reports_are_made_listed_and_downloaded(world: Any) -> None:
    client = world.signed_in("shift_lead")
    made = client("POST", "/reports", json={"month": "2026-10"})
    assert made.status_code == 201
    assert client("GET", "/reports").json()["rows"] == [made.json()]
    for kind, type_ in (("pdf", "application/pdf"), ("xlsx", "spreadsheetml")):
        answer = client("GET", f"/reports/{made.json()['id']}/{kind}")
        assert answer.content == f"{kind} of 2026-10-1".encode()
        assert type_ in answer.headers["content-type"]
        assert f'filename="liuhe-2026-10-1.{kind}"' in answer.headers["content-disposition"]
    assert client("GET", "/reports/none/pdf").status_code == 404
    assert client("GET", "/reports/2026-10-1/exe").status_code == 404
    for wrong in ("2026-13", "x", "2026-1"):
        assert client("POST", "/reports", json={"month": wrong}).json()["field"] == "body.month"
    assert ("user:shift-lead", "report.download", "2026-10-1.pdf", "accepted") in world.audited()


def test_the_audit_log_is_read_by_the_auditor(world: Any) -> None:
    client = world.signed_in("audit_admin")
    first = client("GET", "/audit?limit=2").json()
    assert [row["action"] for row in first["rows"]] == ["session.login", "session.password"]
    rest = client("GET", f"/audit?cursor={first['next']}").json()
    assert rest["rows"][-1]["action"] == "account.create"
    assert client("GET", "/audit?cursor=-1").json()["field"] == "cursor"


def test_health_says_as_little_as_it_can(world: Any) -> None:
    answer = world.client()("GET", "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/alerts", "/evidence", "/sensors"])
def test_answers_are_not_kept_by_browsers(world: Any, path: str) -> None:
    answer = world.signed_in("analyst")("GET", path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
