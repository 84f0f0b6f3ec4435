"""The command line: tokens from file or stdin, events as NDJSON, states as text and JSON."""

import argparse
import io
import json
from pathlib import Path

import pytest

from crypto.words import BadInput, LiuheError
from sensors.commands import register


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    options = parser.parse_args(["sensor", *arguments])
    return int(options.run(options))


def test_reading_a_file_prints_events_and_a_summary(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    log = tmp_path / "auth.log"
    log.write_text(
        "Mar  1 08:00:01 web01 sshd[99]: Failed password for root from 203.0.113.9 port 4242 ssh2\n"
        "Mar  1 08:00:02 web01 sshd[99]: Failed password for root from 203.0.113.9 port 4242 ssh2\n",
        "utf-8",
    )
    assert run("read", str(log)) == 0
    out, err = capfdbinary.readouterr()
    events = [json.loads(line) for line in out.splitlines()]
    assert len(events) == 2
    assert len({event["id"] for event in events}) == 2
    assert b"2" in err


@pytest.mark.parametrize("by_file", [True, False])
def test_a_bad_token_is_refused_wherever_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_file: bool
) -> None:
    (tmp_path / "token").write_text("LH1.nonsense", "utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO("LH1.nonsense"))
    given = ["--token-file", str(tmp_path / "token")] if by_file else []
    with pytest.raises(BadInput) as caught:
        run("enroll", "--kind", "host", "--data", str(tmp_path), *given)
    assert caught.value.code == "token-malformed"


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        run("enroll", "--kind", "host", "--data", str(tmp_path), "--token-file", str(tmp_path / "none"))
    assert caught.value.code == "token-file"


def test_status_of_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LiuheError) as caught:
        run("status", "--data", str(tmp_path))
    assert caught.value.code == "sensor-absent"
