"""A document as PDF/A by typst, with fonts of its own; the same document gives the same bytes.

Fonts are chosen by name: an installation that holds licences for the typefaces of GB/T 9704 puts their files
into its ``fonts`` folder, and they take the place of the embedded ones.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import segno
import typst

from compliance.report.blocks import Chart, Document
from compliance.report.glyphs import characters, legible
from compliance.report.times import moment_of
from crypto.words import LiuheError, Words

_FOLDER: Final = Path(__file__).resolve().parent
_SERIF, _SANS = "Noto Serif CJK SC", "Noto Sans CJK SC"
FONTS: Final[dict[str, list[str]]] = {
    "title": ["FZXiaoBiaoSong-B05", "FZXiaoBiaoSong-B05S", "方正小标宋简体", _SERIF, _SANS],
    "body": ["FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", _SERIF, _SANS],
    "kai": ["KaiTi_GB2312", "楷体_GB2312", "KaiTi", "楷体", _SERIF, _SANS],
    "hei": ["SimHei", "黑体", _SANS, _SERIF],
    "song": ["SimSun", "宋体", _SERIF, _SANS],
}
_CHART_PPI: Final = 200.0


def render_pdf(document: Document, *, fonts: Path | None = None) -> bytes:
    """The PDF. Raises LiuheError where typesetting fails; text is data there, never markup."""
    built: dict[str, Any] = msgspec.to_builtins(document)
    data = legible(built, characters(font_folders(fonts))) | {"fonts": FONTS, "qr": qr_svg(document.code)}
    (made,) = compiled("document.typ", data, document.created, "pdf", fonts)
    return made


def render_charts(charts: Sequence[Chart], *, created: str, fonts: Path | None = None) -> tuple[bytes, ...]:
    """Each chart as PNG. Raises LiuheError."""
    if not charts:
        return ()
    shown = characters(font_folders(fonts))
    data = {"fonts": FONTS, "charts": legible(msgspec.to_builtins(charts), shown)}
    return compiled("chart.typ", data, created, "png", fonts)


def qr_svg(text: str) -> str:
    """A QR code as SVG, error correction M: a footer's print is small."""
    buffer = io.BytesIO()
    segno.make(text, error="m", boost_error=False, micro=False).save(
        buffer, kind="svg", border=2, xmldecl=False
    )
    return buffer.getvalue().decode()


def font_folders(fonts: Path | None) -> list[Path]:
    """Where typefaces are looked for: ours, and those an installation holds licences for."""
    return [_FOLDER / "fonts", *([fonts] if fonts and fonts.is_dir() else [])]


def compiled(
    source: str, data: dict[str, Any], created: str, form: Literal["pdf", "png"], fonts: Path | None
) -> tuple[bytes, ...]:
    """What typst makes of one of our sources with ``data``. Raises LiuheError (report-typesetting)."""
    try:
        made: Any = typst.compile(
            _FOLDER / source,
            root=_FOLDER,
            font_paths=font_folders(fonts),
            ignore_system_fonts=True,
            format=form,
            ppi=_CHART_PPI if form == "png" else None,
            sys_inputs={"data": msgspec.json.encode(data).decode()},
            pdf_standards="a-2b" if form == "pdf" else None,
            # The document's own date, so that nothing depends on when it was rendered.
            timestamp=int(moment_of(created).timestamp()),
        )
    except typst.TypstError as error:
        raise LiuheError(
            "report-typesetting",
            Words(f"月报排版失败:{error}", f"the report could not be typeset: {error}"),
            Words("请把此信息报告给开发者", "report this to the developers"),
        ) from error
    # Several pictures come as a list, whatever the signature says.
    return tuple(made) if isinstance(made, list) else (made,)
