"""The kit for an inspection (迎检包): one zip for a graded system and a kind of inspector.

    00-目录.pdf, 00-目录.docx   each question with where it is answered, and what is missing
    01-明细.xlsx                checks, orders, logs day by day, transfers, evidence
    02-月报/                    the newest issued report with its signature
    03-证据/                    records with proofs, and verify.py that needs nothing of ours
    04-证明/                    files of what people stated, by check (see inspection_papers)
    SM3SUMS, SM3SUMS.p7s        digests of all files, signed by the center

The same state of the center gives the same bytes but for the signature.
"""

import io
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from compliance.evidence import Evidence
from compliance.evidence_export import Witnesses, export_kit, witnesses_of
from compliance.inspection import Answer, Audience, Inspection, answer_of
from compliance.inspection_papers import FOLDER, papers_of
from compliance.registry import GradedSystem
from compliance.report.blocks import Block, Document, Heading, Note, Paragraph, Table
from compliance.report.docx import render_docx
from compliance.report.model import CRYPTO_NOTE, DISCLAIMER, Report
from compliance.report.monthly import monthly
from compliance.report.pdf import render_pdf
from compliance.report.sheets import Sheet, sheets_of
from compliance.report.times import day, minute, month_of
from compliance.report.xlsx import workbook
from compliance.report_sources import DeskParts, sources_of
from compliance.report_store import ReportStore
from crypto.sm3 import sm3_hex
from crypto.words import Refused
from detection.store.event_store import EventStore
from detection.store.segment_store import Sealed

LOG_DAYS: Final = 180
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_NAMES_MAX: Final = 8  # segments named in a day's row


class Kit(msgspec.Struct, frozen=True, kw_only=True):
    """A kit as made: ``answers`` are what its index says."""

    name: str
    data: bytes
    answers: tuple[Answer, ...]


def inspection_kit(
    parts: DeskParts, inspection: Inspection, *, audience: Audience, system: str, now: datetime
) -> Kit:
    """The kit of a system. Raises Refused (system-not-found)."""
    sources = sources_of(parts, "system", system)
    (graded,) = sources.systems
    parts.ledger.checkpoint(now)
    report = monthly(
        sources, identifier=f"{audience}-{system}", month=month_of(now), edition=1, corrects="", now=now
    )
    verdicts = {check.id: check.verdict for check in report.checks}
    facts = registry_facts(graded)
    asked = sorted({check for ask in inspection.asks for check in ask.checks})
    papers = papers_of(parts.engine, parts.ledger, system, asked, now)
    answers = tuple(_with_papers(answer_of(ask, verdicts, facts), papers.checks) for ask in inspection.asks)
    document = index_of(inspection, graded, report, answers)
    logs = Sheet("日志逐日", ("日期", "事件(含跨日段)", "封存段", "段文件"), log_days(parts.events, now))
    index = Sheet(
        "目录",
        ("问题", "状况", "依据的检查", "见"),
        [(a.ask.zh, a.standing, _checks(a), a.where) for a in answers],
    )
    files = {
        "00-目录.pdf": render_pdf(document, fonts=parts.fonts),
        "00-目录.docx": render_docx(document, fonts=parts.fonts),
        "01-明细.xlsx": workbook(
            (index, *sheets_of(report), *papers.sheets, logs), author=parts.center, created=report.created
        ),
        **_issued(parts, graded),
        **_evidence(parts, report, papers.leaves, now),
        **papers.files,
    }
    sums = "".join(f"{sm3_hex(data)}  {name}\n" for name, data in sorted(files.items())).encode()
    files["SM3SUMS"] = sums
    if parts.seal is not None:
        files["SM3SUMS.p7s"] = parts.seal(sums, now)
    return Kit(name=f"{audience}-{system}-{day(now)}.zip", data=_zip(files), answers=answers)


def registry_facts(system: GradedSystem) -> dict[str, str]:
    """What the registry says of filing and assessments, '' where nothing."""
    filing = f"备案证明号 {system.filing_number}" if system.filing_number else ""
    if filing and system.filing_expires:
        filing += f"，有效期至 {system.filing_expires}"
    return {
        "filing": filing,
        "assessment": f"等级测评 {system.assessed}" if system.assessed else "",
        "crypto": f"密评 {system.crypto_assessed}" if system.crypto_assessed else "",
    }


def log_days(events: EventStore, now: datetime) -> list[tuple[str, int, int, str]]:
    """The last 180 days, the newest first: what is kept of each, so that any day can be asked for."""
    sealed = [one for one in events.segments() if one.status == "sealed"]
    rows = []
    for back in range(LOG_DAYS):
        name = day(now - timedelta(days=back))
        of_day = [one for one in sealed if day(one.time_min) <= name <= day(one.time_max)]
        rows.append((name, sum(one.rows for one in of_day), len(of_day), _names(of_day)))
    return rows


