"""The annexes of the monthly report: every check, sensors, evidence, how the numbers were counted."""

from collections.abc import Iterable
from typing import Final

from compliance.report.blocks import Block, Code, Heading, Note, Page, Paragraph, Table
from compliance.report.model import TEMPLATE_VERSION, VERDICT_RULE, Report
from compliance.report.standing import shortfalls

CHECKS_MAX: Final = 400  # printed; a province's thousands stand in the workbook
_EVIDENCE_MAX: Final = 120


def blocks_of(report: Report) -> Iterable[Block]:
    """All annexes; the wide ones lie across."""
    yield Page(wide=True)
    yield Heading("附件一　检查项明细", 0)
    several = len(report.systems) > 1
    checks = shortfalls(report) if several else report.checks
    if several:
        yield Paragraph("多个定级对象时此处只列不符合与部分符合项，其余各项见附件工作簿。")
    yield Table(
        head=("编号", "定级对象", "层面", "检查项", "级别", "条款", "结论", "理由", "评估时间", "叶"),
        widths=(0, 1, 0, 1.5, 0, 2.4, 0, 2.6, 0, 0),
        rows=tuple(
            (
                c.id,
                c.system,
                c.layer,
                c.title,
                c.severity,
                c.clauses,
                c.verdict,
                c.reason,
                c.evaluated or "—",
                "—" if c.leaf is None else str(c.leaf),
            )
            for c in checks[:CHECKS_MAX]
        ),
    )
    yield from _rest(len(checks), CHECKS_MAX)
    yield from _evidence(report)
    yield Page()
    yield from _sensors(report)
    yield Heading("附件四　账本检查点", 0)
    yield Paragraph("检查点如下，可用 liuhe evidence verify 校验，或用存证包内的 verify.py 独立校验。")
    if report.checkpoint:
        yield Code(report.checkpoint)
    else:
        yield Note("账本尚无检查点。")
    yield from _method(report)


def _sensors(report: Report) -> Iterable[Block]:
    yield Heading("附件三　传感器与断档", 0)
    if not report.sensors:
        yield Note("本期没有传感器。")
        return
    yield Table(
        head=("传感器", "类型", "主机", "状态", "最近", "断档", "缺失事件"),
        widths=(1.4, 0, 1.2, 0, 0, 0, 0),
        rows=tuple(
            (s.id, s.kind, s.host, s.state, s.last_seen, str(s.gaps), str(s.lost)) for s in report.sensors
        ),
    )


def _evidence(report: Report) -> Iterable[Block]:
    yield Heading("附件二　证据清单", 0)
    if not report.evidence:
        yield Note("本期检查结论尚无账本记录。")
        return
    yield Table(
        head=("叶", "对象", "时间", "采集者", "载荷 SM3"),
        widths=(0, 1, 0, 0, 0),
        rows=tuple(
            (str(e.leaf), e.subject, e.time, e.actor, e.payload_sm3) for e in report.evidence[:_EVIDENCE_MAX]
        ),
    )
    yield from _rest(len(report.evidence), _EVIDENCE_MAX)


def _method(report: Report) -> Iterable[Block]:
    yield Heading("附件五　口径说明", 0)
    for line in (
        f"模板第 {TEMPLATE_VERSION} 版；检测规则 {report.rules} 条；统计时区北京时间（UTC+8）。",
        f"{VERDICT_RULE.zh}。分母为已判定项次，多个定级对象逐项累计。",
        "检查结论取数据截止时刻有效者：证据过有效期的按未知计。上期与历史各月取当月末时刻的结论。",
        "高风险与重大风险隐患线索由检查项对应条款的判例号给出，数量按整改前计，须由人判定。",
        "告警类别为本平台按 ATT&CK 战术向 GB/T 20986-2023 大类的归并，供态势参考，不作事件定级。",
        "自查结果不替代等级测评；涉密信息系统不得纳入本平台。",
    ):
        yield Paragraph(line)


def _rest(total: int, printed: int) -> Iterable[Block]:
    if total > printed:
        yield Note(f"以上为前 {printed} 行，其余 {total - printed} 行见附件工作簿。")
