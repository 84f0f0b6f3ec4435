"""What the test of the six faults works with: a center, its people, a faulty host, what holds for a check."""

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from faulty_host import Sensor
from person import Person

from crypto.keys import SigningKey
from running_center import RunningCenter


class ComplianceWorld:
    """The center, its people, the host and what holds for a check now."""

    def __init__(self, center: RunningCenter, base: Path, root: Path, address: str) -> None:
        self.center, self.root = center, root
        self.officer = Person(center, "heguan", "compliance_officer")
        self.lead = Person(center, "banzhang", "shift_lead")
        self.key = SigningKey.generate()
        pem = self.key.public.pem().decode()
        keeper = Person(center, "xitong", "system_admin")
        kept = keeper.post("/person-keys", json={"person": "heguan", "public_pem": pem})
        self.fingerprint = str(kept["fingerprint"])
        keeper.close()
        self.host = Sensor(center, base / "host", "host", address, self.root)
        self.network = Sensor(center, base / "network", "network", address, self.root)
        self.listener: socket.socket | None = None

    def close(self) -> None:
        for sensor in (self.host, self.network):
            sensor.stop()
        for person in (self.officer, self.lead):
            person.close()
        if self.listener is not None:
            self.listener.close()

    def backup(self, result: str) -> None:
        now = datetime.now(UTC)
        self.officer.bring("backup.jobs", f"任务,完成时间,结果\n业务库全量,{now.isoformat()},{result}\n")

    def restored(self) -> None:
        today = datetime.now(UTC).date()
        self.officer.bring("backup.restores", f"任务,演练日期,结果\n业务库全量,{today},成功\n")

    def state(self, holds: timedelta) -> None:
        """The officer states APP-01 under a key of their own; the shift's lead confirms it."""
        file = self.officer.attach("session-test.pdf", b"%PDF-1.7 " + os.urandom(8))
        today = datetime.now(UTC).date().isoformat()
        answers = {"application": "一网通办", "day": today, "lock": "5"}
        order = {"check": "APP-01", "verdict": "符合", "answers": answers, "attachments": [file]}
        draft = self.officer.post("/attestations/draft", json={**order, "valid_days": 1})["statement"]
        said = msgspec.json.decode(draft)
        until_when = datetime.fromisoformat(said["made"]) + holds
        said["expires"] = msgspec.to_builtins(until_when)
        data = msgspec.json.encode(said, order="sorted")
        signature = self.key.sign(data).hex()
        given = {"statement": data.decode(), "key": self.fingerprint, "signature": signature}
        made = self.officer.post("/attestations/signed", json=given)
        self.lead.post(f"/attestations/{made['id']}/review", json={"accept": True})

    def facts(self, check: str) -> dict[str, str]:
        """The state of each fact a check rests on; a fact of several objects has the worst."""
        told = self.officer.get(f"/checks/{check}/explanation")
        found: dict[str, str] = {}
        for one in told["objects"]:
            for reason in one["reasons"]:
                if found.get(reason["fact"], "satisfied") == "satisfied":
                    found[reason["fact"]] = reason["state"]
        return found

    def verdict(self, check: str) -> str:
        """The verdict of a check now."""
        return str(self.officer.get(f"/checks/{check}/explanation")["verdict"])

    def orders(self, check: str) -> list[str]:
        """The states of a check's orders, newest first."""
        return [row["state"] for row in self.officer.get("/orders", check=check)["rows"]]

    def against(self, gate: str) -> list[str]:
        """The checks that stand against a gate, asked for the record."""
        decision = self.officer.post(f"/gates/{gate}/ask", json={"about": "v2.4.1"})
        return [one["check"] for one in decision["grounds"] if one["state"] in ("failed", "unknown")]
