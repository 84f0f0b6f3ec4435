"""A center in which every kind of object is there, all of the center's own unit; texts in them carry MARK."""

import json
from datetime import timedelta
from typing import Any, Final

from compliance.check_store import CheckStore, Kept
from compliance.evaluation import Evaluation, Finding
from compliance.ledger import NewEvidence
from compliance.order import Order, Step
from compliance.registry import Asset, GradedSystem, RegistryTask, Unit
from compliance.registry_store import RegistryStore
from crypto.keys import SigningKey
from crypto.words import Words
from soc_api.bodies import Role
from soc_api.body_examples import exemplified

MARK: Final = "zqxmark"
OWN: Final = "320000-local"
NEIGHBOUR: Final = "320100"
FLOW: Final = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
ROLES: Final[tuple[Role, ...]] = (
    "system_admin",
    "security_admin",
    "audit_admin",
    "analyst",
    "shift_lead",
    "compliance_officer",
    "wall_display",
)

Ids = dict[str, str]


def people(world: Any, unit: str, suffix: str = "") -> dict[str, Any]:
    """One account of each role in a unit, signed in."""
    return {role: world.signed_in(role, f"{role.replace('_', '-')}{suffix}", unit=unit) for role in ROLES}


def fill(world: Any, own: dict[str, Any]) -> Ids:
    """Make the objects; answers "<first word of the path>/<parameter>" or "<parameter>" -> id."""
    world.registry.plant(world.now)
    for name, unit, title in (("local", OWN, MARK), ("other", NEIGHBOUR, "门户")):
        system = GradedSystem(id=name, unit=unit, name=title, level=3, grade="S3A3G3")
        RegistryStore(world.engine).register(system, unit_name="某单位", now=world.now)
    below = Unit(code="320000-a", name="下属单位", parent=OWN)
    world.registry.registry.put_unit(below, world.now, "user:a")
    world.registry.assets.put_asset(Asset(system="local", name=f"{MARK}-web"), world.now, "user:a")
    wanted = RegistryTask(
        kind="unregistered-asset", key=MARK, unit=OWN, what=Words(MARK, MARK), opened=world.now
    )
    world.registry.tasks.reconcile([wanted], world.now)
    ids: Ids = {
        "unit": OWN,
        "system": "local",
        "host": f"{MARK}-web",
        "sensor": "quiet",
        "gate": "go-live",
        "sheet": "systems",
        "check": "PLT-01",
        "item": "L3-8.1.1.2",
        "inventory/kind": "package",
        "username": MARK,
        "registry/task": str(world.registry.tasks.tasks(None, "open")[0].number),
    }
    world.signed_in("analyst", MARK)
    sessions = _json(own["security_admin"]("GET", "/sessions"))["rows"]
    ids["session"] = next(one["id"] for one in sessions if one["username"] == MARK)
    _alerts(world, own, ids)
    _compliance(world, own, ids)
    _rest(world, own, ids)
    _papers(own, ids)
    return ids


