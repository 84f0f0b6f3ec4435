"""Numbers as reports print them."""

from collections.abc import Iterable, Mapping
from typing import Final

ROWS_MAX: Final = 40  # printed of a long list; all rows stand in the workbook


def percent(rate: float | None) -> str:
    """A share of one as per cent; a dash where nothing is decided."""
    return "—" if rate is None else f"{rate * 100:.1f} %"


def share(rate: float | None) -> float | None:
    """A share of one on a chart's axis of 100, to one decimal as it is printed."""
    return None if rate is None else round(rate * 100, 1)


def points(now: float | None, before: float | None) -> str:
    """The change of a rate in percentage points, with its sign."""
    return "—" if now is None or before is None else f"{(now - before) * 100:+.1f}"


def tally(
    counts: Mapping[str, int], order: Iterable[str], unit: str, names: Mapping[str, str] | None = None
) -> str:
    """符合 3 项，未知 2 项: counts in one sentence, in the given order."""
    return "，".join(f"{(names or {}).get(key, key)} {counts.get(key, 0)} {unit}" for key in order)
