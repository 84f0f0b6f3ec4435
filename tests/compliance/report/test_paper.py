"""Tests of compliance.report.paper and incident_paper: the layout, and that equal papers give equal bytes."""

import io

import docx
import msgspec
import pytest

from compliance.report.paper import Paper, render_paper

NOTICE = Paper(
    title="关于某平台网页被篡改的通报",
    head="江苏省数据局文件",
    number="网安通报〔2026〕1号",
    marking="内部资料",
    to="南京市数据局",
    paragraphs=("近日,监测发现如下情况。", "x" * 300),
    rows=(("反馈时限", "2026-12-01 18:00"), ("命令行", "a\x00b " + "y" * 200)),
    signer="江苏省数据局",
    day="2026年11月22日",
    copies="省委网信办",
    printed="江苏省数据局　2026年11月22日印发",
    watermark="lead 2026-11-22 18:00",
    author="测试中心",
    created="2026-11-22 18:00",
)


@pytest.mark.parametrize("form", ["docx", "pdf"])
def test_equal_papers_give_equal_bytes_and_another_mark_others(form: str) -> None:
    made = render_paper(NOTICE, form)  # type: ignore[arg-type]
    assert made == render_paper(NOTICE, form)  # type: ignore[arg-type]
    marked = msgspec.structs.replace(NOTICE, watermark="audit 2026-11-22 18:01")
    assert render_paper(marked, form) != made  # type: ignore[arg-type]


def test_a_notice_has_the_parts_of_an_official_paper_in_their_order() -> None:
    document = docx.Document(io.BytesIO(render_paper(NOTICE, "docx")))
    lines = [line.text for line in document.paragraphs if line.text]
    assert lines[:5] == ["内部资料", NOTICE.head, NOTICE.number, NOTICE.title, "南京市数据局："]
    assert lines[-4:] == [NOTICE.signer, NOTICE.day, "抄送：省委网信办", NOTICE.printed]
    head = document.paragraphs[1].runs[0]
    assert (str(head.font.color.rgb), head.font.name) == ("FF0000", "方正小标宋简体")
    section = document.sections[0]
    assert [round(one.mm) for one in (section.top_margin, section.left_margin, section.page_width)] == [
        37,
        28,
        210,
    ]
    assert section.header.paragraphs[0].text == NOTICE.watermark


def test_a_form_has_no_red_head() -> None:
    form = Paper(
        title="报告", rows=(("事件名称", ""),), watermark="m", author="a", created="2026-11-22 18:00"
    )
    document = docx.Document(io.BytesIO(render_paper(form, "docx")))
    assert document.tables[0].rows[0].cells[1].text == "—"
    assert not any(run.font.color.rgb == "FF0000" for line in document.paragraphs for run in line.runs)
