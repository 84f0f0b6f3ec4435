"""An official paper (公文) or a form as DOCX and PDF, in the layout of GB/T 9704-2012.

A4, 156 mm x 225 mm, 22 lines of 28 characters; a notice has its red head, number, red line, title, receivers,
text, signature, date and 版记, a form its title and a table. The same paper gives the same bytes. The seal is
put on the print: nothing here imitates one.
"""

import io
import re
from pathlib import Path
from typing import Any, Final, Literal
from xml.sax.saxutils import escape

import docx
import msgspec
from docx.document import Document as Docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt, RGBColor

from compliance.report.docx import (
    BODY,
    HEI,
    KAI,
    SONG,
    TITLE,
    add_field,
    add_line,
    add_run,
    indent,
    lay_page,
    plain,
)
from compliance.report.glyphs import characters, legible
from compliance.report.pdf import FONTS, compiled, font_folders
from compliance.report.times import moment_of
from compliance.report.xlsx import repacked

PaperForm = Literal["docx", "pdf"]
MEDIA_TYPES: Final[dict[PaperForm, str]] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
_CENTER: Final = WD_ALIGN_PARAGRAPH.CENTER
_RIGHT: Final = WD_ALIGN_PARAGRAPH.RIGHT
_LONG: Final = re.compile(r"[!-~]{24}")
_RED: Final = "FF0000"
_LABEL_SHARE, _TEXT_SHARE = 1850, 6994  # twentieths of a point: 156 mm together


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper. What is '' or empty is left out; ``created`` is YYYY-MM-DD HH:MM in Beijing."""

    title: str
    head: str = ""  # 发文机关标志, in red; a form has none
    number: str = ""  # 发文字号
    marking: str = ""  # 内部资料
    to: str = ""  # 主送机关
    paragraphs: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()  # of a form, or what belongs to a notice
    signer: str = ""
    day: str = ""  # 成文日期
    copies: str = ""  # 抄送
    printed: str = ""  # 印发机关 and date
    notes: tuple[str, ...] = ()
    watermark: str
    author: str
    created: str


def render_paper(paper: Paper, form: PaperForm, *, fonts: Path | None = None) -> bytes:
    """The file. Raises LiuheError (report-typesetting)."""
    return _pdf(paper, fonts) if form == "pdf" else _docx(paper)


def _pdf(paper: Paper, fonts: Path | None) -> bytes:
    built: dict[str, Any] = msgspec.to_builtins(paper)
    built["paragraphs"] = [_breakable(text) for text in paper.paragraphs]
    built["rows"] = [[label, _breakable(text)] for label, text in paper.rows]
    data = legible(built, characters(font_folders(fonts))) | {"fonts": FONTS}
    (made,) = compiled("paper.typ", data, paper.created, "pdf", fonts)
    return made


def _breakable(text: str) -> str:
    """Digests and command lines have no place to break; office programs find one, the typesetter does not."""
    return _LONG.sub("\\g<0>\u200b", text)


def _docx(paper: Paper) -> bytes:
    made = docx.Document()
    lay_page(made.sections[0])
    _margins(made, paper)
    if paper.marking:
        add_line(made, paper.marking, HEI, 16)
    if paper.head:
        _head(made, paper)
    else:
        add_line(made, "", BODY, 16, spacing=12)
    add_line(made, paper.title, TITLE, 22, align=_CENTER, spacing=36)
    add_line(made, "", BODY, 16)
    if paper.to:
        add_line(made, f"{paper.to}：", BODY, 16)
    for text in paper.paragraphs:
        indent(add_line(made, text, BODY, 16))
    if paper.rows:
        _table(made, paper.rows)
    _signature(made, paper)
    for note in paper.notes:
        add_line(made, f"※ {note}", KAI, 10.5, spacing=16)
    _colophon(made, paper)
    moment = moment_of(paper.created).replace(tzinfo=None)
    properties = made.core_properties
    properties.author = properties.last_modified_by = paper.author
    properties.title = paper.title
    properties.comments = paper.number
    properties.created = properties.modified = moment
    buffer = io.BytesIO()
    made.save(buffer)
    return repacked(buffer.getvalue(), moment)


def _margins(made: Docx, paper: Paper) -> None:
    """Header with the watermark, footer with the page's number."""
    header = made.sections[0].header.paragraphs[0]
    header.alignment = _RIGHT
    add_run(header, paper.watermark, KAI, 8.5)
    header.runs[0].font.color.rgb = RGBColor(0x80, 0x80, 0x80)
    footer = made.sections[0].footer.paragraphs[0]
    footer.alignment = _CENTER
    add_run(footer, "— ", SONG, 14)
    add_field(footer, "PAGE")
    add_run(footer, " —", SONG, 14)


