"""The rules in force: told by a digest that changes exactly when one does."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec

from detection.sigma.archive import Release
from detection.sigma.imported import take_in
from rules import ROOT
from soc_api.folders import Folders
from soc_api.rule_set import RuleSet, center_rules, shipped_rules
from soc_api.settings import Detection, Settings, parse_settings, render_settings

RULE = """
title: {title}
id: 5b3b6e3c-9d5e-4c9d-8f0a-0123456789{number:02d}
logsource: {{product: linux, category: process_creation}}
detection:
  selection: {{Image|endswith: /nc}}
  condition: selection
level: high
"""


def rules(folder: Path, *titles: str) -> RuleSet:
    folder.mkdir(exist_ok=True)
    for number, title in enumerate(titles):
        (folder / f"{number}.yml").write_text(RULE.format(title=title, number=number))
    return shipped_rules(folder)


def test_the_shipped_rules_are_usable() -> None:
    found = shipped_rules(ROOT / "sigma")
    assert found.errors == ()
    assert len(found.rules) >= 30


def test_the_digest_changes_exactly_when_a_rule_does(tmp_path: Path) -> None:
    first = rules(tmp_path / "a", "one", "two")
    assert rules(tmp_path / "a", "one", "two").digest == first.digest
    turned = msgspec.structs.replace(first, rules=first.rules[::-1])
    assert turned.digest == first.digest
    assert rules(tmp_path / "a", "one", "other").digest != first.digest
    fewer = msgspec.structs.replace(first, rules=first.rules[:1])
    assert fewer.digest != first.digest


def test_an_unusable_rule_is_told_and_the_others_work(tmp_path: Path) -> None:
    rules(tmp_path / "a", "one")
    (tmp_path / "a" / "bad.yml").write_text("title: [")
    found = shipped_rules(tmp_path / "a")
    assert len(found.rules) == 1
    assert "bad.yml" in str(found.errors[0])
    leaf = found.evidence()
    assert leaf.summary == "1 rules, 0 correlations, 1 unusable"
    assert leaf.subject == f"rule-set:{found.digest[:16]}"
    assert list(msgspec.json.decode(leaf.payload)) == [found.rules[0].id]


def test_rules_are_kept_for_the_next_start_and_take_lists_of_the_estate(tmp_path: Path) -> None:
    cache, lists = tmp_path / "rules.bin", tmp_path / "lists"
    found = shipped_rules(cache=cache, lists=lists)
    assert cache.exists()
    assert shipped_rules(cache=cache, lists=lists) == found == shipped_rules()
    lists.mkdir()
    (lists / "bad.txt").write_bytes(b"\xff")
    assert [error.code for error in shipped_rules(cache=cache, lists=lists).errors] == ["rule-list"]


def test_a_center_runs_the_imported_rules_that_may_speak(tmp_path: Path) -> None:
    files = {f"rules/{n}.yml": RULE.format(title=f"theirs {n}", number=n).encode() for n in (1, 2)}
    files["rules/2.yml"] += b"status: stable\n"
    take_in(
        tmp_path / "rules" / "imported", Release(files, {}), "x.zip", datetime(2026, 1, 1, tzinfo=UTC), {}
    )
    found = center_rules(Folders(tmp_path), Settings())
    assert [rule.title.en for rule in found.rules if rule.title.en.startswith("theirs")] == ["theirs 2"]
    chosen = Settings(detection=Detection(imported_status="experimental"))
    assert len(center_rules(Folders(tmp_path), chosen).rules) == len(found.rules) + 1
    assert parse_settings(render_settings(chosen).encode(), "center.toml") == chosen
    assert center_rules(Folders(tmp_path / "other"), chosen).errors == ()