def _alerts(world: Any, own: dict[str, Any], ids: Ids) -> None:
    more = {"network__community_id": FLOW, "process__name": MARK, "user__name": MARK}
    alert = world.raise_alert(host=f"{MARK}-web", **more)
    ids |= {"group": alert.group, "event": alert.events[0].id, "rule": "11111111-1111-4111-8111-111111111111"}
    # An answer may repeat the name it was asked for: this one carries no MARK.
    world.raise_alert(rule="r2", host="plain-web", sequence=2, process__name=MARK)
    ids |= {"model": "host", "entities/kind": "host", "entities/name": "plain-web", "technique": "T1059"}
    lead, analyst = own["shift_lead"], own["analyst"]
    packets = _json(analyst("POST", f"/alerts/{alert.group}/packets"))
    ids["request"] = packets["rows"][0]["id"]
    asked = {
        "title": MARK,
        "rules": ["r1"],
        "unit": OWN,
        "condition": f"process.name:{MARK}",
        "reason": f"每日巡检 {MARK}",
        "expires": "2026-12-22T00:00:00Z",
    }
    ids["identifier"] = str(_json(analyst("POST", "/exceptions", json=asked))["id"])
    view = _json(analyst("POST", "/hunt/views", json={"name": MARK, "settings": {"q": MARK}}))
    ids["hunt/view"] = str(view["id"])
    view = _json(analyst("POST", "/alerts/views", json={"name": MARK, "settings": {"q": MARK}}))
    ids["alerts/view"] = next(str(one["id"]) for one in view["rows"] if one["own"])
    act = _json(lead("POST", "/alerts/acts", json={"action": "acknowledge", "groups": [alert.group]}))
    ids["act"] = str(act["id"])
    opened = {"title": MARK, "unit": OWN, "system": "local", "groups": [alert.group], "summary": MARK}
    number = _json(lead("POST", "/incidents", json=opened))["incident"]["number"]
    ids |= {"incidents/number": number, "into": number}
    task = _json(lead("POST", f"/incidents/{number}/tasks", json={"title": MARK}))
    ids["incidents/task"] = str(task["tasks"][0]["number"])
    kept = lead("POST", f"/incidents/files?incident={number}&name={MARK}.txt", content=MARK.encode())
    assert kept.status_code == 201, kept.text
    ids["incidents/digest"] = next(
        value for value in _texts(kept.json()) if len(value) == 64 and set(value) <= set("0123456789abcdef")
    )


def an_order(world: Any, host: str) -> str:
    """A new one of seven days; its number."""
    order = Order(
        id=0,
        number="",
        system="local",
        object=host,
        check="PLT-06",
        severity="high",
        state="issued",
        owner="user:li",
        issued=world.now,
        deadline=world.now + timedelta(days=7),
        verdict="不符合",
        facts=Words("端口 23", "port 23"),
        remedy=Words("关闭", "close it"),
        clauses=(),
        leaf=1,
        notify=False,
    )
    step = Step(order=order, action="issued", note="不符合")
    (made,) = world.enforcement.order_rows.take([step], "system:orders", world.now)
    return str(made.number)


def _papers(own: dict[str, Any], ids: Ids) -> None:
    drafted = {"kind": "rectification", "title": MARK, "text": MARK * 3, "receivers": ["320000-a"]}
    notice = _json(own["analyst"]("POST", "/notices", json=drafted))["notice"]["id"]
    ids["notice"] = str(notice)
    said = own["analyst"]("POST", "/tokens", json={"name": MARK, "permissions": ["alerts.read"]})
    hook = {"name": MARK, "url": f"https://{MARK}.example/in", "events": ["alerts"]}
    made = _json(own["security_admin"]("POST", "/webhooks", json=hook))
    ids["hook"] = str(made["webhook"]["id"])
    ids["tokens/token"] = _json(said)["token"]["id"]