def _head(made: Docx, paper: Paper) -> None:
    """发文机关标志, 发文字号 and the red line below."""
    size = 40 if len(paper.head) <= 12 else 30 if len(paper.head) <= 18 else 22
    line = add_line(made, paper.head, TITLE, size, align=_CENTER, spacing=size * 1.3)
    line.runs[0].font.color.rgb = RGBColor.from_string(_RED)
    line.paragraph_format.space_after = Pt(30)
    number = add_line(made, paper.number, BODY, 16, align=_CENTER)
    border = (
        f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="18" w:space="6" w:color="{_RED}"/></w:pBdr>'
    )
    number.paragraph_format.element.get_or_add_pPr().append(parse_xml(border))
    number.paragraph_format.space_after = Pt(30)


def _signature(made: Docx, paper: Paper) -> None:
    if paper.signer or paper.day:
        add_line(made, "", BODY, 16)
    for text in (paper.signer, paper.day):
        if text:
            line = add_line(made, text, BODY, 16, align=_RIGHT)
            line.paragraph_format.right_indent = Pt(64)  # 右空四字


def _colophon(made: Docx, paper: Paper) -> None:
    """版记: copies, who printed it and when, between two lines."""
    said = [text for text in (f"抄送：{paper.copies}" if paper.copies else "", paper.printed) if text]
    if not said:
        return
    add_line(made, "", BODY, 16)
    for place, text in enumerate(said):
        line = add_line(made, text, BODY, 14)
        edges = "".join(
            f'<w:{edge} w:val="single" w:sz="8" w:space="2" w:color="000000"/>'
            for edge in ("top", "bottom")
            if edge == "top" or place == len(said) - 1
        )
        border = f"<w:pBdr {nsdecls('w')}>{edges}</w:pBdr>"
        line.paragraph_format.element.get_or_add_pPr().append(parse_xml(border))


def _table(made: Docx, rows: tuple[tuple[str, str], ...]) -> None:
    """Labels and texts as WordprocessingML (ISO/IEC 29500-1, 17.4)."""
    lines = "".join(_row(label, text) for label, text in rows)
    edges = "".join(
        f'<w:{edge} w:val="single" w:sz="6" w:space="0" w:color="000000"/>'
        for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    grid = f'<w:gridCol w:w="{_LABEL_SHARE}"/><w:gridCol w:w="{_TEXT_SHARE}"/>'
    made.element.body.insert(
        len(made.element.body) - 1,
        parse_xml(
            f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblW w:type="dxa" w:w="{_LABEL_SHARE + _TEXT_SHARE}"/>'
            f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/></w:tblPr>'
            f"<w:tblGrid>{grid}</w:tblGrid>{lines}</w:tbl>"
        ),
    )
    made.add_paragraph().paragraph_format.space_after = Pt(0)


def _row(label: str, text: str) -> str:
    parts = "".join(_paragraph(part, BODY, "left") for part in (plain(text) or "—").split("\n"))
    return (
        '<w:tr><w:trPr><w:cantSplit w:val="false"/></w:trPr>'
        f"{_cell(_LABEL_SHARE, _paragraph(plain(label), HEI, 'center'))}{_cell(_TEXT_SHARE, parts)}</w:tr>"
    )


def _cell(width: int, inside: str) -> str:
    return (
        f'<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{width}"/><w:vAlign w:val="center"/></w:tcPr>{inside}</w:tc>'
    )


def _paragraph(text: str, font: str, align: str) -> str:
    return (
        f'<w:p><w:pPr><w:spacing w:before="60" w:after="60" w:line="400" w:lineRule="exact"/>'
        f'<w:jc w:val="{align}"/></w:pPr><w:r><w:rPr><w:rFonts w:ascii="{font}" w:hAnsi="{font}" '
        f'w:eastAsia="{font}"/><w:sz w:val="24"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'
    )
