"""What fonts can show: read from the embedded ones, and what replaces the rest."""

from pathlib import Path

import pytest

from compliance.report import pdf
from compliance.report.glyphs import INSTEAD, characters, legible

FONTS = Path(pdf.__file__).parent / "fonts"


def test_the_embedded_fonts_show_chinese_latin_and_the_signs_we_use() -> None:
    shown = characters([FONTS])
    for one in "监管中心ABCxyz019—“”、。;:√×%①Ⅲ→" + INSTEAD:
        assert ord(one) in shown, one
    assert len(shown) > 7_000


def test_other_characters_are_replaced_and_structure_stays() -> None:
    shown = characters([FONTS])
    given = {"标题": ["空集 ∅", 7, None, True, {"x": "😀\u0300\x07"}], "plain": "纯文本\n 第二行"}
    assert legible(given, shown) == {
        "标题": [f"空集 {INSTEAD}", 7, None, True, {"x": INSTEAD}], "plain": "纯文本\n 第二行",
    }  # fmt: skip
    assert legible("a∅", frozenset(map(ord, "a"))) == "a?"


@pytest.mark.parametrize(
    "raw", [b"", b"OTTO", b"ttcf" + b"\xff" * 40, b"\x00\x01\x00\x00\x00\x09" + bytes(30)]
)
def test_what_is_no_font_shows_nothing(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "broken.otf").write_bytes(raw)
    (tmp_path / "readme.txt").write_text("no font")
    assert characters([tmp_path, tmp_path / "absent"]) == frozenset()
