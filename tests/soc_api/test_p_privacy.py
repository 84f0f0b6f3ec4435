"""P-28: names in alerts and events are pseudonyms until somebody says why they need them."""

import dataclasses
import io
from datetime import timedelta
from typing import Any

import docx
import pytest
from msgspec.structs import replace

from crypto.words import Words
from detection.alert import Claim, Match, claim
from sensors.event import LogSource, Observation, Scalar, stamp
from soc_api.privacy import Privacy

NAME = "zhang.san"
WHY = {"reason": "核实账号被盗用的当事人", "minutes": 10}


@pytest.fixture(name="group")
def _group(world: Any) -> str:
    event = stamp(
        Observation(
            time=world.now - timedelta(minutes=1),
            logsource=LogSource(product="linux", service="sudo"),
            fields={"host.name": "web-01", "user.name": NAME, "process.command_line": f"cat /home/{NAME}/a"},
            native={"User": NAME},
        ),
        unit="320000-local",
        sensor="host-1",
        epoch=1,
        sequence=1,
    )
    said = Claim(rule="r1", detector="sigma", title=Words("提权", "sudo"), severity="high")
    matched = (Match(event=event.id, field="user.name", value=NAME, selection="s"),)
    reason = Words(f"用户 {NAME} 提权", f"{NAME} became root")
    alert = claim(said, entity=f"user:{NAME}@web-01", reason=reason, events=(event,), matched=matched)
    world.alerts.commit([alert], [event], 1, world.now)
    return str(alert.group)


def test_p28_alerts_tell_pseudonyms_until_a_reason_is_given(world: Any, group: str) -> None:
    client = world.signed_in("analyst")
    page, detail = client("GET", "/alerts"), client("GET", f"/alerts/{group}")
    assert NAME not in page.text + detail.text
    entity = detail.json()["group"]["entity"]
    assert entity.startswith("user:p-")
    assert client("GET", "/alerts", params={"q": f'entity:"{entity}"'}).json()["total"] == 1
    assert NAME not in client("GET", f"/entities/user/{entity[5:]}").text
    assert client("POST", "/names", json={"reason": "看"}).status_code == 422
    assert client("POST", "/names", json=WHY).json()["shown"]
    assert NAME in client("GET", f"/alerts/{group}").text
    lines = [line[1:] for line in world.audited()]
    assert ("names.reveal", f"10 min: {WHY['reason']}", "accepted") in lines
    assert ("names.read", f"/api/v1/alerts/{group}", "accepted") in lines


def test_p28_a_reveal_ends_by_time_by_hand_and_with_its_session(world: Any, group: str) -> None:
    client, other = world.signed_in("analyst"), world.signed_in("analyst", "other")
    client("POST", "/names", json=WHY)
    assert NAME not in other("GET", "/alerts").text  # somebody else's session
    assert not client("DELETE", "/names").json()["shown"]
    assert NAME not in client("GET", "/alerts").text
    client("POST", "/names", json={**WHY, "minutes": 1})
    world.now += timedelta(seconds=61)
    assert NAME not in client("GET", "/alerts").text
    assert client("GET", "/names").json()["until"] is None


def test_p28_who_needs_no_names_cannot_ask_for_them_and_the_setting_names_who_sees_them(
    world: Any, group: str
) -> None:
    admin = world.signed_in("security_admin")
    assert NAME not in admin("GET", f"/alerts/{group}").text
    assert admin("POST", "/names", json=WHY).status_code == 403
    world.app.state.center = dataclasses.replace(
        world.center, privacy=Privacy(bytes(32), frozenset({"shift_lead"}))
    )
    lead = world.signed_in("shift_lead")
    assert NAME in lead("GET", f"/alerts/{group}").text
    assert lead("GET", "/names").json()["roles"] == ["shift_lead"]


