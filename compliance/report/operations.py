"""The chapters on what was done in the month: alerts, orders, transfers, retention and the rest."""

from collections import Counter
from collections.abc import Iterable, Sequence

from compliance.evaluation import VERDICTS
from compliance.report.blocks import Block, Chart, Note, Paragraph, Series, Table
from compliance.report.model import CRYPTO_NOTE, SEVERITIES_ZH, CheckLine, Report
from compliance.report.numbers import ROWS_MAX, percent, tally


def alerts(report: Report) -> Iterable[Block]:
    """What the detectors claimed and what people made of it."""
    figures = report.alert_figures
    online = sum(sensor.state == "在线" for sensor in report.sensors)
    yield Paragraph(
        f"本期告警组 {figures.total} 个：{tally(figures.severities, SEVERITIES_ZH, '个', SEVERITIES_ZH)}。"
        f"已定性 {figures.judged} 个，其中误报 {figures.false_positives} 个"
        f"（误报率 {percent(figures.false_positives / figures.judged if figures.judged else None)}）；"
        f"平均认领用时 {_minutes(figures.acknowledge_minutes)}，"
        f"平均关闭用时 {_minutes(figures.close_minutes)}。"
        f"传感器 {len(report.sensors)} 个，在线 {online} 个。"
    )
    if figures.total:
        names = tuple(figures.matrix)
        yield Chart(
            kind="stack",
            title="图 4　告警类别与级别（组）",
            labels=names,
            series=tuple(
                Series(name=zh, values=tuple(float(figures.matrix[n].get(key, 0)) for n in names))
                for key, zh in SEVERITIES_ZH.items()
            ),
        )
        yield Table(
            caption="表 7　告警类别与级别（类别按 GB/T 20986-2023 的大类归并，为本平台映射）",
            head=("类别", *SEVERITIES_ZH.values(), "合计"),
            widths=(2, 1, 1, 1, 1, 1, 1),
            rows=tuple(
                (name, *(str(row.get(key, 0)) for key in SEVERITIES_ZH), str(sum(row.values())))
                for name, row in figures.matrix.items()
            ),
        )
        yield Table(
            caption="表 8　告警最多的实体",
            head=("实体", "告警组"),
            widths=(4, 1),
            rows=tuple((name, str(count)) for name, count in figures.entities),
        )


def _minutes(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f} 分钟"


def incidents(_: Report) -> Iterable[Block]:
    """Reports to authorities with their clocks."""
    yield Note("本中心尚未接入事件报告台账：发现、研判、上报、续报、总结的时点须在此填写，不以零代替。")


def vulnerabilities(report: Report) -> Iterable[Block]:
    """What scans found, as far as their results were imported."""
    yield from _imports_of(report, "vuln", "漏洞扫描结果")
    yield from _checks_of(report, ("PLT-07", "APP-03", "NET-06"), "表 9　与漏洞有关的检查项")


def orders(report: Report) -> Iterable[Block]:
    """Orders to mend, from issue to retest."""
    orders = report.orders
    if orders is None:
        yield Note("本中心未启用整改单。")
        return
    if not orders.issued:
        yield Note("本期没有下发整改单，也没有以前未闭环的整改单。")
        return
    yield Chart(
        kind="funnel",
        title="图 5　整改漏斗（件）",
        labels=("下发", "已反馈", "已闭环", "按期闭环"),
        series=(
            Series(
                name="件",
                values=(
                    float(orders.issued),
                    float(orders.answered),
                    float(orders.closed),
                    float(orders.on_time),
                ),
            ),
        ),
        unit="件",
    )
    yield Table(
        caption="表 10　整改闭环（本期下发及以前未闭环的整改单）",
        head=("下发", "已反馈", "已闭环", "按期闭环", "未闭环", "逾期", "复测不通过"),
        widths=(1,) * 7,
        rows=(
            tuple(
                str(n)
                for n in (
                    orders.issued,
                    orders.answered,
                    orders.closed,
                    orders.on_time,
                    orders.open,
                    orders.overdue,
                    orders.retests_failed,
                )
            ),
        ),
    )
    if orders.worst:
        yield Table(
            caption="表 11　逾期最多的单位",
            head=("单位", "逾期"),
            widths=(4, 1),
            rows=tuple((n, str(c)) for n, c in orders.worst),
        )