def _compliance(world: Any, own: dict[str, Any], ids: Ids) -> None:
    officer = own["compliance_officer"]
    body = b"%PDF-1.7 " + MARK.encode()
    ids["digest"] = _json(officer("POST", f"/attachments?name={MARK}.pdf", content=body))["sm3"]
    statement = {
        "system": "local",
        "check": "DAT-12",
        "verdict": "符合",
        "answers": {"places": MARK, "abroad": "否"},
        "attachments": [ids["digest"]],
        "valid_days": 90,
    }
    ids["attestations/number"] = str(_json(officer("POST", "/attestations", json=statement))["id"])
    order = {"gate": "go-live", "system": "local", "checks": ["PLT-01"], "reason": MARK * 2, "hours": 4}
    ids["gates/number"] = str(_json(officer("POST", "/gates/overrides", json=order))["id"])
    _json(officer("POST", "/gates/go-live/ask", json={"about": MARK, "system": "local"}))
    finding = Finding(
        object=MARK,
        fact="listeners.inventory",
        state="unsatisfied",
        why=Words(MARK, MARK),
        evidence=None,
        stale_at=world.now + timedelta(days=1),
    )
    evaluation = Evaluation(
        check="PLT-06",
        system="local",
        verdict="不符合",
        reason=Words(MARK, MARK),
        evaluated=world.now,
        stale_at=world.now + timedelta(days=1),
        findings=(finding,),
    )
    CheckStore(world.engine).keep([Kept(evaluation=evaluation, leaf=1)])
    world.enforcement.orders.work(world.now)
    ids["orders/number"] = _json(officer("GET", "/orders?system=local"))["rows"][0]["number"]
    said = {"item": ids["item"], "verdict": "不适用", "reason": f"{MARK} 无自有机房"}
    ids["statement"] = str(_json(officer("POST", "/systems/local/statements", json=said))["number"])
    person = {"duty": "leader", "name": MARK, "phone": "025-12345678"}
    lead = own["shift_lead"]
    ids["contact"] = str(_json(lead("POST", f"/units/{OWN}/contacts", json=person))["number"])


def _rest(world: Any, own: dict[str, Any], ids: Ids) -> None:
    token = {"kind": "host", "unit": OWN, "group": MARK, "hours": 1}
    ids["token"] = _json(own["system_admin"]("POST", "/sensors/tokens", json=token))["id"]
    given = {"person": "analyst", "public_pem": SigningKey.generate().public.pem().decode()}
    ids["fingerprint"] = _json(own["system_admin"]("POST", "/person-keys", json=given))["fingerprint"]
    analyst, lead = own["analyst"], own["shift_lead"]
    file = _json(analyst("POST", "/transfers/files?name=a.txt", content=b"a"))["id"]
    asked = {
        "channel": "city",
        "application": MARK,
        "purpose": f"{MARK} 报送",
        "label": "一般",
        "marks": [],
        "days": 7,
        "files": [file],
    }
    ids["transfer"] = _json(analyst("POST", "/transfers", json=asked))["id"]
    ids["report"] = _json(lead("POST", "/reports", json={"month": "2026-11"}))["id"]
    leaf = NewEvidence(
        kind="evaluation",
        actor=f"user:{MARK}",
        subject="check:PLT-01/system:local",
        summary=MARK,
        payload=MARK.encode(),
    )
    world.ledger.append([leaf], world.now)
    world.ledger.checkpoint(world.now)
    ids["index"] = str(world.ledger.size - 1)


def body_for(document: dict[str, Any], said: dict[str, Any], ids: Ids, head: str) -> dict[str, Any]:
    """What httpx sends for an operation: its body's example, naming the objects of ``ids``."""
    content = said.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
        example = exemplified(document)["components"]["schemas"][name].get("examples", [{}])[0]
        return {"json": _aimed(example, ids, head)}
    return {"content": MARK.encode()} if content else {}


def _aimed(value: Any, ids: Ids, head: str) -> Any:
    if not isinstance(value, dict):
        return value
    known = {
        "groups": [ids["group"]],
        "attachments": [ids["digest"]],
        "person": "analyst",
        "owner": "analyst",
    }
    aimed = {}
    for name, old in value.items():
        given = known.get(name, ids.get(f"{head}/{name}", ids.get(name)))
        fits = given is not None and type(given) is type(old) and MARK not in given
        aimed[name] = given if fits else _aimed(old, ids, head)
    return aimed


def _json(answer: Any) -> Any:
    assert answer.status_code < 300, (str(answer.request.url), answer.status_code, answer.text)
    return answer.json()


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def as_text(answer: Any) -> str:
    """What an answer says, with escapes undone, for a search in it."""
    try:
        return json.dumps(answer.json(), ensure_ascii=False)
    except ValueError:
        return str(answer.content)
