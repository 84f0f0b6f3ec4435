"""Names of facts: every one that a shipped check asks for, documents as their titles say."""

from pathlib import Path

import rules
from compliance.checklist import load_checklist
from compliance.documents import load_kinds
from compliance.fact_names import FACTS, fact_name

ROOT = Path(rules.__file__).parent


def test_every_fact_of_the_checklist_has_a_name() -> None:
    asked = {test.fact for check in load_checklist(ROOT / "checklist") for test in check.tests}
    assert asked - set(FACTS) == set()


def test_documents_are_called_as_their_titles_say() -> None:
    for kind, form in load_kinds(ROOT / "mappings" / "documents.yaml").items():
        assert FACTS[f"import.{kind}"] == form.title


def test_an_unknown_fact_keeps_its_id() -> None:
    assert fact_name("site.own").zh == "site.own"
