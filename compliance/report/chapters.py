"""The monthly report as a document: fourteen chapters and annexes, written from an edition's numbers.

Every chart is followed by the table of its numbers, and a chapter without data says that it has none.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from compliance.report import annexes, operations, standing
from compliance.report.blocks import Block, Document, Heading, Paragraph, Signer
from compliance.report.content import content_sm3
from compliance.report.model import CRYPTO_NOTE, DISCLAIMER, STEPS_ZH, Edition, Report, Signature


class Chapter(NamedTuple):
    """One chapter: the key its edited text is kept under, its title, what it says of a report."""

    key: str
    title: str
    blocks: Callable[[Report], Iterable[Block]]


_SIGNED: Final = (
    "三人签批均为登录本人所为，注有密钥者并以本人 SM2 密钥签名，逐条记入证据账本；"
    "批准后由本中心以 SM2 证书签出 .p7s，与本文件一并存档。"
)


def document_of(edition: Edition) -> Document:
    """The whole document of an edition."""
    report = edition.report
    texts = {one.section: one.text for one in edition.sections}
    blocks: list[Block] = []
    for chapter in CHAPTERS:
        blocks.append(Heading(chapter.title))
        blocks.extend(chapter.blocks(report))
        blocks.extend(Paragraph(line) for line in texts.get(chapter.key, "").splitlines() if line.strip())
    blocks.extend(annexes.blocks_of(report))
    year, month = report.month.split("-")
    content = content_sm3(edition)
    return Document(
        title=f"{report.unit_name}{year}年{int(month)}月网络安全等级保护合规月报",
        subtitle=f"{year}年第{int(month)}期（{edition_words(report)}）",
        author=report.center,
        marking="内部资料　注意保管",
        number=report.id,
        cover=_cover(report),
        remarks=(DISCLAIMER.zh, CRYPTO_NOTE.zh),
        signers=tuple(
            next(
                (
                    Signer(step=zh, name=one.name, time=one.time, mark=_mark(one))
                    for one in edition.signatures
                    if one.step == step
                ),
                Signer(step=zh, name="", time=""),
            )
            for step, zh in STEPS_ZH.items()
        ),
        signed=_SIGNED,
        watermark=_watermark(edition),
        footer=f"账本 {report.ledger_size} 叶　根（SM3）{report.ledger_root}\n正文 SM3 {content}",
        code=f"LIUHE1 {report.id} {content} {report.ledger_size} {report.ledger_root}".upper(),
        created=report.created,
        blocks=tuple(blocks),
    )


def _mark(one: Signature) -> str:
    """How one's own key begins where it signed."""
    return f"本人 SM2 密钥 {one.key[:16]}" if one.key else ""


def edition_words(report: Report) -> str:
    """第 1 版, or that it takes over from an issued one."""
    if report.corrects:
        return f"更正版，第{report.edition}版，替代 {report.corrects}"
    return f"第{report.edition}版"


def _watermark(edition: Edition) -> str:
    if edition.state == "issued":
        return f"{edition.report.unit_name} {edition.report.month} 内部资料"
    return "草稿 未经批准 不得报送"


def _cover(report: Report) -> tuple[tuple[str, str], ...]:
    kind = {"unit": "单位", "system": "定级对象"}[report.scope]
    return (
        (kind, f"{report.unit_name}（{report.unit}）"),
        ("编号", report.id),
        ("监管中心", report.center),
        ("数据截止", f"{report.created}（北京时间）"),
        ("报送期限", report.due),
        ("模板 / 规则", f"模板第 {report.template} 版，检测规则 {report.rules} 条"),
    )


CHAPTERS: Final[tuple[Chapter, ...]] = (
    Chapter("conclusion", "概况与结论", standing.conclusion),
    Chapter("systems", "定级对象", standing.systems),
    Chapter("layers", "六层合规", standing.layers),
    Chapter("risks", "高风险与重大风险隐患", standing.risks),
    Chapter("alerts", "监测态势", operations.alerts),
    Chapter("incidents", "事件与报告", operations.incidents),
    Chapter("vulnerabilities", "漏洞", operations.vulnerabilities),
    Chapter("orders", "整改闭环", operations.orders),
    Chapter("transfers", "跨网数据传输", operations.transfers),
    Chapter("cryptography", "密码应用与密评", operations.cryptography),
    Chapter("retention", "日志留存", operations.retention),
    Chapter("drills", "应急与演练、重保", operations.drills),
    Chapter("supply", "供应链与外包", operations.supply),
    Chapter("plan", "下月计划与需协调事项", operations.plan),
)
SECTIONS: Final = tuple(chapter.key for chapter in CHAPTERS)
