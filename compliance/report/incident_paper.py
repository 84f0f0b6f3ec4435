"""Reports of incidents as papers: the form of 首报, 续报 and 总结报告, as stated when it was given."""

from typing import Final

from compliance.incident import Filing, Incident
from compliance.incident_rules import IncidentRules
from compliance.report.paper import Paper
from compliance.report.times import ZONE, minute

DRAFT: Final = "报告底稿,以本单位盖章报送件为准"


def filing_paper(
    incident: Incident, filing: Filing, rules: IncidentRules, *, center: str, watermark: str
) -> Paper:
    """The form of one report of the chain."""
    stated = filing.stated
    grade = next(one.zh for one in rules.classification.grades if one.grade == stated.grade)
    kind = f"{stated.category}({stated.kind})" if stated.kind else stated.category
    head = [
        ("报告编号", f"{incident.number}-{filing.number}"),
        ("报告单位", stated.unit_name),
        ("涉事系统", f"{stated.system_name}({stated.system})" if stated.system else "未涉及已登记系统"),
        ("事件名称", stated.title),
        ("类别与级别", f"{kind},{grade}事件(GB/T 20986-2023)"),
        ("发现时间", minute(stated.discovered)),
        ("发生地点", stated.place),
        ("涉及人数", f"{stated.persons} 人个人信息" if stated.persons else "未涉及或不详"),
        ("关联告警", f"{stated.alerts} 组"),
        ("处置负责人", stated.owner.removeprefix("user:")),
    ]
    if stated.ended is not None:
        head.append(("处置结束", minute(stated.ended)))
    asked = [one for one in rules.form.fields if filing.kind in one.asked]
    said = [(one.zh, filing.fields.get(one.name, "")) for one in asked]
    way = [("报送对象", filing.to), ("报送方式", filing.channel), ("报送时间", minute(filing.sent))]
    sent = filing.sent.astimezone(ZONE)
    return Paper(
        title=rules.form.titles[filing.kind].zh,
        marking="内部资料",
        rows=tuple(head + said + way),
        signer=f"报告单位:{stated.unit_name}",
        day=f"{sent.year}年{sent.month}月{sent.day}日",
        notes=(DRAFT, f"内容项依据:{rules.form.source}(核对程度 {rules.form.confidence})"),
        watermark=watermark,
        author=center,
        created=minute(filing.recorded),
    )
