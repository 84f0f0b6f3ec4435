"""Enforcement over real stores: a fault turns its check, opens the order, closes the gate, and goes again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.attestation import Attestation, Statement
from compliance.checklist import load_checklist
from compliance.enforcement import Enforcement, EnforcementJobs, open_enforcement
from compliance.result_store import ObjectResult
from compliance.service import Compliance, Parts
from crypto.keys import PublicKey, SigningKey
from rules import ROOT

CHECKS = load_checklist(ROOT / "checklist")
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Center:
    """A center with enforcement over the stores of a test world."""

    def __init__(self, world: Any, key: SigningKey) -> None:
        self.world, self.key = world, key
        self.enforcement: Enforcement = open_enforcement(world.engine, world.ledger, key, CHECKS, ROOT)
        parts = Parts(
            engine=world.engine,
            alerts=world.alerts,
            inventory=world.inventory,
            events=world.events,
            ledger=world.ledger,
            retention_days=190,
            rules_loaded=40,
            kinds=self.enforcement.kinds,
        )
        self.compliance = Compliance(parts, CHECKS)
        self.jobs = EnforcementJobs(self.enforcement, self.compliance)
        self.now = NOW

    def turn(self, later: timedelta = timedelta(seconds=1)) -> None:
        """Time goes on; the interval of the checks is over, then the beat comes."""
        self.now += later
        self.compliance.evaluate("system:jobs", self.now)
        self.jobs.beat(self.now)

    def verdict(self, check: str) -> str:
        page = self.compliance.check_page(self.now)
        return next(row.verdict for row in page.checks if row.id == check)

    def orders(self, check: str) -> list[str]:
        return [order.state for order in self.enforcement.order_rows.page(check=check)]

    def gate(self, name: str = "go-live") -> tuple[str, ...]:
        decision = self.enforcement.gates.ask(
            name,  # type: ignore[arg-type]
            "local",
            action=name,
            about="v1",
            decider="user:li",
            now=self.now,
        )
        return decision.failed

    def state(self, check: str, *, days: int = 90, author: str = "user:li", **given: object) -> Attestation:
        answers = {"places": "南京政务云", "abroad": "否"} if check == "DAT-12" else {}
        file = self.enforcement.statements.attach("声明书.pdf", b"%PDF-1.7", author, self.now)
        statement = Statement(
            system="local",
            object="",
            check=check,
            verdict="符合",
            reason="",
            answers=answers,
            attachments=(file.sm3,),
            author=author,
            made=self.now,
            expires=self.now + timedelta(days=days),
        )
        return self.enforcement.statements.submit(msgspec.structs.replace(statement, **given), self.now)

    def bring(self, kind: str, text: str) -> None:
        statements = self.enforcement.statements
        statements.bring("local", kind, text.encode(), f"{kind}.csv", "user:li", self.now)


@pytest.fixture
def center(world: Any, signing_key: SigningKey) -> Center:
    return Center(world, signing_key)


def results_of(center: Center, check: str) -> list[ObjectResult]:
    return [one for one in center.enforcement.results.of_system("local") if one.check == check]


def backup(center: Center, result: str) -> None:
    center.bring("backup.jobs", f"任务,完成时间,结果\n全量,{center.now.isoformat()},{result}\n")


def test_a_broken_backup_record_turns_its_check_opens_the_order_and_closes_the_gate(center: Center) -> None:
    center.bring("backup.restores", f"任务,演练日期,结果\n全量,{NOW.date()},成功\n")
    backup(center, "成功")
    center.turn()
    assert center.verdict("DAT-05") == "符合"
    assert center.orders("DAT-05") == []
    assert "DAT-05" not in center.gate()

    center.now += HOUR
    backup(center, "失败")
    center.jobs.beat(center.now)
    assert center.verdict("DAT-05") == "部分符合"
    assert center.orders("DAT-05") == ["issued"]
    assert "DAT-05" in center.gate()
    results = {one.object: one.verdict for one in results_of(center, "DAT-05")}
    assert results == {"全量": "部分符合"}

    center.now += HOUR
    backup(center, "成功")
    center.turn()
    assert center.verdict("DAT-05") == "符合"
    assert center.orders("DAT-05") == ["closed"]
    assert "DAT-05" not in center.gate()


def test_an_attestation_counts_once_reviewed_and_until_its_day(center: Center) -> None:
    made = center.state("DAT-12", days=30)
    assert made.state == "submitted", "a critical check needs a second person"
    center.turn()
    assert center.verdict("DAT-12") == "未知"
    center.enforcement.statements.review(made.id, accept=True, note="", actor="user:zhao", now=center.now)
    center.turn()
    assert center.verdict("DAT-12") == "符合"
    assert "DAT-12" not in center.gate()

    center.now += timedelta(days=30)
    center.jobs.beat(center.now)  # the freshness alone, no turn of the checks
    assert center.verdict("DAT-12") == "未知"
    assert "到期" in center.compliance.check_detail("DAT-12", center.now).check.reason.zh
    assert center.orders("DAT-12") == [], "DAT-12 names no days in its enforce list"
    assert "DAT-12" in center.gate()


def test_a_silent_probe_is_unknown_within_its_freshness(center: Center) -> None:
    fields = {
        "host.name": "web-01",
        "event.dataset": "probe",
        "gov.probe.id": "listeners.inventory",
        "gov.probe.value.high_risk_ports": [],
    }
    world = center.world
    world.alerts.commit([], [world.event(fields, NOW)], world.sequence, NOW)
    center.turn()
    assert center.verdict("PLT-06") == "未知", "the other two probes of it were never heard"
    result = {one.object: one for one in results_of(center, "PLT-06")}["web-01"]
    assert (result.verdict, result.at(NOW + timedelta(days=2))) == ("符合", "未知")
    evaluations = center.world.subjects("evaluation").count("checklist/system:local")
    center.now = NOW + timedelta(days=1, seconds=2)
    center.jobs.beat(center.now)
    assert center.world.subjects("evaluation").count("checklist/system:local") == evaluations + 1
    center.jobs.beat(center.now + timedelta(seconds=1))
    assert center.world.subjects("evaluation").count("checklist/system:local") == evaluations + 1
    assert center.orders("PLT-06") == ["issued"]


def test_every_act_has_one_leaf_and_a_signature_that_holds(center: Center) -> None:
    made = center.state("DAT-12")
    center.enforcement.statements.review(made.id, accept=False, note="附件不清", actor="user:zhao", now=NOW)
    center.gate()
    center.jobs.beat(center.now)
    center.jobs.beat(center.now + timedelta(seconds=1))
    subjects = center.world.subjects()
    for subject in ("attestation:1", "attestation:1/rejected", "decision:1"):
        assert subjects.count(subject) == 1
    kept = center.enforcement.attestations.get(made.id)
    assert kept.leaf is not None
    record = center.world.ledger.record(kept.leaf)
    payload = msgspec.json.decode(center.world.ledger.payload_of(record))
    public = PublicKey.from_pem(center.key.public.pem())
    signed = msgspec.json.encode(payload["statement"], order="sorted")
    public.verify(signed, bytes.fromhex(payload["signature"]["value"]))
    assert payload["signature"]["method"] == "center"
    assert kept.note == "附件不清"


def test_the_same_state_gives_the_same_verdicts(center: Center) -> None:
    backup(center, "成功")
    center.turn()
    first = center.enforcement.verdicts.newest("local")
    center.compliance.evaluate("system:jobs", center.now)
    second = center.enforcement.verdicts.newest("local")
    assert {name: one.leaf for name, one in first.items()} == {name: one.leaf for name, one in second.items()}


def heard(center: Center, fields: dict[str, Any]) -> None:
    """An event of web-01 at this moment."""
    world = center.world
    plain = {"host.name": "web-01", **fields}
    world.alerts.commit([], [world.event(plain, center.now)], world.sequence, center.now)


def probe(name: str, **values: Any) -> dict[str, Any]:
    told = {f"gov.probe.value.{key}": value for key, value in values.items()}
    return {"event.dataset": "probe", "gov.probe.id": name, **told}


def certificate(days: int) -> dict[str, Any]:
    ends = (NOW + timedelta(days=days)).isoformat()
    row = [
        "/etc/nginx/tls.pem",
        "CN=a",
        "CN=b",
        "01",
        NOW.isoformat(),
        ends,
        "EC",
        "sm2",
        "ab",
        "no",
        "no",
    ]
    columns = [
        "path",
        "subject",
        "issuer",
        "serial",
        "not_before",
        "not_after",
        "key",
        "signature",
        "sha256",
        "self_signed",
        "ca",
    ]
    return {
        "event.dataset": "inventory.certificates",
        "gov.inventory.kind": "certificates",
        "gov.inventory.columns": columns,
        "gov.inventory.items": ["\t".join(row)],
        "gov.inventory.count": 1,
        "gov.inventory.part": 1,
        "gov.inventory.parts": 1,
        "gov.inventory.digest": f"{days:064d}",
        "gov.inventory.method": "read",
    }


@pytest.mark.parametrize(
    ("check", "fact", "good", "bad", "gate"),
    [
        (
            "NET-08",
            "sshd.config",
            probe("sshd.config", installed=True, permit_empty_passwords=False),
            probe("sshd.config", installed=True, permit_empty_passwords=True),
            "transfer",
        ),
        (
            "PLT-06",
            "listeners.inventory",
            probe("listeners.inventory", high_risk_ports=[]),
            probe("listeners.inventory", high_risk_ports=["tcp/23"]),
            "go-live",
        ),
        ("NET-08", "certificates.installed", certificate(90), certificate(-1), "transfer"),
    ],
)
def test_a_fault_closes_its_gate_until_it_is_mended(
    center: Center, check: str, fact: str, good: dict[str, Any], bad: dict[str, Any], gate: str
) -> None:
    def state() -> set[str]:
        kept = center.enforcement.verdicts.newest("local")[check].evaluation
        return {finding.state for finding in kept.findings if finding.fact == fact}

    heard(center, good)
    center.turn()
    assert state() == {"satisfied"}
    assert center.orders(check) == []
    for told, found, orders in ((bad, "unsatisfied", ["issued"]), (good, "satisfied", ["closed"])):
        center.now += HOUR
        heard(center, told)
        center.turn()
        assert state() == {found}
        assert center.orders(check) == orders
        assert (check in center.gate(gate)) == (found == "unsatisfied" or gate == "go-live")


def test_a_center_that_has_just_been_made_opens_no_order_for_what_cannot_be_there_yet(center: Center) -> None:
    center.gate()
    center.jobs.place(center.now)  # a ledger without a leaf would be a fault of its own
    center.turn()
    assert center.verdict("MGT-08") == "不符合"
    assert center.verdict("MGT-01") == "不符合"
    assert center.enforcement.order_rows.page() == []
    center.turn(timedelta(minutes=15))
    assert [one.check for one in center.enforcement.order_rows.page()] == ["MGT-08"]
    center.turn(timedelta(days=3))
    assert center.orders("MGT-01") == ["issued"]


def test_a_sensor_that_stops_turns_its_check_within_minutes(center: Center) -> None:
    heard(
        center,
        {
            "event.dataset": "liuhe.heartbeat",
            "gov.sensor.kind": "host",
            "gov.sensor.version": "1",
            "gov.sensor.backlog": 0,
            "gov.sensor.events": 1,
            "gov.sensor.cpu_percent": 0.1,
            "gov.sensor.rss_bytes": 1,
            "gov.sensor.sources": ["processes=running"],
        },
    )
    center.turn()
    assert center.verdict("PLT-09") == "符合"
    center.turn(timedelta(minutes=2))
    assert center.verdict("PLT-09") == "不符合"
    assert center.orders("PLT-09") == ["issued"]
