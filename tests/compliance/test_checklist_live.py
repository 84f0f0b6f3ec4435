"""Each check that asks an imported document: what satisfies it, and what does not."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.checklist import load_checklist
from compliance.documents import Imported, facts_of, load_kinds, read_document
from compliance.evaluation import evaluate
from rules import ROOT

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
CHECKS = {check.id: check for check in load_checklist(ROOT / "checklist")}
KINDS = load_kinds(ROOT / "mappings" / "documents.yaml")
T = (NOW - timedelta(minutes=1)).isoformat()
D, OLD, FAR = "2026-11-20", "2026-01-01", "2027-06-30"

# kind: header, a row that satisfies, a row that does not
SAMPLES = {
    "access.records": ("room,latest,unregistered", f"A,{T},0", f"A,{T},2"),
    "surveillance.state": ("device,checked,online,retention_days", f"nvr,{T},是,90", f"nvr,{T},是,30"),
    "ups.state": ("device,measured,minutes_left,self_test", f"u,{T},40,通过", f"u,{T},5,通过"),
    "environment.readings": ("room,measured,celsius,humidity", f"A,{T},22.5,50", f"A,{T},33,50"),
    "leak.state": ("place,measured,wet,tested", f"A,{T},否,{D}", f"A,{T},是,{D}"),
    "firewall.policy": (
        "device,rule,source,destination,service,action,hits,expires",
        "f,1,10.0.0.1,10.0.0.2,443,permit,7,\nf,2,any,any,any,deny,9,",
        "f,1,any,any,any,permit,7,\nf,2,any,any,any,deny,9,",
    ),
    "switch.ports": ("device,port,up,approved", "s,1,是,是\ns,2,否,否", "s,1,是,否"),
    "wireless.access_points": ("name,address,authorised,controlled", "ap,00:11,是,是", "ap,00:11,否,是"),
    "gateway.protection": ("device,signatures,licence_until", f"g,{D},{FAR}", f"g,{OLD},{FAR}"),
    "capacity.state": ("device,measured,peak_percent,redundant", f"c,{T},60,是", f"c,{T},95,是"),
    "boundary.logs": ("device,latest,complete_percent", f"b,{T},99", f"b,{T},80"),
    "maintenance.windows": ("channel,checked,reachable,approved", f"v,{T},否,否", f"v,{T},是,否"),
    "bastion.logins": ("bastion,until,logins,single_factor", f"b,{T},20,0", f"b,{T},20,1"),
    "vulnerability.scan": (
        "host,id,severity,found,internet,fixed",
        f"h,CVE-1,高危,{D},否,否",
        f"h,CVE-1,高危,{OLD},否,否",
    ),
    "backup.jobs": ("job,finished,result", f"a,{T},成功", f"a,{T},失败"),
    "backup.restores": ("job,restored,result", f"a,{D},成功", f"a,{OLD},成功"),
    "replication.state": (
        "service,measured,lag_seconds,remote,standby",
        f"s,{T},5,是,是",
        f"s,{T},900,是,是",
    ),
    "keys.register": ("key,use,created,expires", f"k,传输,{OLD},{FAR}", f"k,传输,{OLD},{OLD}"),
    "application.logs": ("application,latest,complete_percent", f"a,{T},98", f"a,{T},50"),
    "exposure.list": ("name,port,registered,needed", "w,443,是,是", "w,8080,否,是"),
    "interfaces.register": ("interface,authenticated,audited", "/a,是,是", "/a,否,是"),
    "releases.register": ("application,version,approved,matches", "a,1,是,是", "a,1,是,否"),
    "page.checks": ("site,checked,unchanged,hidden_links,banned_words", f"w,{T},是,0,0", f"w,{T},否,0,0"),
    "code.scan": ("application,scanned,critical,high", f"a,{D},0,0", f"a,{D},1,0"),
    "incident.register": ("incident,found,in_time,reviewed", f"i,{T},是,否", f"i,{T},否,否"),
    "changes.register": ("object,change,matched", "h,port,是", "h,port,否"),
    "leavers.list": ("person,left,disabled_after_days", f"p1,{D},0", f"p1,{D},3"),
    "outsiders.list": ("account,approved,until,disabled", f"x,是,{FAR},否", f"x,是,{OLD},否"),
    "zones.compare": ("segment,filed,isolated", "10.1.0.0/24,是,是", "10.9.0.0/24,否,是"),
}
ASKED = sorted(
    (check.id, test.fact.removeprefix("import."))
    for check in CHECKS.values()
    for test in check.tests
    if test.fact.startswith("import.")
)


def test_every_document_a_check_asks_has_its_samples() -> None:
    assert {kind for _, kind in ASKED} == set(SAMPLES)
    assert set(SAMPLES) <= set(KINDS)


@pytest.mark.parametrize(("check", "kind"), ASKED)
def test_a_good_document_satisfies_and_a_bad_one_does_not(check: str, kind: str) -> None:
    header, *samples = SAMPLES[kind]
    for sample, expected in zip(samples, ("satisfied", "unsatisfied"), strict=True):
        rows = read_document(KINDS[kind], f"{header}\n{sample}\n".encode())
        document = Imported(id=1, system="s", kind=kind, time=NOW, actor="user:a", sm3="", rows=rows)
        facts = {f"import.{kind}": facts_of(KINDS[kind], document, NOW)}
        found = evaluate(CHECKS[check], system="s", facts=facts, now=NOW)
        states = [finding.state for finding in found.findings if finding.fact == f"import.{kind}"]
        assert states == [expected], sample


def test_every_check_can_be_answered_by_a_probe_or_a_person() -> None:
    for check in CHECKS.values():
        assert check.tests or check.form, check.id
        assert (check.form is not None) == (check.method != "probe"), check.id
        assert not check.remedy.zh.startswith("接入或提交证据") or check.form, check.id


def test_every_fact_a_check_asks_exists_somewhere() -> None:
    probes = (ROOT.parent / "docs" / "reference" / "probes.md").read_text("utf-8")
    own = {
        "sensor.host",
        "sensor.network",
        "ledger.state",
        "retention.events",
        "assets.registered",
        "alerts.open",
        "registry.system",
        "orders.state",
        "certificates.installed",
        "transfer.channels",
        "transfer.sealed",
        "transfer.bound",
        "center.accounts",
    }
    for check in CHECKS.values():
        for test in check.tests:
            known = test.fact in own or test.fact.removeprefix("import.") in KINDS
            assert known or f"\n## {test.fact}\n" in probes, f"{check.id} asks {test.fact}"
