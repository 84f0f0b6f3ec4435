"""Loading rule files: what a rule carries, what is wrong and where, and that the others go on."""

from pathlib import Path

import pytest

from crypto.words import Words
from detection.condition import Always, Atom
from detection.sigma.load import load_rules, rules_in

ID = "5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11"
GOOD = f"""title: Reverse Shell By Bash
id: {ID}
status: test
description: A shell that reads from /dev/tcp.
author: The Liuhe authors
date: 2026-11-22
tags:
    - attack.execution
    - attack.t1059.004
logsource:
    product: linux
    category: process_creation
detection:
    selection:
        CommandLine|contains: '/dev/tcp/'
    condition: selection
falsepositives:
    - Port tests
level: high
liuhe:
    title_zh: bash 反弹 shell
    entity: host
    reason: {{zh: '{{host.name}} 反弹', en: 'shell from {{host.name}}'}}
    clauses: ['8.1.4.3']
    drill: true
"""


def write(folder: Path, text: str, name: str = "rule.yml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_rule_carries_what_alerts_need(tmp_path: Path) -> None:
    (rule,), errors = load_rules([write(tmp_path, GOOD)])
    assert errors == []
    assert rule.id == ID
    assert rule.title == Words("bash 反弹 shell", "Reverse Shell By Bash")
    assert rule.level == "high"
    assert rule.attack == ("T1059.004",)
    assert rule.clauses == ("8.1.4.3",)
    assert rule.entity == "host"
    assert rule.reason == Words("{host.name} 反弹", "shell from {host.name}")
    assert rule.logsource.category == "process_creation"
    assert rule.falsepositives == ("Port tests",)
    assert rule.drill
    assert rule.line == 13
    assert len(rule.digest) == 64


def test_a_foreign_rule_needs_nothing_of_ours(tmp_path: Path) -> None:
    text = GOOD.partition("liuhe:")[0].replace("level: high\n", "").replace("product: linux", "product: zeek")
    (rule,), errors = load_rules([write(tmp_path, text)])
    assert errors == []
    assert rule.title.zh == rule.title.en
    assert (rule.level, rule.entity, rule.reason) == ("medium", "source", None)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        (f"id: {ID}\n", "", "rule-malformed", 1),
        (f"id: {ID}", "id: 123", "rule-malformed", 2),
        ("level: high", "level: extreme", "rule-malformed", 19),
        ("CommandLine|contains", "CommandLine|nosuch", "rule-malformed", 15),
        ("CommandLine|contains: '/dev/tcp/'", "CommandLine|re: '(?=x)y'", "regex-unsupported", 15),
        ("condition: selection", "condition: nosuch", "rule-malformed", 16),
        ("    condition: selection\n", "", "rule-malformed", 13),
        ("entity: host", "entity: planet", "rule-malformed", 20),
        ("drill: true", "drll: true", "rule-malformed", 20),
        ("{host.name} 反弹", "{host.name 反弹", "reason-malformed", 23),
        ("logsource:\n    product: linux\n    category: process_creation\n", "", "rule-malformed", 1),
        ("detection:", "correlation: {}\ndetection:", "rule-malformed", 13),
    ],
)
def test_an_error_names_file_line_and_fix(tmp_path: Path, old: str, new: str, code: str, line: int) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    rules, (error,) = load_rules([path])
    assert rules == []
    assert error.code == code
    assert error.path == str(path)
    assert error.fix.zh
    assert error.line >= 1
    assert error.line == line


def test_one_bad_rule_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("condition: selection", "condition: nosuch"), "a.yml")
    write(tmp_path, GOOD, "b.yml")
    write(tmp_path, "[" * 100_000, "c.yml")
    write(tmp_path, "just text", "d.yml")
    write(tmp_path, "", "e.yml")
    rules, errors = load_rules([tmp_path])
    assert [rule.id for rule in rules] == [ID]
    assert len(errors) == 4


def test_a_doubled_id_is_refused_with_the_first_place(tmp_path: Path) -> None:
    write(tmp_path, GOOD, "a.yml")
    write(tmp_path, GOOD, "b.yml")
    rules, (error,) = load_rules([tmp_path])
    assert len(rules) == 1
    assert error.code == "rule-doubled"
    assert "a.yml" in error.what.en
    assert "b.yml" in error.field


def test_a_collection_holds_several_rules_and_a_global_part(tmp_path: Path) -> None:
    general = "action: global\nauthor: Somebody\nlogsource: {product: linux}\n---\n"
    second = ID.replace("5b9c", "6b9c")
    one = f"title: One\nid: {ID}\ndetection: {{sel: {{f: 1}}, condition: sel}}\nlevel: low\n---\n"
    two = f"title: Two\nid: {second}\ndetection: {{sel: {{f: 2}}, condition: sel}}\nlevel: low\n"
    rules, errors = rules_in(write(tmp_path, general + one + two))
    assert errors == []
    assert [(rule.id, rule.author, rule.logsource.product) for rule in rules] == [
        (ID, "Somebody", "linux"),
        (second, "Somebody", "linux"),
    ]


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    rules, (error,) = load_rules([tmp_path / "nosuch"])
    assert rules == []
    assert error.code == "rule-none"


def test_a_rule_whose_list_is_missing_loads_and_says_so(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD.replace("contains: '/dev/tcp/'", "contains|expand: 'x%Sites%y'"))
    (waiting,), errors = load_rules([path], {})
    assert errors == []
    assert waiting.needs == ("Sites",)
    assert waiting.condition == Always(False)
    (ready,), errors = load_rules([path], {"sites": ("one*", "two")})
    assert errors == []
    assert ready.needs == ()
    assert ready.condition == Atom("CommandLine", "contains", ("xone*y", "xtwoy"), False, "selection")
