"""Tests of the webhook routes."""

from pathlib import Path
from typing import Any

import pytest

from compliance.registry_desk import RegistryDesk
from soc_api.folders import Folders
from soc_api.settings import Outgoing, Settings
from soc_api.webhook_opening import open_webhooks

ORDER = {"name": "省级平台", "url": "https://siem.example/in", "events": ["alerts"]}


def test_a_webhook_is_made_told_of_once_and_ended(world: Any) -> None:
    client = world.signed_in("security_admin")
    made = client("POST", "/webhooks", json=ORDER).json()
    assert len(made["secret"]) == 64
    page = client("GET", "/webhooks")
    assert made["secret"] not in page.text
    (row,) = page.json()["rows"]
    assert (row["name"], row["unit"], row["ended"]) == ("省级平台", "320000-local", None)
    world.raise_alert()
    world.center.webhooks.store.fill(row["id"], [("alerts", "g", "{}")], world.now, seen=1)
    (sent,) = client("GET", f"/webhooks/{row['id']}/deliveries").json()["rows"]
    assert (sent["state"], sent["about"]) == ("waiting", "g")
    assert client("DELETE", f"/webhooks/{row['id']}").status_code == 204
    assert client("GET", "/webhooks").json()["rows"][0]["ended"] is not None
    said = [line[1:] for line in world.audited() if line[1].startswith("webhook.")]
    assert [(line[0], line[2]) for line in said] == [
        ("webhook.add", "accepted"),
        ("webhook.add", "done"),
        ("webhook.end", "accepted"),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://siem.example/"}, "url"),
        ({"query": "severity:("}, "column 11"),
        ({"events": ["weather"]}, "body.events[0]"),
    ],
)
def test_what_cannot_be_is_refused(world: Any, change: dict[str, Any], field: str) -> None:
    answer = world.signed_in("security_admin")("POST", "/webhooks", json=ORDER | change)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert world.signed_in("shift_lead")("POST", "/webhooks", json=ORDER).status_code == 403


def test_a_neighbours_webhook_carries_its_own_unit_alone(world: Any) -> None:
    world.registry.plant(world.now)
    client = world.signed_in("security_admin", "city-security", unit="320100")
    assert client("POST", "/webhooks", json=ORDER | {"unit": "320000-local"}).status_code == 403
    assert client("POST", "/webhooks", json=ORDER).json()["webhook"]["unit"] == "320100"


def test_a_center_opens_its_webhooks(world: Any, tmp_path: Path) -> None:
    desk: RegistryDesk = world.registry
    folders = Folders(tmp_path / "center")
    folders.keys.mkdir(parents=True)
    settings = Settings(webhooks=Outgoing(private="127.0.0.0/8"))
    opened = open_webhooks(folders, settings, world.engine, world.alerts, desk)
    order = ("local", "http://127.0.0.1:9/", ["alerts"], "", "320000-local", "user:a", world.now)
    assert opened.make(*order)[0].url == "http://127.0.0.1:9/"
