"""The drill's steps: each named in drill.toml, with a mark of this run that no other step has."""

import tomllib
from pathlib import Path

from rules import ROOT
from soc_api.drill_steps import actions


def test_every_step_has_a_name_rules_and_a_mark_of_its_own(tmp_path: Path) -> None:
    answers = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text("utf-8"))
    slow = answers.pop("slow")
    answers.pop("learned")  # see test_drill_learned.py
    for named, listed in ((answers, actions(tmp_path)), (slow, actions(tmp_path, slow=True))):
        assert [one.name for one in listed] == list(named)
        assert [list(one.rules) for one in listed] == list(named.values())
        assert len({one.marker for one in listed}) == len(listed)


def test_marks_of_two_runs_differ(tmp_path: Path) -> None:
    once, again = ({one.marker for one in actions(tmp_path)} for _ in range(2))
    assert once & again == {"nobody", "t.drill.invalid"}  # rules without a memory tell those each time
