"""P-28: names in alerts and events are pseudonyms until somebody says why they need them."""

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from crypto.words import Words
from detection.alert import Claim, Match, claim
from sensors.event import LogSource, Observation, stamp
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
