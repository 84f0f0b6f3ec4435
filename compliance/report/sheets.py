"""The tables of a report as sheets of a workbook: every row, none left out for paper's sake."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from compliance.evaluation import VERDICTS
from compliance.report.model import SEVERITIES_ZH, Report, rate_of
from compliance.report.numbers import percent

Row = Sequence[str | int | None]


class Sheet(NamedTuple):
    """One sheet: its name, head and rows."""

    title: str
    head: Sequence[str]
    rows: Sequence[Row]


def sheets_of(report: Report) -> Iterable[Sheet]:
    """The sheets after the summary."""
    yield from _standing(report)
    yield from _results(report)
    yield from _scores(report)
    yield from _operations(report)
    yield Sheet(
        "证据",
        ("账本叶", "类别", "对象", "时间", "采集者", "载荷 SM3"),
        [(e.leaf, e.kind, e.subject, e.time, e.actor, e.payload_sm3) for e in report.evidence],
    )


def _standing(report: Report) -> Iterable[Sheet]:
    yield Sheet(
        "定级对象",
        ("编号", "名称", "单位", "等级", "SAG", "阶段", "备案证明号", "有效期至",
         "测评", "下次测评", "密评", "下次密评", "符合率", "提醒"),
        [
            (
                s.id, s.name, s.unit_name, s.level, s.grade, s.stage, s.filing_number, s.filing_expires,
                s.assessed, s.assessment_due, s.crypto_assessed, s.crypto_due,
                percent(s.rate), "；".join(s.warnings),
            )
            for s in report.systems
        ],
    )  # fmt: skip
    yield Sheet(
        "六层",
        ("层面", *VERDICTS, "符合率", "上期"),
        [
            (r.name, *(r.counts[v] for v in VERDICTS), percent(r.rate), percent(r.before))
            for r in report.layers
        ],
    )
    yield Sheet(
        "趋势", ("月份", "符合率", "已判定"), [(p.month, percent(p.rate), p.decided) for p in report.trend]
    )
    yield Sheet(
        "各单位",
        ("代码", "单位", "定级对象", *VERDICTS, "符合率", "逾期整改"),
        [
            (
                a.code,
                a.name,
                a.systems,
                *(a.counts[v] for v in VERDICTS),
                percent(rate_of(a.counts)),
                a.overdue,
            )
            for a in report.areas
        ],
    )


def _results(report: Report) -> Iterable[Sheet]:
    yield Sheet(
        "检查项",
        (
            "编号",
            "定级对象",
            "层面",
            "检查项",
            "级别",
            "GB/T 22239 条款",
            "结论",
            "理由",
            "评估时间",
            "账本叶",
        ),
        [
            (
                c.id,
                c.system,
                c.layer,
                c.title,
                c.severity,
                c.clauses,
                c.verdict,
                c.reason,
                c.evaluated,
                c.leaf,
            )
            for c in report.checks
        ],
    )
    yield Sheet(
        "高风险线索",
        ("定级对象", "检查项", "名称", "级别", "判例号", "A 码", "结论", "缓解措施", "已整改"),
        [
            (
                r.system, r.check, r.title, r.severity, r.cases, r.triggers, r.verdict, r.mitigation,
                "是" if r.mended else "否",
            )
            for r in report.risks
        ],
    )  # fmt: skip


def _scores(report: Report) -> Iterable[Sheet]:
    yield Sheet(
        "自评",
        (
            "定级对象",
            "模板",
            "自评结论",
            "符合率%",
            "已判定%",
            "测评项",
            "未缓解高风险",
            "已缓解",
            "重大风险",
            "已整改",
            "规则",
        ),
        [
            (
                s.system,
                s.template,
                s.conclusion,
                "—" if s.rate is None else f"{s.rate:.1f}",
                f"{s.decided:.1f}",
                s.items,
                s.high_risks,
                s.mitigated,
                s.major_risks,
                s.rectified,
                s.rule,
            )
            for s in report.scores
        ],
    )


def _operations(report: Report) -> Iterable[Sheet]:
    yield Sheet(
        "告警",
        ("告警", "类别", "级别", "实体", "次数", "最早", "最近", "状态", "定性"),
        [
            (
                a.title, a.category, a.severity, a.entity, a.count, a.first_seen, a.last_seen, a.state,
                a.classification,
            )
            for a in report.alerts
        ],
    )  # fmt: skip
    yield Sheet(
        "告警类级",
        ("类别", *SEVERITIES_ZH.values()),
        [
            (name, *(row.get(key, 0) for key in SEVERITIES_ZH))
            for name, row in report.alert_figures.matrix.items()
        ],
    )
    yield Sheet(
        "整改单",
        ("编号", "定级对象", "检查项", "级别", "状态", "责任人", "下发", "期限", "闭环", "逾期",
         "复测不通过"),
        [
            (
                o.number, o.system, o.check, o.severity, o.state, o.owner, o.issued, o.deadline, o.closed,
                "是" if o.overdue else "否", o.retests_failed,
            )
            for o in (report.orders.rows if report.orders else ())
        ],
    )  # fmt: skip
    yield Sheet(
        "传感器",
        ("传感器", "类型", "主机", "状态", "最近", "断档", "缺失事件"),
        [(s.id, s.kind, s.host, s.state, s.last_seen, s.gaps, s.lost) for s in report.sensors],
    )
    yield Sheet(
        "日志留存",
        ("来源", "最早事件", "留存天数", "本期断档", "缺失事件"),
        [(r.source, r.oldest, r.days, r.gaps, r.lost) for r in report.retention],
    )
    yield Sheet(
        "闸口",
        ("时间", "闸口", "拒绝事由"),
        report.gates.refusals if report.gates else (),
    )
    yield Sheet(
        "导入",
        ("定级对象", "类别", "时间", "条数", "原件 SM3"),
        [msgspec.structs.astuple(one) for one in report.imports],
    )
