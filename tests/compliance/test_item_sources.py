"""The table names real items and real sources, and the page says what the table says."""

import os
import re
from pathlib import Path

import pytest

from compliance.catalogue import load_catalogue
from compliance.item_sources import ItemSources, item_sources, items_of, page, source_table, write
from sensors.host.inventory.kinds import KINDS
from sensors.host.probes import PROBES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/probe-coverage.md"
CENTER = {"alerts", "assets", "audit", "ledger", "reports", "retention", "sensors"}


@pytest.fixture(scope="module")
def rows() -> list[ItemSources]:
    catalogue = load_catalogue(ROOT / "rules/grading")
    names = ("general", "cloud", "mobile", "iot", "ics")
    items = [item for level in (2, 3) for name in names for item in catalogue.items(level, name)]
    return item_sources(items, source_table())


def test_the_page_is_made_from_the_table(rows: list[ItemSources]) -> None:
    if os.environ.get("LIUHE_WRITE_DOCS"):
        write(PAGE, rows)
    assert PAGE.read_text("utf-8") == page(rows), "run this test with LIUHE_WRITE_DOCS=1"


def test_every_row_names_an_item_and_sources_that_exist(rows: list[ItemSources]) -> None:
    assert set(source_table()) <= {one.item.id for one in rows}
    text = (ROOT / "docs/reference/event.md").read_text("utf-8")
    network = {
        name
        for path in (ROOT / "sensors/network").glob("*.py")
        for name in re.findall(r'"(net\.[a-z]+)"', path.read_text("utf-8"))
    }
    real = {
        "probe": {one.id for one in PROBES},
        "inventory": {one.name for one in KINDS},
        "event": {"inventory.change", *re.findall(r"^### ([a-z.]+)", text, re.MULTILINE)},
        "network": network,
        "center": CENTER,
    }
    for item, sources in source_table().items():
        for source in sources:
            kind, _, name = source.partition(":")
            assert name in real[kind], f"{item}: {source}"


def test_every_probe_bears_on_an_item() -> None:
    table = source_table()
    assert [one.id for one in PROBES if not items_of(f"probe:{one.id}", table)] == []


def test_what_a_host_can_answer_is_answered(rows: list[ItemSources]) -> None:
    """Every item the catalogue gives to the host has telemetry, on both levels."""
    hosts = [one for one in rows if one.item.automatable == "host" and one.item.extension == "general"]
    assert len(hosts) > 40
    assert [one.item.id for one in hosts if one.missed] == []