def inventory(world: Any) -> None:
    """What web-01 tells of its accounts, and tables in which the same people stand."""
    tables: dict[str, tuple[list[Scalar], list[Scalar]]] = {
        "accounts": (["name", "uid", "home"], [f"{NAME}\t1000\t/home/{NAME}", "monitord\t998\t/"]),
        "sudoers": (["file", "line"], [f"/etc/sudoers\t{NAME} ALL=(ALL) ALL"]),
        "authorized_keys": (["user", "comment"], [f"{NAME}\tli.si@laptop"]),
        "cron": (["user", "command"], [f"{NAME}\t/home/{NAME}/a.sh", "monitord\t/usr/bin/monitord"]),
    }
    told = [
        stamp(
            Observation(
                time=world.now,
                logsource=LogSource(product="linux", category="inventory", service=kind),
                fields={
                    "event.dataset": f"inventory.{kind}",
                    "host.name": "web-01",
                    "gov.inventory.kind": kind,
                    "gov.inventory.columns": columns,
                    "gov.inventory.items": rows,
                    "gov.inventory.part": 0,
                    "gov.inventory.parts": 1,
                    "gov.inventory.digest": kind,
                    "gov.inventory.method": "file:x",
                },
            ),
            unit="320000-local",
            sensor="host-1",
            epoch=1,
            sequence=number,
        )
        for number, (kind, (columns, rows)) in enumerate(tables.items(), 10)
    ]
    world.alerts.commit([], told, 20, world.now)


def test_p28_a_hosts_inventory_tells_pseudonyms(world: Any) -> None:
    inventory(world)
    client = world.signed_in("analyst")
    place = {"unit": "320000-local", "host": "web-01"}
    for kind in ("accounts", "sudoers", "authorized_keys", "cron"):
        shown = client("GET", "/inventory/table", params={**place, "kind": kind}).text
        found = client(
            "GET", "/inventory/rows", params={"kind": kind, "q": "/" if kind != "authorized_keys" else "li"}
        )
        for text in (shown, found.text):
            assert NAME not in text
            assert "li.si" not in text
        assert ("monitord" in shown) == (kind in ("accounts", "cron"))  # a service is nobody
    rows = client("GET", "/inventory/table", params={**place, "kind": "accounts"}).json()["rows"]
    token = next(row[0] for row in rows if row[0].startswith("p-"))
    assert client("GET", "/inventory/rows", params={"kind": "accounts", "q": token}).json()["hosts"] == 1
    client("POST", "/names", json=WHY)
    assert NAME in client("GET", "/inventory/table", params={**place, "kind": "accounts"}).text
    assert ("names.read", "/api/v1/inventory/table", "accepted") in [one[1:] for one in world.audited()]


def test_p28_what_a_check_quotes_of_accounts_is_hidden(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory(world)
    detail = world.compliance.check_detail("PLT-01", world.now)
    told = {"raw": f"{NAME}:x:1000:/home/{NAME}", "values": {"login_accounts": [NAME, "wang.wu", "root"]}}
    quoted = replace(detail, evidence=(replace(detail.evidence[0], **told),))
    monkeypatch.setattr(world.compliance, "check_detail", lambda *_: quoted)
    officer, analyst = world.signed_in("compliance_officer"), world.signed_in("analyst")
    shown = officer("GET", "/checks/PLT-01").text
    assert (NAME in shown, "wang.wu" in shown, '"root"' in shown) == (False, False, True)
    analyst("POST", "/names", json=WHY)
    assert NAME in analyst("GET", "/checks/PLT-01").text


def test_p28_papers_of_incidents_tell_what_the_page_tells(world: Any, group: str) -> None:
    lead = world.signed_in("shift_lead")
    made = lead(
        "POST", "/incidents", json={"groups": [group], "grade": 2, "summary": f"{NAME} 被盗用"}
    ).json()
    number = made["incident"]["number"]
    filing = {
        "kind": "first",
        "to": "省网信办",
        "channel": "系统",
        "fields": {"summary": f"账号 {NAME} 被盗用"},
    }
    rules = lead("GET", "/incidents/rules").json()["form"]
    filing["fields"] = {one["name"]: f"账号 {NAME} 被盗用" for one in rules if "first" in one["asked"]}
    assert lead("POST", f"/incidents/{number}/filings", json=filing).status_code == 200
    assert NAME not in lead("GET", f"/incidents/{number}").text

    def told() -> str:
        paper = docx.Document(io.BytesIO(lead("GET", f"/incidents/{number}/filings/1/docx").content))
        cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
        return "\n".join([*cells, *(line.text for line in paper.paragraphs)])

    hidden = told()
    assert (NAME in hidden, "p-" in hidden, "以代号表示" in hidden) == (False, True, True)
    lead("POST", "/names", json=WHY)
    assert NAME in told()
    assert ("names.read", f"/api/v1/incidents/{number}/filings/1/docx", "accepted") in [
        one[1:] for one in world.audited()
    ]
