"""The table in the documentation is the one the checklist gives."""

from pathlib import Path

from compliance.catalogue import load_catalogue
from compliance.check_table import table
from compliance.checklist import load_checklist
from rules import ROOT

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "what-is-checked.md"


def test_the_page_has_the_table_of_the_checklist() -> None:
    told = table(load_checklist(ROOT / "checklist"), load_catalogue(ROOT / "grading"))
    assert PAGE.read_text("utf-8").endswith(told), "write compliance.check_table.table anew into the page"
    assert told.count("\n| ") == 75 + 5
