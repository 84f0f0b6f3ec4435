"""The chapters on how things stand: conclusion, graded systems, six layers, high risks."""

from collections.abc import Iterable
from typing import Final

from compliance.evaluation import VERDICTS
from compliance.report.blocks import Block, Chart, Heading, Note, Paragraph, Series, Table
from compliance.report.model import VERDICT_RULE, CheckLine, Report, rate_of
from compliance.report.numbers import ROWS_MAX, percent, points, share, tally

_SHORT_MAX: Final = 10
LEVELS_ZH: Final = {1: "第一级", 2: "第二级", 3: "第三级", 4: "第四级"}
_RANKS: Final = ("严重", "高", "中", "低")


def shortfalls(report: Report) -> list[CheckLine]:
    """Checks that fall short, the gravest first."""
    short = [check for check in report.checks if check.verdict in ("不符合", "部分符合")]
    return sorted(short, key=lambda c: (_RANKS.index(c.severity), c.verdict != "不符合", c.id, c.system))


def conclusion(report: Report) -> Iterable[Block]:
    """One page in numbers."""
    orders = report.orders
    yield Paragraph(
        f"本期纳入定级对象 {len(report.systems)} 个，评估检查项 {len(report.checks)} 项次，"
        f"其中{tally(report.totals, VERDICTS, '项')}；已判定项符合率 {percent(report.rate)}。"
    )
    yield Paragraph(
        f"本中心本期采集事件 {report.events_total} 条；所报范围内告警组 {report.alert_figures.total} 个；"
        + (
            f"整改单下发 {orders.issued} 件，闭环 {orders.closed} 件，逾期 {orders.overdue} 件；"
            if orders
            else ""
        )
        + f"证据账本共 {report.ledger_size} 条记录。"
    )
    yield Paragraph(f"口径：{VERDICT_RULE.zh}。统计时区为北京时间，区间为当月首日零时至次月首日零时。")
    unknown = report.totals["未知"]
    if unknown:
        yield Note(f"仍有 {unknown} 项次为未知（无遥测、证据过期或缺人工证明），不计入符合率，详见附件一。")


def systems(report: Report) -> Iterable[Block]:
    """The graded systems with their filing and assessments."""
    if not report.systems:
        yield Note("尚未登记定级对象。")
        return
    levels = [one.level for one in report.systems]
    counted = "，".join(
        f"{LEVELS_ZH[level]} {levels.count(level)} 个" for level in (4, 3, 2, 1) if level in levels
    )
    yield Paragraph(
        f"共 {len(levels)} 个定级对象：{counted}；"
        f"已备案 {sum(bool(s.filing_number) for s in report.systems)} 个，"
        f"已测评 {sum(bool(s.assessed) for s in report.systems)} 个，"
        f"已密评 {sum(bool(s.crypto_assessed) for s in report.systems)} 个。"
    )
    yield Table(
        caption="表 1　定级对象清单",
        head=("名称", "单位", "SAG", "备案证明号", "有效期至", "测评日期", "密评日期", "符合率"),
        widths=(1.3, 1, 0, 0, 0, 0, 0, 0),
        rows=tuple(
            (
                s.name,
                s.unit_name,
                s.grade,
                s.filing_number or "—",
                s.filing_expires or "—",
                s.assessed or "—",
                s.crypto_assessed or "—",
                percent(s.rate),
            )
            for s in report.systems[:ROWS_MAX]
        ),
    )
    yield from _scores(report)
    warned = [f"{s.name}：{one}" for s in report.systems for one in s.warnings]
    if warned:
        yield Paragraph("需要关注：" + "；".join(warned[:ROWS_MAX]) + "。")


def _scores(report: Report) -> Iterable[Block]:
    if not report.scores:
        return
    yield Table(
        caption="表 1-1　按测评项自评（自查参考，不作为等级测评结论）",
        head=("定级对象", "模板", "自评结论", "符合率", "已判定", "测评项", "未缓解高风险", "重大风险隐患"),
        widths=(1.6, 0, 0, 0, 0, 0, 0, 1),
        rows=tuple(
            (
                s.system,
                s.template,
                s.conclusion,
                "—" if s.rate is None else f"{s.rate:.1f} %",
                f"{s.decided:.1f} %",
                str(s.items),
                str(s.high_risks),
                f"{s.major_risks}（{s.rectified}个已整改）",
            )
            for s in report.scores[:ROWS_MAX]
        ),
    )
    for rule in dict.fromkeys(s.rule for s in report.scores):
        yield Note(rule)