def transfers(report: Report) -> Iterable[Block]:
    """What crossed between networks, and what the gates said."""
    transfers, gates = report.transfers, report.gates
    if transfers is None:
        yield Note("本中心未启用跨网传输。")
    else:
        labels = tally(transfers.labels, tuple(transfers.labels), "次")
        yield Paragraph(
            f"本期送出 {transfers.sent} 次、收到 {transfers.received} 次，"
            f"内容共 {transfers.content_bytes} 字节；拒绝 {transfers.refused} 次。"
            + (f"按级别：{labels}。" if labels else "")
        )
    if gates is not None:
        yield Paragraph(
            f"闸口放行 {gates.allowed} 次、拒绝 {gates.refused} 次，其中双人授权放行 {gates.overridden} 次。"
        )
        if gates.refusals:
            yield Table(
                caption="表 12　闸口拒绝记录",
                head=("时间", "闸口", "事由"),
                widths=(0, 0, 1),
                rows=gates.refusals[:ROWS_MAX],
            )
    yield from _checks_of(report, ("NET-08", "NET-09", "DAT-02", "DAT-09"), "表 13　与跨网传输有关的检查项")


def cryptography(report: Report) -> Iterable[Block]:
    """Where cryptography is used and assessed."""
    done = sum(bool(s.crypto_assessed) for s in report.systems)
    yield Paragraph(f"定级对象 {len(report.systems)} 个，登记有密评日期的 {done} 个。{CRYPTO_NOTE.zh}。")
    yield from _checks_of(
        report, ("NET-08", "NET-09", "DAT-03", "DAT-11", "MGT-03", "MGT-13"), "表 14　密码应用检查项"
    )


def retention(report: Report) -> Iterable[Block]:
    """How far back each source goes."""
    yield Paragraph(
        f"最早可查事件：{report.events_oldest}；配置留存 {report.retention_days} 天，"
        "法定不少于六个月（180 天）。"
    )
    if not report.retention:
        yield Note("尚无已封存的事件段。")
        return
    rows = report.retention[:ROWS_MAX]
    yield Chart(
        kind="spans",
        title="图 6　各来源留存天数（虚线为 180 天）",
        labels=tuple(row.source for row in rows),
        series=(Series(name="天", values=tuple(float(row.days) for row in rows)),),
        unit="天",
        mark=180,
    )
    yield Table(
        caption="表 15　各来源最早日期与断档",
        head=("来源", "最早事件", "留存天数", "本期断档", "缺失事件"),
        widths=(2, 1.4, 1, 1, 1),
        rows=tuple((r.source, r.oldest, str(r.days), str(r.gaps), str(r.lost)) for r in rows),
    )


def drills(report: Report) -> Iterable[Block]:
    """Plans, drills and duty at important times."""
    yield from _checks_of(report, ("MGT-10", "MGT-06", "MGT-11"), "表 16　应急、演练与培训检查项")


def supply(report: Report) -> Iterable[Block]:
    """Suppliers, products and outsourced work."""
    yield from _checks_of(report, ("MGT-12", "MGT-13", "APP-06", "MGT-07"), "表 17　供应链与外包检查项")


def plan(report: Report) -> Iterable[Block]:
    """What the next month has to bring."""
    attestations = report.attestations
    if attestations is not None:
        yield Paragraph(
            f"人工证明：有效 {attestations.valid} 份，待复核 {attestations.waiting} 份，"
            f"过期 {attestations.expired} 份，30 日内到期 {attestations.expiring} 份。"
        )
    if report.orders is not None and report.orders.open:
        yield Paragraph(f"下月须继续督办整改单 {report.orders.open} 件。")


def _imports_of(report: Report, prefix: str, what: str) -> Iterable[Block]:
    found = [one for one in report.imports if one.kind.startswith(prefix)]
    if not found:
        yield Note(f"本期未导入{what}：新增、修复、超期数量不详，不以零代替。")
        return
    yield Table(
        head=("定级对象", "导入时间", "条数", "原件 SM3"),
        widths=(1, 1, 0, 2.4),
        rows=tuple((one.system, one.time, str(one.rows), one.sm3) for one in found[:ROWS_MAX]),
    )


def _checks_of(report: Report, ids: Sequence[str], caption: str) -> Iterable[Block]:
    rows = [check for check in report.checks if check.id in ids]
    if len(report.systems) > 1:
        yield _counted(rows, caption)
    elif rows:
        yield Table(
            caption=caption,
            head=("编号", "检查项", "结论", "理由"),
            widths=(0, 1.4, 0, 3),
            rows=tuple((c.id, c.title, c.verdict, c.reason) for c in rows[:ROWS_MAX]),
        )


def _counted(rows: Sequence[CheckLine], caption: str) -> Table:
    """Of several systems: how many have which verdict, a line for each check."""
    titles = {check.id: check.title for check in rows}
    counts = Counter((check.id, check.verdict) for check in rows)
    return Table(
        caption=f"{caption}（定级对象数）",
        head=("编号", "检查项", *VERDICTS),
        widths=(0, 3, 1, 1, 1, 1, 1),
        rows=tuple(
            (name, title, *(str(counts[name, verdict]) for verdict in VERDICTS))
            for name, title in titles.items()
        ),
    )
