"""A document as DOCX with the typefaces of GB/T 9704 by name; equal documents give equal bytes.

Office programs substitute a typeface they lack; the PDF is what is signed.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import docx
import segno
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph as Line

from compliance.report.blocks import Chart, Code, Document, Heading, Note, Page, Paragraph, Table, charts_of
from compliance.report.pdf import render_charts
from compliance.report.times import moment_of
from compliance.report.xlsx import repacked

BODY, TITLE, HEI, KAI, SONG = "仿宋_GB2312", "方正小标宋简体", "黑体", "楷体_GB2312", "宋体"
_NUMERALS: Final = "一二三四五六七八九十"
_CHART_MM: Final = 150
_TABLE_STYLE: Final = "TableGrid"
_HEAD_STYLE, _CELL_STYLE = "CellHead", "Cell"


def render_docx(document: Document, *, fonts: Path | None = None) -> bytes:
    """The DOCX. Raises LiuheError where a chart cannot be drawn."""
    made = docx.Document()
    lay_page(made.sections[0])
    _styles(made)
    _cover(made, document)
    _footer(made, document)
    pictures = iter(render_charts(charts_of(document), created=document.created, fonts=fonts))
    _body(made, document, pictures)
    moment = moment_of(document.created).replace(tzinfo=None)
    properties = made.core_properties
    properties.author = properties.last_modified_by = document.author
    properties.title = document.title
    properties.comments = document.number
    properties.created = properties.modified = moment
    buffer = io.BytesIO()
    made.save(buffer)
    return repacked(buffer.getvalue(), moment)


def _body(made: Docx, document: Document, pictures: Any) -> None:
    chapter = part = 0
    wide = False
    for block in document.blocks:
        match block:
            case Heading(text=text, level=1):
                chapter, part = chapter + 1, 0
                _heading(made, f"{numeral(chapter)}、{text}", HEI, 1)
            case Heading(text=text, level=0):
                _heading(made, text, HEI, 1)
            case Heading(text=text):
                part += 1
                _heading(made, f"（{numeral(part)}）{text}", KAI, 2)
            case Paragraph(text=text):
                indent(add_line(made, text, BODY, 16))
            case Note(text=text):
                add_line(made, f"※ {text}", BODY, 12)
            case Code(text=text):
                for line in text.splitlines():
                    add_line(made, line, "Courier New", 9, spacing=12)
            case Table():
                _table(made, block)
            case Chart():
                add_line(made, block.title, HEI, 11, align=WD_ALIGN_PARAGRAPH.CENTER)
                place = made.add_paragraph()
                place.alignment = WD_ALIGN_PARAGRAPH.CENTER
                place.add_run().add_picture(io.BytesIO(next(pictures)), width=Mm(_CHART_MM))
            case Page():
                if block.wide != wide:
                    wide = block.wide
                    lay_page(made.add_section(WD_SECTION.NEW_PAGE), wide=wide)
                else:
                    _break(made)


def numeral(number: int) -> str:
    """A number below 100 as headings count: 一, 十, 十一, 二十三."""
    tens, ones = divmod(number, 10)
    lead = ("" if tens < 2 else _NUMERALS[tens - 1]) + ("十" if tens else "")
    return lead + (_NUMERALS[ones - 1] if ones else "")


def lay_page(section: Any, *, wide: bool = False) -> None:
    """A4, across where ``wide``, with the margins of GB/T 9704."""
    section.orientation = WD_ORIENT.LANDSCAPE if wide else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (Mm(297), Mm(210)) if wide else (Mm(210), Mm(297))
    section.top_margin, section.bottom_margin = (Mm(26), Mm(30)) if wide else (Mm(37), Mm(35))
    section.left_margin, section.right_margin = (Mm(25), Mm(25)) if wide else (Mm(28), Mm(26))


def _cover(made: Docx, document: Document) -> None:
    add_line(made, document.marking, HEI, 16)
    for _ in range(3):
        add_line(made, "", BODY, 16)
    add_line(made, document.title, TITLE, 22, align=WD_ALIGN_PARAGRAPH.CENTER, spacing=36)
    add_line(made, document.subtitle, KAI, 16, align=WD_ALIGN_PARAGRAPH.CENTER)
    add_line(made, "", BODY, 16)
    for name, value in document.cover:
        add_line(made, f"{name}：{value}", BODY, 12, spacing=20)
    add_line(made, "", BODY, 16)
    for remark in document.remarks:
        line = add_line(made, remark, HEI, 12, align=WD_ALIGN_PARAGRAPH.CENTER, spacing=20)
        line.runs[0].font.color.rgb = RGBColor(0xB3, 0x26, 0x1E)
    if document.signers:
        rows = tuple((one.step, one.name, one.time, one.mark) for one in document.signers)
        head = ("事项", "姓名", "时间（北京时间）", "手签 / 盖章")
        _table(made, Table(head=head, rows=rows, widths=(1, 2, 3, 3)))
        add_line(made, document.signed, BODY, 9, spacing=14)
    add_line(made, document.watermark, KAI, 12, align=WD_ALIGN_PARAGRAPH.CENTER)
    _break(made)


def _footer(made: Docx, document: Document) -> None:
    footer = made.sections[0].footer
    line = footer.paragraphs[0]
    code = io.BytesIO()
    segno.make(document.code, error="m", boost_error=False, micro=False).save(
        code, kind="png", scale=4, border=2
    )
    line.add_run().add_picture(io.BytesIO(code.getvalue()), width=Mm(15))
    add_run(line, "　— ", SONG, 14)
    add_field(line, "PAGE")
    add_run(line, " —", SONG, 14)
    for text in document.footer.splitlines():
        add_run(footer.add_paragraph(), text, BODY, 6.5)
    header = made.sections[0].header.paragraphs[0]
    add_run(header, f"{document.title}　{document.number}　{document.watermark}", BODY, 8.5)


def _break(made: Docx) -> None:
    made.add_paragraph().add_run().add_break(WD_BREAK.PAGE)


def _heading(made: Docx, text: str, font: str, level: int) -> None:
    line = made.add_heading(level=level)
    add_run(line, text, font, 16)
    indent(line)


def add_line(
    made: Docx, text: str, font: str, size: float, *, align: Any = None, spacing: float = 28.95
) -> Line:
    """A paragraph in one typeface."""
    line = made.add_paragraph()
    add_run(line, text, font, size)
    line.alignment = align
    line.paragraph_format.line_spacing = Pt(spacing)
    line.paragraph_format.space_after = Pt(0)
    return line


def indent(line: Line) -> None:
    """Two characters before the first line."""
    line.paragraph_format.first_line_indent = Pt(32)


def add_run(line: Line, text: str, font: str, size: float) -> None:
    """Text in one typeface, its Chinese part as well."""
    run = line.add_run(plain(text))
    run.font.size = Pt(size)
    run.font.name = font
    run.font.color.rgb = RGBColor(0, 0, 0)
    # The library names the Latin typeface only.
    properties: Any = run._element.rPr
    properties.rFonts.set(qn("w:eastAsia"), font)


def add_field(line: Line, name: str) -> None:
    """A field the office program fills in, such as the page's number."""
    run = line.add_run()
    run.font.size = Pt(14)
    for kind, text in (("begin", ""), ("", name), ("end", "")):
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
        else:
            mark = OxmlElement("w:instrText")
            mark.text = text
        run._element.append(mark)


