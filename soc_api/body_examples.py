"""An example of every body a request takes, for the OpenAPI document where a body brings none of its own.

They are bodies somebody would send: each is accepted by its own schema.
"""

from typing import Any, Final

_DIGEST: Final = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
_GROUP: Final = "5f2b7c0e9d3a4416"
_WHY: Final = "已与系统负责人核实"

EXAMPLES: Final[dict[str, Any]] = {
    # session
    "Login": {"username": "lisi", "password": "Correct-horse-7", "code": "492039"},
    "PasswordChange": {"old": "Correct-horse-7", "new": "Battery-staple-8"},
    "ChallengeOrder": {"username": "lisi"},
    "FactorOrder": {"hash": "sm3"},
    "FactorCode": {"code": "492039"},
    # accounts, tokens, set-up
    "AccountOrder": {"username": "zhangsan", "display_name": "张三", "person": "工号 10086"},
    "GrantOrder": {"role": "analyst", "unit": "320000-local"},
    "IssueOrder": {"unbind": False},
    "DisableOrder": {"reason": "调离岗位"},
    "ApiTokenOrder": {"name": "月报脚本", "permissions": ["alerts.read"], "days": 90},
    "KioskOrder": {"name": "指挥大厅", "days": 180},
    "KioskLogin": {"token": "liuhe-kiosk-…"},
    "SetUpOrder": {
        "token": "liuhe-setup-…",
        "administrators": [
            {"role": "system_admin", "username": "wangwu", "display_name": "王五", "person": "工号 1"},
            {"role": "security_admin", "username": "zhaoliu", "display_name": "赵六", "person": "工号 2"},
            {"role": "audit_admin", "username": "sunqi", "display_name": "孙七", "person": "工号 3"},
        ],
    },
    # notices
    "NoticeDraft": {
        "kind": "rectification",
        "title": "关于弱口令整改的通知",
        "text": "请于期限内整改并反馈。",
        "receivers": ["320100"],
        "days": 15,
    },
    "PaperStepOrder": {"step": "submit", "note": "请审核"},
    "PaperDecision": {"step": "approve", "note": "同意"},
    "ReceiptStepOrder": {"step": "sign", "note": "收悉", "files": []},
    "ReceiptDecision": {"step": "pass", "note": "已复核"},
    # alerts
    "ActOrder": {"action": "acknowledge", "groups": [_GROUP]},
    "NewAlert": {
        "title": "群众来电反映网站被篡改",
        "reason": "首页出现异常链接",
        "severity": "high",
        "entity": "host:web-01",
    },
    "ViewOrder": {"name": "本班待办", "settings": {"q": "severity:high"}},
    "ShareOrder": {"role": "analyst"},
    "CloseAlert": {"classification": "benign_positive", "reason": _WHY},
    "SupportOrder": {"ticket": "WX-2026-118", "reason": "厂商排查采集中断", "hours": 2},
    "ChangeDecision": {"approve": True, "note": "已与值班长核对"},
    # names, hunt
    "RevealOrder": {"reason": "核实账号被盗用的当事人", "minutes": 10},
    "HuntViewOrder": {"name": "外联的口令爆破", "settings": {"q": "user.name:root"}, "shared": False},
    "RuleDraftOrder": {
        "q": "process.name:nc",
        "title": "监听的 nc",
        "level": "medium",
        "since": "2026-11-21T08:00:00Z",
        "until": "2026-11-22T08:00:00Z",
    },
    "RuleDraftDecision": {"reason": "命中准确"},
    # rules, sensors
    "ModelDecision": {"reason": "新版本误报明显增多"},
    "RuleDecision": {"reason": "误报过多,修订后再启用"},
    "RuleTrialOrder": {"event": '{"Image": "/usr/bin/nc", "CommandLine": "nc -l 4444"}'},
    "TokenOrder": {"kind": "host", "unit": "320000-local", "group": "数据库", "hours": 24},
    "RevokeSensor": {"reason": "主机报废"},
    "MoveSensor": {"unit": "320000-local", "group": "数据库"},
    # transfers
    "TransferOrder": {
        "channel": "city",
        "application": "苏数申〔2026〕7号",
        "purpose": "报送月度统计",
        "label": "一般",
        "marks": [],
        "days": 7,
        "files": ["0123456789abcdef0123456789abcdef"],
    },
    "TransferSign": {"passphrase": "opens-my-own-key"},
    "TransferRefusal": {"reason": "用途与申请不符"},
    # incidents
    "IncidentOrder": {"title": "网站首页被篡改", "unit": "320000-local", "note": "值班电话报告"},
    "IncidentChangeOrder": {"note": "核定等级", "grade": "3"},
    "IncidentStepOrder": {"step": "accept", "note": "已接收"},
    "IncidentDecision": {"step": "close", "note": "处置完毕"},
    "IncidentAlertsOrder": {"groups": [_GROUP], "note": "同一攻击来源"},
    "IncidentMerge": {"into": "2026-000001", "note": "同一事件"},
    "IncidentSplit": {"groups": [_GROUP], "title": "另一台主机上的爆破"},
    "TimelineEntry": {"note": "已断开外联", "at": "2026-11-22T08:00:00Z"},
    "TaskOrder": {"title": "固定日志", "owner": "lisi", "due": "2026-11-23T08:00:00Z"},
    "TaskChange": {"state": "done", "note": "已固定"},
    "FilingOrder": {"kind": "first", "to": "省公安厅网安总队", "channel": "电话", "fields": {}},
    # checks, attestations, gates, orders
    "StatementOrder": {
        "system": "local",
        "check": "DAT-12",
        "verdict": "符合",
        "answers": {"places": "南京政务云", "abroad": "否"},
        "valid_days": 90,
    },
    "SignedOrder": {"statement": "{}", "key": _DIGEST, "signature": "3044" * 16},
    "Review": {"accept": True, "note": "材料齐全"},
    "Withdrawal": {"note": "材料有误"},
    "PersonKeyOrder": {"person": "lisi", "public_pem": "-----BEGIN PUBLIC KEY-----\n…"},
    "GateAsk": {"about": "苏数申〔2026〕7号", "system": "local"},
    "OverrideOrder": {
        "gate": "transfer",
        "system": "local",
        "checks": ["PLT-01"],
        "reason": "抗洪救灾数据急送",
        "hours": 4,
    },
    "OverrideDecision": {"approve": True},
    "ReleaseOrder": {"reason": "抗洪救灾", "hours": 4},
    "OrderAnswer": {"note": "已完成整改", "attachments": []},
    "OrderRetest": {"passed": True, "note": "复测通过"},
    "OrderChange": {"note": "设备到货延迟", "deadline": "2026-12-05T08:00:00Z"},
    # registry, grading
    "UnitOrder": {"name": "某市数据局", "parent": "320100", "kind": "department"},
    "ContactOrder": {"duty": "leader", "name": "张三"},
    "SystemOrder": {"unit": "320000-local", "name": "政务服务平台", "grade": "S3A3G3"},
    "StepOrder": {"step": "grade", "day": "2026-11-22", "document": "定级报告"},
    "AssetOrder": {"name": "web-01", "kind": "host", "address": "192.0.2.10"},
    "ObjectOrder": {"kind": "room", "name": "一号机房"},
    "TaskDismissal": {"reason": "测试用机,已下线"},
    "ItemStatementOrder": {"item": "L3-8.1.1.1.a", "reason": "机房位于二层,附验收报告"},
    "ItemStatementReview": {"confirm": True, "note": "现场核实"},
    "ItemStatementWithdrawal": {"note": "表述有误"},
    # reports
    "ReportOrder": {"month": "2026-11"},
    "ReportTexts": {"texts": {"plan": "下月完成口令整改。"}},
    "ReportStepOrder": {"step": "prepare", "content_sm3": _DIGEST},
    "ReportSigning": {"content_sm3": _DIGEST},
    "ReportReturn": {"reason": "数字与附表不一致"},
    "InspectionOrder": {"audience": "police", "system": "local"},
}


def exemplified(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with an example on each of its request bodies."""
    schemas = document.get("components", {}).get("schemas", {})
    for name, example in EXAMPLES.items():
        if name in schemas:
            schemas[name].setdefault("examples", [example])
    for methods in document.get("paths", {}).values():
        for said in methods.values():
            _refusals_in_json(said["responses"])
    return document


def _refusals_in_json(answers: dict[str, Any]) -> None:
    """A route that streams lines refuses in JSON all the same."""
    for code, answer in answers.items():
        content = answer.get("content", {})
        if code.startswith(("4", "5")) and len(content) == 1 and "$ref" in str(content):
            answer["content"] = {"application/json": next(iter(content.values()))}
