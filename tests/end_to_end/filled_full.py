"""More for the pictures of a center: papers half-way, tasks, statements, a token, a subscription, changes."""

from datetime import UTC, datetime, timedelta

from filled import SHELL, UNIT, Filled
from person import Person

from crypto.keys import SigningKey

MIDDLE = "320100-shuju"


def fill(filled: Filled) -> None:
    """What the pages show beyond the first row; once in a center's life."""
    officer = Person(filled.center, f"{filled.lead.name}-heguan", "compliance_officer")
    analyst = Person(filled.center, f"{filled.lead.name}-fenxi", "analyst")
    now = datetime.now(UTC)
    _registry(filled, officer, now)
    _statements(filled, officer)
    _incidents(filled, analyst, now)
    _notices(filled, officer)
    _platform(filled, analyst)
    _alerts(filled, analyst)
    for person in (officer, analyst):
        person.close()


def _registry(filled: Filled, officer: Person, now: datetime) -> None:
    place = {"name": "南京市政务服务中心", "parent": filled.unit, "kind": "institution"}
    officer.put(f"/units/{MIDDLE}", json=place)
    system = {"unit": MIDDLE, "name": "一网通办平台", "grade": "S3A3G3", "internet": True, "critical": True}
    officer.put("/systems/kan-yiwang", json=system)
    day = (now - timedelta(days=40)).date().isoformat()
    for step in ("grade", "expert-review", "approve", "file"):
        body = {"step": step, "day": day, "document": "32010099-25001", "authority": "南京市公安局"}
        officer.post("/systems/kan-yiwang/steps", json=body)
    host = {
        "name": filled.host,
        "kind": "host",
        "address": "192.0.2.2",
        "owner": "张三",
        "location": "机房 B2-07",
    }
    officer.post("/systems/kan-yiwang/assets", json=host)
    contact = {"duty": "security-officer", "name": "李四", "phone": "025-0000000", "system": "kan-yiwang"}
    officer.post(f"/units/{MIDDLE}/contacts", json=contact)


def _statements(filled: Filled, officer: Person) -> None:
    file = officer.attach("登录超时测试.pdf", b"%PDF-1.7 look")
    order = {
        "check": "APP-01",
        "verdict": "符合",
        "answers": {"application": "一网通办", "day": datetime.now(UTC).date().isoformat(), "lock": "5"},
        "attachments": [file],
        "valid_days": 30,
    }
    made = officer.post("/attestations", json=order)
    filled.lead.post(f"/attestations/{made['id']}/review", json={"accept": True})
    today = datetime.now(UTC).date().isoformat()
    waiting = {
        **order,
        "check": "PHY-03",
        "answers": {"report": "XF-2026-118", "day": today, "result": "合格"},
    }
    officer.post("/attestations", json=waiting)
    officer.bring("backup.jobs", f"任务,完成时间,结果\n业务库全量,{datetime.now(UTC).isoformat()},成功\n")
    key = SigningKey.generate().public.pem().decode()
    filled.people["system_admin"].post("/person-keys", json={"person": officer.name, "public_pem": key})
    number = filled.lead.get("/orders")["rows"][0]["number"]
    officer.post(
        f"/orders/{number}/answer", json={"note": "已安装时间同步服务,请复测", "attachments": [file]}
    )
    officer.post("/gates/go-live/ask", json={"about": "v2.4.1"})
    asked = {"gate": "go-live", "checks": ["NET-02"], "reason": "防火墙策略下周导入,先行上线", "hours": 24}
    officer.post("/gates/overrides", json=asked)
    officer.post("/checks/evaluate")


def _incidents(filled: Filled, analyst: Person, now: datetime) -> None:
    path = f"/incidents/{filled.incident}"
    analyst.post(f"{path}/steps", json={"step": "accept", "note": "已受理"})
    due = (now + timedelta(hours=4)).isoformat()
    task = {"title": "隔离主机并保存内存", "owner": f"user:{analyst.name}", "due": due}
    analyst.post(f"{path}/tasks", json=task)
    analyst.post(f"{path}/notes", json={"note": "已电话通知单位负责人"})
    fields = {"facts": "办公主机执行可疑命令", "harm": "一台主机受影响", "measures": "已断网并保存内存"}
    filing = {"kind": "first", "to": "省级网信部门", "channel": "电话", "fields": fields}
    analyst.post(f"{path}/filings", json=filing)
    for title, grade in (("政务门户页面被篡改", 2), ("单位邮箱收到钓鱼邮件", 4)):
        analyst.post("/incidents", json={"title": title, "grade": grade, "unit": filled.unit, "persons": 3})


def _notices(filled: Filled, officer: Person) -> None:
    """One paper waits for its review, one is issued."""
    made = []
    for title in ("关于境外地址扫描的预警通报", "关于处置挖矿程序的通知"):
        body = {
            "kind": "warning",
            "title": title,
            "text": "请立即排查并于三日内反馈处置结果。",
            "receivers": [UNIT, MIDDLE],
        }
        one = officer.post("/notices", json=body)["notice"]["id"]
        officer.post(f"/notices/{one}/steps", json={"step": "submit"})
        made.append(one)
    for person, step in ((filled.lead, "approve"), (filled.people["security_admin"], "issue")):
        person.post(f"/notices/{made[1]}/decide", json={"step": step, "note": "同意"})


def _platform(filled: Filled, analyst: Person) -> None:
    security = filled.people["security_admin"]
    token = {"name": "上级平台取数", "permissions": ["alerts.read", "events.search"], "source": "192.0.2.7"}
    analyst.post("/tokens", json=token)
    filled.lead.post("/tokens", json={**token, "name": "工单系统", "source": ""})
    where = "http://127.0.0.1:9/liuhe"  # center.toml: [webhooks] private = ["127.0.0.0/8"]
    security.post(
        "/webhooks", json={"name": "工单平台", "url": where, "events": ["alerts"], "query": "severity:high"}
    )
    security.post(f"/rules/{SHELL}/disable", json={"reason": "误报较多,先停用观察"})
    account = {
        "username": f"{filled.lead.name}-xin",
        "display_name": "王五",
        "person": f"P-{filled.lead.name}",
    }
    filled.people["system_admin"].post("/accounts", json=account)
    sensor = {"kind": "host", "unit": filled.unit, "addresses": ["192.0.2.1:8601"]}
    filled.people["system_admin"].post("/sensors/tokens", json=sensor)
    now = datetime.now(UTC)
    draft = {"q": "process.name:nmap", "title": "主机上运行扫描工具", "level": "medium"}
    span = {"since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat()}
    analyst.post("/hunt/drafts", json={**draft, **span})


def _alerts(filled: Filled, analyst: Person) -> None:
    rows = filled.lead.get("/alerts", limit=12)["rows"]
    for row in rows[:3]:
        analyst.post(f"/alerts/{row['id']}/acknowledge")
    for row in rows[3:5]:
        body = {"classification": "benign_positive", "reason": "运维人员的计划操作"}
        analyst.post(f"/alerts/{row['id']}/close", json=body)
    by_phone = {"title": "电话报告:办公室收到勒索邮件", "reason": "前台转来电话", "severity": "high"}
    analyst.post("/alerts", json={**by_phone, "entity": f"host:{filled.host}"})
