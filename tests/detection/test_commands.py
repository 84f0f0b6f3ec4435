"""The commands: data on stdout, words on stderr, exit codes, errors with file and line."""

import json
from pathlib import Path

import pytest

from detection.commands import main

RULE = """title: Evil Word
id: 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11
logsource: {product: linux, category: process_creation}
detection:
    sel: {CommandLine|contains: evil}
    condition: sel
level: low
tags: [attack.execution]
liuhe: {title_zh: 恶意词}
"""
SOURCE = {"product": "linux", "category": "process_creation"}


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "sigma"
    folder.mkdir()
    (folder / "evil_word.yml").write_text(RULE)
    return folder


def lines(path: Path, *commands: str) -> Path:
    rows = [
        {"logsource": SOURCE, "fields": {"host.name": "h"}, "native": {"CommandLine": c}} for c in commands
    ]
    times = [row | {"time": "2026-01-01T00:00:00Z"} for row in rows]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in times))
    return path


def test_check_is_quiet_on_stdout_and_says_how_many(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "check", str(rules)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "1 条规则可用" in err or "1 rules usable" in err


def test_check_names_file_and_line_and_fails(rules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (rules / "bad.yml").write_text(RULE.replace("condition: sel", "condition: sal"))
    assert main(["rules", "check", "--json", str(rules)]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["title"]["zh"] == "恶意词"
    assert f"{rules / 'bad.yml'}:6" in err


def test_test_runs_the_samples(rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = tmp_path / "samples"
    given = ["rules", "test", str(rules), "--samples", str(samples)]
    assert main(given) == 1
    lines(samples / "evil_word" / "hit.ndjson", "an evil word")
    lines(samples / "evil_word" / "miss.ndjson", "a good word")
    assert main([*given, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hits"] == 1


@pytest.mark.parametrize("language", ["zh", "en"])
def test_detect_writes_alerts_and_a_summary(
    rules: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
) -> None:
    monkeypatch.setenv("LIUHE_LANG", language)
    path = lines(tmp_path / "in.jsonl", "evil one", "good", "EVIL two")
    path.write_text(path.read_text() + "{broken\n")
    assert main(["detect", "--rules", str(rules), "--input", str(path), "--special"]) == 0
    out, err = capsys.readouterr()
    alerts = [json.loads(line) for line in out.splitlines()]
    assert [alert["entity"] for alert in alerts] == ["host:h", "host:h"]
    assert len({alert["id"] for alert in alerts}) == 2
    assert f"{path}:4" in err
    assert f"       2  {'执行' if language == 'zh' else 'Execution'}\n" in err
    assert ("3 个事件,2 条告警" if language == "zh" else "3 events, 2 alerts") in err


def test_an_unreadable_input_is_a_usage_error(rules: Path, tmp_path: Path) -> None:
    assert main(["detect", "--rules", str(rules), "--input", str(tmp_path / "none")]) == 2


def test_a_rule_waits_for_its_list_and_takes_it(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (rules / "evil_word.yml").write_text(RULE.replace("contains: evil", "contains|expand: '%Words%'"))
    assert main(["rules", "check", str(rules)]) == 0
    assert "words.txt" in capsys.readouterr().err
    (tmp_path / "words.txt").write_text("evil\n")
    assert main(["rules", "check", str(rules), "--lists", str(tmp_path)]) == 0
    assert "words.txt" not in capsys.readouterr().err
    path = lines(tmp_path / "in.jsonl", "an evil word")
    given = ["detect", "--rules", str(rules), "--input", str(path), "--lists", str(tmp_path)]
    assert main(given) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_windows_lines_give_the_alerts_they_would_give_unsorted(
    rules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = RULE.replace("product: linux", "product: windows")
    (rules / "evil_word.yml").write_text(text)
    channel = "Microsoft-Windows-Sysmon/Operational"
    path = tmp_path / "in.jsonl"
    records = [
        {"Channel": channel, "EventID": 1, "Hostname": "h", "SourceName": "s", "CommandLine": f"{word} {n}"}
        for n, word in enumerate(["good", "evil", "good", "EVIL", "good"])
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records) + "{\n")
    found = []
    for more in ([], ["--special"]):  # with the special detectors every line becomes an event
        assert main(["detect", "--rules", str(rules), "--input", str(path), *more]) == 0
        out, err = capsys.readouterr()
        assert "5 events" in err or "5 个事件" in err
        found.append([json.loads(line) for line in out.splitlines()])
    assert len(found[0]) == 2
    assert found[0] == found[1]
