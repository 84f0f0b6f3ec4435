"""Playbooks are read, found by rule, and a step's id is of its words."""

from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.playbooks import read_playbooks, shipped_playbooks

GOOD = """
title = { zh = "甲", en = "A" }
steps = [{ zh = "一", en = "one" }, { zh = "二", en = "two" }]
rules = ["r1"]
"""


def test_a_playbook_is_found_by_its_rule(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "drill.toml").write_text("x = []")
    books = read_playbooks(tmp_path)
    found = books.of("r1")
    assert found is not None
    assert (found.id, found.title.zh, [step.text.en for step in found.steps]) == ("a", "甲", ["one", "two"])
    assert books.of("r2") is None
    (tmp_path / "a.toml").write_text(GOOD.replace("二", "另外"))
    changed = read_playbooks(tmp_path).every[0]
    assert changed.steps[0].id == found.steps[0].id
    assert changed.steps[1].id != found.steps[1].id


@pytest.mark.parametrize("text", ["x = [", GOOD.replace("steps", "stepz"), GOOD.replace('"一"', "1")])
def test_a_broken_one_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.toml").write_text(text)
    with pytest.raises(BadInput, match=r"a\.toml"):
        read_playbooks(tmp_path)


def test_those_shipped_have_distinct_steps() -> None:
    books = shipped_playbooks()
    steps = [step.id for book in books.every for step in book.steps]
    assert len(books.every) > 10
    assert len(set(steps)) == len(steps)
