"""What a document is made of, whatever it is rendered to: headings, paragraphs, tables, charts, notes.

The chapters are written once in these values; PDF, DOCX and the charts' pictures are made from them.
"""

from typing import Literal

import msgspec

ChartKind = Literal["radar", "bars", "line", "funnel", "stack", "spans"]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One row of numbers of a chart, one for each label; None where nothing is known."""

    name: str
    values: tuple[float | None, ...]


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """A heading; its number is the renderer's, level 0 (an annex) has none."""

    text: str
    level: int = 1


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    """Running text."""

    text: str


class Note(msgspec.Struct, frozen=True, tag="note"):
    """A remark set apart, such as that a figure is not known."""

    text: str


class Code(msgspec.Struct, frozen=True, tag="code"):
    """Text whose lines and letters matter, such as a checkpoint."""

    text: str


class Table(msgspec.Struct, frozen=True, kw_only=True, tag="table"):
    """A table; ``widths`` are shares of the line, 0 for as narrow as the text is."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    caption: str = ""


class Chart(msgspec.Struct, frozen=True, kw_only=True, tag="chart"):
    """A picture of numbers that stand in a table beside it. ``limit`` is the end of the axis, 0 to fit.

    ``mark`` draws a line across, such as the days the law asks for.
    """

    kind: ChartKind
    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    limit: float = 0
    mark: float = 0


class Page(msgspec.Struct, frozen=True, tag="page"):
    """A new page begins; ``wide`` lays it across, for tables that need it."""

    wide: bool = False


Block = Heading | Paragraph | Note | Code | Table | Chart | Page


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three people: what they did, who, when; name and time are '' where it is still to do.

    ``mark`` stands in the place of a signature by hand: the person's own key where it signed.
    """

    step: str
    name: str
    time: str
    mark: str = ""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A whole document: cover, chapters, and what stands on each page. ``created`` is YYYY-MM-DD HH:MM."""

    title: str
    subtitle: str
    author: str
    marking: str  # at the top of the cover, e.g. 内部资料
    number: str
    cover: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    signers: tuple[Signer, ...]
    signed: str  # how the signatures are to be understood
    watermark: str
    footer: str
    code: str  # what the QR code says
    created: str
    blocks: tuple[Block, ...]


def charts_of(document: Document) -> tuple[Chart, ...]:
    """The charts in their order."""
    return tuple(block for block in document.blocks if isinstance(block, Chart))