def _table(made: Docx, block: Table) -> None:
    if block.caption:
        add_line(made, block.caption, HEI, 10.5, align=WD_ALIGN_PARAGRAPH.CENTER, spacing=18)
    made.element.body.insert(len(made.element.body) - 1, parse_xml(_table_xml(block)))
    made.add_paragraph().paragraph_format.space_after = Pt(0)


def _table_xml(block: Table) -> str:
    """The table as WordprocessingML (ISO/IEC 29500-1, 17.4), at once: cell by cell takes the library long."""
    head = _row_xml(block.head, _HEAD_STYLE, "<w:trPr><w:tblHeader/></w:trPr>")
    rows = "".join(_row_xml(row, _CELL_STYLE, "") for row in block.rows)
    grid = "<w:gridCol/>" * len(block.head)
    return (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblStyle w:val="{_TABLE_STYLE}"/><w:tblW w:type="auto" w:w="0"/>'
        f"</w:tblPr><w:tblGrid>{grid}</w:tblGrid>{head}{rows}</w:tbl>"
    )


def _row_xml(row: Sequence[str], style: str, properties: str) -> str:
    cells = "".join(
        f'<w:tc><w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>'
        f'<w:r><w:t xml:space="preserve">{escape(plain(text))}</w:t></w:r></w:p></w:tc>'
        for text in row
    )
    return f"<w:tr>{properties}{cells}</w:tr>"


def _styles(made: Docx) -> None:
    """The styles of cells: one for heads, one for the rest."""
    for name, font in ((_HEAD_STYLE, HEI), (_CELL_STYLE, BODY)):
        style = made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.font.size = Pt(9)
        style.font.name = font
        style.element.rPr.rFonts.set(qn("w:eastAsia"), font)
        style.paragraph_format.space_after = Pt(0)


def plain(text: str) -> str:
    """Text a document may hold: XML has no place for controls."""
    return "".join(sign if sign >= " " or sign in "\t\n" else "\N{REPLACEMENT CHARACTER}" for sign in text)
