"""Which telemetry bears on which item: of every item of levels 2 and 3 the sources, or 人工证明 attestation.

The table is rules/mappings/probe_items.toml; docs/reference/probe-coverage.md is made from it by ``page``.
Pure: items and table are handed in. That a source bears on an item is no verdict: checks judge.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from compliance.catalogue import DOMAINS, Item
from sensors.host.tables import shipped

LEVELS: Final = (2, 3)
_AUTOMATABLE: Final = ("host", "network", "platform")
_INTRODUCTION: Final = """# Coverage of the items by telemetry 探针覆盖表

Made by `compliance/item_sources.py` from `rules/mappings/probe_items.toml` and
`rules/grading/catalogue.yaml`; a test compares. For each item of GB/T 22239-2019, levels 2 and 3:
which telemetry bears on it, else 人工证明 (a person states it and signs).
列出的来源只提供证据,判定由检查项作出;「人工证明」项须由人员签署。

Kinds of source: `probe` ([probes.md](probes.md)), `inventory` ([inventory.md](inventory.md)), `event`
and `network` ([event.md](event.md)), `center` (the center's own records: alerts, assets, audit, ledger,
reports, retention, sensors). 来源种类:主机探针、主机清单、主机事件、网络事件、监管中心自身记录。
"""
_HEAD: Final = "| item | 要求 requirement | sources 来源 |\n|---|---|---|\n"
_SUMS_HEAD: Final = """| level | domain | items | with telemetry 有遥测 | 人工证明 | 其中目录标为可自动 |
|---|---|---|---|---|---|
"""


class ItemSources(msgspec.Struct, frozen=True, kw_only=True):
    """An item and the sources that bear on it; none means that people must show it."""

    item: Item
    sources: tuple[str, ...]

    @property
    def missed(self) -> bool:
        """Whether the catalogue calls it automatable and yet nothing bears on it."""
        return not self.sources and self.item.automatable in _AUTOMATABLE


def source_table() -> Mapping[str, Sequence[str]]:
    """The shipped table: item -> sources."""
    table: dict[str, list[str]] = shipped("probe_items")["items"]
    return table


def item_sources(items: Iterable[Item], table: Mapping[str, Sequence[str]]) -> list[ItemSources]:
    """The items of levels 2 and 3 with their sources, in the order given."""
    return [
        ItemSources(item=item, sources=tuple(table.get(item.id, ())))
        for item in items
        if item.level in LEVELS
    ]


def items_of(source: str, table: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The items a source bears on."""
    return tuple(item for item, sources in table.items() if source in sources)


def page(rows: Sequence[ItemSources]) -> str:
    """The whole of docs/reference/probe-coverage.md."""
    parts = [_INTRODUCTION, "\n## Sums 汇总\n\n", _sums(rows)]
    for level in LEVELS:
        for domain in DOMAINS:
            found = [one for one in rows if (one.item.level, one.item.domain) == (level, domain)]
            general = [one for one in found if one.item.extension == "general"]
            extended = [one for one in found if one.item.extension != "general" and one.sources]
            if general:
                parts.append(f"\n## {level} 级 level {level}: {domain}\n\n{_HEAD}")
                parts += [_row(one) for one in (*general, *extended)]
    return "".join(parts)


def _sums(rows: Sequence[ItemSources]) -> str:
    lines = [_SUMS_HEAD]
    for level in LEVELS:
        for domain in DOMAINS:
            place = level, domain, "general"
            found = [one for one in rows if (one.item.level, one.item.domain, one.item.extension) == place]
            seen = sum(bool(one.sources) for one in found)
            missed = sum(one.missed for one in found)
            lines.append(f"| {level} | {domain} | {len(found)} | {seen} | {len(found) - seen} | {missed} |\n")
    return "".join(lines)


def _row(one: ItemSources) -> str:
    sources = ", ".join(f"`{source}`" for source in one.sources)
    if not sources:
        hint = f": {one.item.hint}" if one.item.hint else ""
        sources = f"人工证明{hint}"
    text = f"{one.item.point}: {one.item.summary}".replace("|", "/")
    return f"| `{one.item.id}` | {text} | {sources.replace('|', '/')} |\n"


def write(path: Path, rows: Sequence[ItemSources]) -> None:
    """Write the page anew."""
    path.write_text(page(rows), "utf-8")
