"""Exceptions over HTTP: proposal, preview, second person, end, units, audit and ledger."""

from typing import Any

import msgspec
import pytest

from compliance.asset_store import AssetStore
from compliance.registry import Asset, GradedSystem, Unit
from compliance.registry_store import RegistryStore
from detection.exceptions import Sieve
from detection.store.exception_store import ExceptionStore
from sensors.event import Value

ORDER: dict[str, Any] = {
    "kind": "exception",
    "title": "巡检脚本",
    "rules": ["r1"],
    "unit": "320000-local",
    "condition": "process.name:nc",
    "reason": "每日巡检,已核实",
    "expires": "2026-12-22T00:00:00Z",
}


def ask(client: Any, **changed: Any) -> Any:
    return client("POST", "/exceptions", json=ORDER | changed)


def raised(world: Any, sequence: int = 1, **more: Value) -> Any:
    return world.raise_alert(sequence=sequence, **{"process__name": "nc", **more})


def protect(world: Any) -> None:
    """Let web-01 belong to a system of level three."""
    store = RegistryStore(world.engine)
    store.put_unit(Unit(code="320000-local", name="省局"), world.now, "user:a")
    system = GradedSystem(id="s1", unit="320000-local", name="办公系统", level=3, grade="S3A3G3")
    store.put_system(system, world.now, "user:a")
    AssetStore(world.engine).put_asset(Asset(system="s1", name="web-01"), world.now, "user:a")


def test_a_proposal_fits_the_alert_and_its_preview_counts(world: Any) -> None:
    group = raised(world).group
    raised(world, sequence=2, process__name="ssh")
    client = world.signed_in("analyst")
    draft = client("GET", f"/alerts/{group}/exception").json()
    assert (draft["rule"], draft["unit"], draft["health"]) == ("r1", "320000-local", False)
    assert draft["terms"] == ['alert.entity:"host:web-01"', 'Image:"/usr/bin/nc"']
    scope = {"rules": ["r1"], "unit": draft["unit"], "condition": "process.name:nc"}
    seen = client("POST", "/exceptions/preview", json=scope).json()
    assert (seen["asked"], seen["alerts"], seen["groups"], seen["per_day"][-1]) == (2, 1, 1, 1)
    assert (seen["events"], seen["shown"][0]["id"], seen["grave"]) == (0, group, [])
    scope["condition"] = " and ".join(draft["terms"])
    assert client("POST", "/exceptions/preview", json=scope).json()["events"] is None


def test_an_exception_is_in_force_at_once_audited_and_ends(world: Any) -> None:
    raised(world)
    client = world.signed_in("analyst")
    made = ask(client).json()
    assert (made["phase"], made["owner"], made["asked_by"]) == ("active", "analyst", "user:analyst")
    assert made["expected"] == {"days": 7, "alerts": 1, "groups": 1}
    assert [row["id"] for row in client("GET", "/exceptions").json()["rows"]] == [made["id"]]
    sieve = Sieve(ExceptionStore(world.engine), world.now)
    alert = world.alerts.detail(world.alerts.page().rows[0].id).alerts[0].alert
    kept, withheld = sieve.sift([alert], world.now)
    assert (kept, len(withheld)) == ([], 1)
    world.alerts.commit([], [], None, world.now, withheld=withheld)
    detail = client("GET", f"/exceptions/{made['id']}").json()
    assert (detail["exception"]["held"], detail["per_hour"][0]["count"]) == (1, 1)
    assert detail["examples"][0]["entity"] == "host:web-01"
    ended = client("POST", f"/exceptions/{made['id']}/end", json={"note": "不再需要"}).json()
    assert ended["exception"]["phase"] == "ended"
    assert [step["action"] for step in ended["history"]] == ["asked", "ended"]
    again = client("POST", f"/exceptions/{made['id']}/end", json={"note": "再次"})
    assert (again.status_code, again.json()["code"]) == (409, "exception-state")
    assert "exception.end" in [line[1] for line in world.audited()]


def test_what_was_held_back_can_be_brought_back(world: Any) -> None:
    alert = raised(world)
    client = world.signed_in("shift_lead")
    made = ask(client).json()
    other = world.alerts.detail(alert.group).alerts[0].alert
    sieve = Sieve(ExceptionStore(world.engine), world.now)
    held = sieve.sift([_again(other)], world.now)[1]
    world.alerts.commit([], [], None, world.now, withheld=held)
    assert world.alerts.page().rows[0].count == 1
    body = {"note": "误配", "bring_back": True}
    assert client("POST", f"/exceptions/{made['id']}/end", json=body).status_code == 200
    assert world.alerts.page().rows[0].count == 2


def _again(alert: Any) -> Any:
    return msgspec.structs.replace(alert, id="f" * 32)


def test_a_protected_asset_needs_a_second_person_who_is_another(world: Any) -> None:
    protect(world)
    raised(world)
    lead = world.signed_in("shift_lead")
    made = ask(lead).json()
    assert (made["phase"], len(made["grave"])) == ("waiting", 1)
    assert ExceptionStore(world.engine).in_force(world.now).exemptions == ()
    path, body = f"/exceptions/{made['id']}/decide", {"approve": True, "note": "已核对"}
    answer = lead("POST", path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "exception-second-person")
    other = world.signed_in("security_admin")
    assert other("POST", path, json=body).json()["exception"]["phase"] == "active"
    assert other("POST", path, json=body).json()["code"] == "exception-state"
    assert ExceptionStore(world.engine).in_force(world.now).exemptions[0].approved


def test_a_blanket_maintenance_window_waits_for_approval(world: Any) -> None:
    client = world.signed_in("analyst")
    window = {"kind": "maintenance", "rules": [], "condition": "", "expires": "2026-11-22T12:00:00Z"}
    made = ask(client, **window)
    assert (made.status_code, made.json()["phase"]) == (201, "waiting")
    refused = world.signed_in("shift_lead")(
        "POST", f"/exceptions/{made.json()['id']}/decide", json={"approve": False, "note": "范围过大"}
    )
    assert refused.json()["exception"]["phase"] == "refused"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"expires": "2028-01-01T00:00:00Z"}, "expires"),
        ({"expires": "2026-11-01T00:00:00Z"}, "expires"),
        ({"begins": "2026-11-01T00:00:00Z"}, "begins"),
        ({"rules": []}, "condition"),
        ({"condition": "  "}, "condition"),
        ({"condition": "(a:b"}, "column 5"),
        ({"reason": "  "}, "reason"),
        ({"owner": "a\u0000"}, "owner"),
        ({"kind": "maintenance", "expires": "2027-01-22T00:00:00Z"}, "expires"),
    ],
)
def test_what_is_wrong_is_named(world: Any, changed: dict[str, Any], field: str) -> None:
    answer = ask(world.signed_in("analyst"), **changed)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_units_are_kept_apart(world: Any) -> None:
    made = ask(world.signed_in("analyst")).json()
    far = world.signed_in("shift_lead", "far", unit="320100")
    assert far("GET", "/exceptions").json()["rows"] == []
    assert ask(far).json()["code"] == "unit-scope"
    assert (
        far("POST", "/exceptions/preview", json={k: ORDER[k] for k in ("rules", "unit", "condition")}).json()[
            "code"
        ]
        == "unit-scope"
    )
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/decide", {"approve": True, "note": "好的"}),
        ("POST", "/end", {"note": "好的"}),
    ):
        answer = far(method, f"/exceptions/{made['id']}{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "unit-scope")
    assert far("GET", "/exceptions/99").status_code == 404
