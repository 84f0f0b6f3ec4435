"""``liuhe hunt`` from argument to output."""

import argparse
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crypto.words import BadInput, LiuheError
from detection import hunt_commands
from detection.store.alert_store import AlertStore
from detection.store.hunt import hunt, parse_since


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    hunt_commands.register(parser.add_subparsers())
    return parser.parse_args(["hunt", *words])


def test_events_on_stdout_count_on_stderr(
    center: Any, engine: Engine, start: datetime, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    AlertStore(engine).commit([], [], center.receive(20), start)
    center.store(engine).seal(start, force=True)
    center.receive(5)
    now = start + timedelta(seconds=25)
    words = ["Image:*/tool3 and n > 9", "--since", "10s", "--data", str(center.folder)]
    assert hunt(arguments(*words), now) == 0
    out, err = capsysbinary.readouterr()
    assert [json.loads(line)["fields"]["n"] for line in out.splitlines()] == [24, 17]
    assert "2" in err.decode()
    assert hunt(arguments(*words, "--limit", "1"), now) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 1


def test_an_unreadable_file_is_named_and_the_exit_code_says_so(
    center: Any, engine: Engine, start: datetime, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    AlertStore(engine).commit([], [], center.receive(3), start)
    (file,) = center.store(engine).seal(start, force=True)
    (center.folder / "events" / file.name).write_bytes(b"PAR1")
    assert hunt(arguments("n:*", "--data", str(center.folder)), start) == 3
    assert file.name in capsysbinary.readouterr().err.decode()


def test_no_center_and_bad_words(tmp_path: Path, start: datetime) -> None:
    with pytest.raises(LiuheError) as caught:
        hunt(arguments("x", "--data", str(tmp_path)), start)
    assert caught.value.code == "center-absent"
    with pytest.raises(SystemExit):
        arguments("x", "--limit", "0")
    for word in ("yesterday", "10y", "2026-11-22T08:00:00", "٣h", ""):
        with pytest.raises(BadInput):
            parse_since(word, start)


def test_a_rule_instead_of_a_query(
    center: Any, engine: Engine, start: datetime, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    AlertStore(engine).commit([], [], center.receive(20), start)
    center.store(engine).seal(start, force=True)
    center.receive(5)
    path = center.folder / "rule.yml"
    path.write_text(
        "title: Tool\nid: 00000000-0000-4000-8000-000000000001\n"
        "logsource: {product: linux, category: process_creation}\n"
        "detection: {selection: {Image|endswith: /Tool3, n|gt: 9}, condition: selection}\n",
        encoding="utf-8",
    )
    words = ["--rule", str(path), "--data", str(center.folder)]
    assert hunt(arguments(*words), start) == 0
    out, err = capsysbinary.readouterr()
    assert [json.loads(line)["events"][0]["fields"]["n"] for line in out.splitlines()] == [24, 17, 10]
    assert "3 条告警" in err.decode() or "3 alerts" in err.decode()
    now = start + timedelta(seconds=25)
    assert hunt(arguments(*words, "--since", "10s", "--until", "2s"), now) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 1
    assert hunt(arguments("n:*", "--until", "20s", "--data", str(center.folder)), now) == 0
    assert len(capsysbinary.readouterr().out.splitlines()) == 5


@pytest.mark.parametrize("words", [(), ("x", "--rule", "y")])
def test_a_query_or_a_rule(words: tuple[str, ...], tmp_path: Path, start: datetime) -> None:
    with pytest.raises(BadInput) as caught:
        hunt(arguments(*words, "--data", str(tmp_path)), start)
    assert caught.value.code == "hunt-nothing"


def test_the_option_at_fault_is_named(start: datetime) -> None:
    with pytest.raises(BadInput) as caught:
        parse_since("yesterday", start, field="--until")
    assert caught.value.field == "--until"


def test_since_as_age_or_time(start: datetime) -> None:
    assert parse_since("90m", start) == start - timedelta(minutes=90)
    assert parse_since("2026-11-22T16:00:00+08:00", start) == start
    assert parse_since("999999w", start) == start - timedelta(days=36_500)