def layers(report: Report) -> Iterable[Block]:
    """The six layers, the trend, the areas below and what falls short."""
    yield Chart(
        kind="radar",
        title="图 1　六层符合率（%）",
        labels=tuple(row.name for row in report.layers),
        series=(
            Series(name="本期", values=tuple(share(row.rate) for row in report.layers)),
            Series(name="上期", values=tuple(share(row.before) for row in report.layers)),
        ),
        unit="%",
        limit=100,
    )
    yield Table(
        caption="表 2　六层检查结果（实线为本期，虚线为上期）",
        head=("层面", *VERDICTS, "符合率", "上期", "环比"),
        widths=(1,) * 9,
        rows=tuple(
            (
                row.name,
                *(str(row.counts[v]) for v in VERDICTS),
                percent(row.rate),
                percent(row.before),
                points(row.rate, row.before),
            )
            for row in report.layers
        ),
    )
    yield Chart(
        kind="line",
        title="图 2　近十二个月符合率（%）",
        labels=tuple(point.month[2:] for point in report.trend),
        series=(Series(name="符合率", values=tuple(share(point.rate) for point in report.trend)),),
        unit="%",
        limit=100,
    )
    yield Table(
        caption="表 3　近十二个月符合率",
        head=("月份", "符合率", "已判定项次"),
        widths=(1, 1, 1),
        rows=tuple((p.month, percent(p.rate), str(p.decided)) for p in report.trend),
    )
    yield from _areas(report)
    yield from _shortfalls(report)


def _areas(report: Report) -> Iterable[Block]:
    if not report.areas:
        return
    yield Chart(
        kind="bars",
        title="图 3　各市、各单位符合率（%）",
        labels=tuple(area.name for area in report.areas[:ROWS_MAX]),
        series=(
            Series(name="符合率", values=tuple(share(rate_of(a.counts)) for a in report.areas[:ROWS_MAX])),
        ),
        unit="%",
        limit=100,
    )
    yield Table(
        caption="表 4　各市、各单位",
        head=("单位", "定级对象", *VERDICTS, "符合率", "逾期整改"),
        widths=(2, 1, 1, 1, 1, 1, 1, 1, 1),
        rows=tuple(
            (
                a.name,
                str(a.systems),
                *(str(a.counts[v]) for v in VERDICTS),
                percent(rate_of(a.counts)),
                str(a.overdue),
            )
            for a in report.areas[:ROWS_MAX]
        ),
    )


def _shortfalls(report: Report) -> Iterable[Block]:
    yield Heading("短板", 2)
    short = shortfalls(report)
    if not short:
        yield Note("本期没有不符合或部分符合的检查项。")
        return
    yield Table(
        caption=f"表 5　短板前 {min(_SHORT_MAX, len(short))} 项（按级别与结论排序）",
        head=("编号", "定级对象", "检查项", "级别", "结论", "理由"),
        widths=(0, 1, 1.6, 0, 0, 3),
        rows=tuple((c.id, c.system, c.title, c.severity, c.verdict, c.reason) for c in short[:_SHORT_MAX]),
    )


def risks(report: Report) -> Iterable[Block]:
    """What the guide of high-risk cases or the list of major risks has a number for."""
    if not report.risks:
        yield Note("本期没有与高风险判例或重大风险隐患对应的不符合项；未知项不据此判定。")
        return
    mended = sum(risk.mended for risk in report.risks)
    yield Paragraph(
        f"本期发现 {len(report.risks)}（{mended} 个已整改）项与高风险判例或重大风险隐患对应的问题，"
        "数量按整改前计。是否构成高风险须由测评机构结合缓解措施判定。"
    )
    yield Table(
        caption="表 6　高风险与重大风险隐患线索",
        head=("定级对象", "检查项", "判例号", "A 码", "结论", "缓解措施", "已整改"),
        widths=(1, 2, 0.9, 0.7, 0, 1.4, 0),
        rows=tuple(
            (
                r.system,
                f"{r.check} {r.title}",
                r.cases or "—",
                r.triggers or "—",
                r.verdict,
                r.mitigation or "—",
                "是" if r.mended else "否",
            )
            for r in report.risks[:ROWS_MAX]
        ),
    )