def index_of(
    inspection: Inspection, system: GradedSystem, report: Report, answers: Sequence[Answer]
) -> Document:
    """The index as a document."""
    counted = Counter(answer.standing for answer in answers)
    blocks: list[Block] = [
        Heading("结论"),
        Paragraph(
            f"共 {len(answers)} 项问题："
            + "，".join(f"{name} {count} 项" for name, count in sorted(counted.items()))
            + f"。数据截止 {report.created}（北京时间）。"
        ),
        Note("本目录由平台按检查结论生成；标为“须现场出示”的材料平台不掌握，须由人提供原件。"),
        Heading("问题与依据"),
        Table(
            head=("序", "问题", "状况", "依据的检查", "见"),
            widths=(0, 1.6, 0, 1.2, 2.2),
            rows=tuple(
                (str(number), a.ask.zh, a.standing, _checks(a), a.where)
                for number, a in enumerate(answers, 1)
            ),
        ),
    ]
    missing = [answer for answer in answers if answer.standing != "具备"]
    if missing:
        blocks += [Heading("仍须补充"), *(Paragraph(f"{a.ask.zh}：{a.standing}。") for a in missing)]
    return Document(
        title=f"{system.name}迎检材料目录",
        subtitle=inspection.title.zh,
        author=report.center,
        marking="内部资料　注意保管",
        number=report.id,
        cover=(
            ("定级对象", f"{system.name}（{system.id}）"),
            ("等级", f"第{system.level}级 {system.grade}"),
            ("单位", report.systems[0].unit_name),
            ("检查类型", inspection.title.zh),
            ("数据截止", f"{report.created}（北京时间）"),
        ),
        remarks=(DISCLAIMER.zh, CRYPTO_NOTE.zh),
        signers=(),
        signed="",
        watermark=f"{system.name} 迎检材料 {report.created[:10]}",
        footer=f"账本 {report.ledger_size} 叶　根（SM3）{report.ledger_root}",
        code=f"LIUHE1 {report.id} {report.ledger_size} {report.ledger_root}".upper(),
        created=report.created,
        blocks=tuple(blocks),
    )


def _with_papers(answer: Answer, about: frozenset[str]) -> Answer:
    """The answer, telling also where the files are that people handed in."""
    folders = [f"{FOLDER}/{check}" for check in answer.ask.checks if check in about]
    return msgspec.structs.replace(answer, where="；".join([answer.where, *folders])) if folders else answer


def _checks(answer: Answer) -> str:
    return "，".join(f"{check} {verdict}" for check, verdict in answer.verdicts) or "—"


def _names(segments: Sequence[Sealed]) -> str:
    named = "、".join(one.name for one in segments[:_NAMES_MAX])
    return named + (f" 等 {len(segments)} 段" if len(segments) > _NAMES_MAX else "")


def _issued(parts: DeskParts, system: GradedSystem) -> dict[str, bytes]:
    """The newest issued report about the system, else about its unit."""
    store = ReportStore(parts.engine, parts.folder)
    about = (("system", system.id), ("unit", system.unit), ("unit", parts.unit))
    for scope, unit in about:
        for row in store.all():
            if (row.scope, row.unit, row.state) == (scope, unit, "issued"):
                return {
                    f"02-月报/{row.id}.pdf": store.file(row.id, "pdf"),
                    f"02-月报/{row.id}.pdf.p7s": store.file(row.id, "p7s"),
                }
    return {}


def _evidence(parts: DeskParts, report: Report, stated: frozenset[int], now: datetime) -> dict[str, bytes]:
    """The records the kit rests on with their proofs, and the segments of the last 180 days."""
    cited = {line.leaf for line in report.evidence} | stated
    since = now - timedelta(days=LOG_DAYS)

    def wanted(record: Evidence) -> bool:
        return record.sequence in cited or (record.kind == "segment" and record.time >= since)

    witnesses = witnesses_of(parts.witness, parts.ledger) if parts.witness else None
    files = _records(parts, "evidence", wanted, witnesses)
    size = parts.ledger.checked(witnesses.cosigned.encode()).size if witnesses else 0
    if witnesses:
        newer = _records(parts, "unwitnessed", lambda one: one.sequence >= size and wanted(one), None)
        files = {**newer, **files}
        files["03-证据/witness-policy.txt"] = witnesses.policy
    if any(name.endswith("unwitnessed.zip") for name in files):
        text = f"账本第 {size} 条起的记录尚未经见证方会签,另列于 unwitnessed.zip,只有本中心的签名。\n"
        files["03-证据/说明.txt"] = text.encode()
    if not files or set(files) == {"03-证据/witness-policy.txt"}:
        files["03-证据/说明.txt"] = f"截至 {minute(now)} 账本中尚无可附的记录。\n".encode()
    return files


def _records(
    parts: DeskParts, name: str, wanted: Callable[[Evidence], bool], witnesses: Witnesses | None
) -> dict[str, bytes]:
    """One evidence kit with the key that goes with it; empty where no record is wanted."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.zip"
        try:
            made = export_kit(parts.ledger, path, wanted=wanted, witnesses=witnesses)
        except Refused as error:
            if error.code != "export-empty":
                raise
            return {}
        return {f"03-证据/{path.name}": path.read_bytes(), "03-证据/public.pem": made.key.read_bytes()}


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return buffer.getvalue()
