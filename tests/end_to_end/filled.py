"""A center with something on every page, and which page is whose."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from person import people

from running_center import RunningCenter, until
from soc_api.drill_actions import suspicious_command

SHELL: Final = "84c4933b-67cc-4801-b4b2-af9a4dde0a16"  # a reverse shell's words on a command line
UNIT: Final = "320100-kan"
ROLES: Final = ("shift_lead", "system_admin", "security_admin", "audit_admin")


@dataclass(frozen=True)
class Shown:
    """A page by its address below the console's, and the role that looks at it."""

    name: str
    path: str
    role: str = "shift_lead"


class Filled:
    """The people, and what they made: an alert, an incident, a notice, an exception, a report, a system."""

    def __init__(self, center: RunningCenter, mark: str) -> None:
        self.center = center
        names = {f"kan-{role.replace('_', '-')}{mark}": role for role in ROLES}
        made = people(center, {name: (role, "") for name, role in names.items()})
        self.people = {role: made[name] for name, role in names.items()}
        self.lead = self.people["shift_lead"]
        suspicious_command(f"look{mark}")
        self.group = str(until(self._group, 60.0, 0.5))
        self.unit = str(self.lead.get("/sensors")["unit"])
        self.host = str(self.lead.get(f"/alerts/{self.group}")["group"]["entity"]).removeprefix("host:")
        self._system()
        self.incident = self._incident()
        self.notice = self._notice()
        self.exception = self._exception()
        month = datetime.now(UTC).strftime("%Y-%m")
        self.report = self._first("/reports") or self._made("/reports", month=month)["id"]

    def pages(self) -> list[Shown]:
        """Every page of the console, those with a list also with one of its rows open."""
        sensors = self.lead.get("/sensors")["rows"]
        shown = {
            "overview": "",
            "alerts": "alerts",
            "alert": f"alerts/{self.group}",
            "exceptions": "exceptions",
            "exception": f"exceptions/{self.exception}",
            "playbooks": "playbooks",
            "hunt": "hunt?q=process.name%3A*",
            "entity": f"entities/host/{self.host}",
            "attack": "attack",
            "technique": "attack/T1059",
            "incidents": "incidents",
            "incident": f"incidents/{self.incident}",
            "notices": "notices",
            "notice": f"notices/{self.notice}",
            "rules": "rules",
            "rule": f"rules/{SHELL}",
            "registry": f"registry?unit={UNIT}",
            "system": "registry/kan-menhu",
            "assets": "assets",
            "host": f"assets/{quote(sensors[0]['unit'], safe='')}/{self.host}",
            "checks": "checks",
            "check": "checks/PLT-01",
            "attestations": "attestations",
            "orders": "orders",
            "gates": "gates",
            "evidence": "evidence",
            "sensors": "sensors",
            "sensor": f"sensors/{quote(sensors[0]['id'], safe='')}",
            "reports": "reports",
            "report": f"reports/{self.report}",
            "transfers": "transfers",
            "tokens": "tokens",
            "password": "password",
            "missing": "nowhere",
            "wall": "wall",
        }
        others = [
            Shown("keys", "keys", "system_admin"),
            Shown("accounts", "accounts", "system_admin"),
            Shown("forbidden", "forbidden", "system_admin"),
            Shown("grants", "accounts", "security_admin"),
            Shown("kiosks", "tokens", "security_admin"),
            Shown("changes", "changes", "security_admin"),
            Shown("webhooks", "webhooks", "security_admin"),
            Shown("audit", "audit", "audit_admin"),
            Shown("login", "login", ""),
            Shown("setup", "setup", ""),
        ]
        return [Shown(name, path) for name, path in shown.items()] + others

    def kiosk(self) -> str:
        """A token of a screen on the wall."""
        made = self.people["security_admin"].post("/kiosks", json={"name": "指挥大厅", "days": 1})
        return str(made["text"])

    def close(self) -> None:
        """Everybody leaves."""
        for person in self.people.values():
            person.close()

    def _group(self) -> str:
        return str(self._first("/alerts", q=f"rule:{SHELL}", state="all"))

    def _first(self, path: str, key: str = "id", **asked: Any) -> Any:
        rows = self.lead.get(path, **asked)["rows"]
        return rows[0][key] if rows else ""

    def _made(self, path: str, **body: Any) -> Any:
        return self.lead.post(path, json=body)

    def _system(self) -> None:
        if any(one["code"] == UNIT for one in self.lead.get("/units")["rows"]):
            return
        self.lead.put(
            f"/units/{UNIT}", json={"name": "南京市数据局", "parent": self.unit, "kind": "department"}
        )
        self.lead.put("/systems/kan-menhu", json={"unit": UNIT, "name": "政务服务门户", "grade": "S3A3G3"})

    def _incident(self) -> str:
        held = self._first("/incidents", "number", group=self.group)
        if held:
            return str(held)
        made = self._made("/incidents", groups=[self.group], title="办公主机执行可疑命令", grade=3, unit=UNIT)
        return str(made["incident"]["number"])

    def _notice(self) -> int:
        made = self._made(
            "/notices",
            kind="rectification",
            title="关于限期整改弱口令的通知",
            text="近日监测发现弱口令。\n请立即修改并反馈。",
            receivers=[UNIT],
        )
        return int(made["notice"]["id"])

    def _exception(self) -> str:
        found = self._first("/exceptions")
        if found:
            return str(found)
        made = self._made(
            "/exceptions",
            title="巡检脚本的命令",
            condition='process.command_line:"patrol"',
            rules=[SHELL],
            unit=self.unit,
            below=True,
            reason="每日巡检,已与系统负责人核实",
            owner=self.lead.name,
            begins=None,
            expires=(datetime.now(UTC) + timedelta(days=30)).isoformat(),
        )
        return str(made["id"])
