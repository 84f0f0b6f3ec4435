"""The one command: exit codes, one line for an error, calm where the reader goes away."""

import argparse
import errno
import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from crypto.words import BadInput, LiuheError, Refused, Words
from soc_api import cli

WHAT, FIX = Words("出错了", "it failed"), Words("修好它", "mend it")


def command(monkeypatch: pytest.MonkeyPatch, work: Callable[[], int]) -> None:
    """Let ``liuhe rules`` do ``work``."""

    def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        subparsers.add_parser("rules").set_defaults(run=lambda _: work())

    module = SimpleNamespace(register=register)
    monkeypatch.setattr(importlib, "import_module", lambda _: module)
    monkeypatch.setenv("LIUHE_LANG", "en")


def raising(error: BaseException) -> Callable[[], int]:
    def work() -> int:
        raise error

    return work


@pytest.mark.parametrize("code", [0, 1, 2, 3])
def test_the_commands_answer_is_the_exit_code(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    command(monkeypatch, lambda: code)
    assert cli.main(["rules"]) == code


@pytest.mark.parametrize(("kind", "code"), [(Refused, 1), (BadInput, 2), (LiuheError, 3)])
def test_an_error_is_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: type[LiuheError], code: int
) -> None:
    command(monkeypatch, raising(kind("some-code", WHAT, FIX, field="file:3")))
    assert cli.main(["rules"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "some-code: it failed [file:3]. mend it\n"


def test_a_refusal_of_the_system_names_the_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, raising(PermissionError(errno.EACCES, "Permission denied", "/root/x")))
    assert cli.main(["rules"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("system-failed: the system refused: Permission denied [/root/x].")
    assert said.count("\n") == 1
    command(monkeypatch, raising(OSError("odd")))
    assert cli.main(["rules"]) == 3
    assert "odd" in capsys.readouterr().err


def test_an_interrupt_and_a_reader_that_went_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, raising(KeyboardInterrupt()))
    assert cli.main(["rules"]) == 130
    command(monkeypatch, raising(BrokenPipeError(errno.EPIPE, "Broken pipe")))
    assert cli.main(["rules"]) == 0
    assert capsys.readouterr().err == ""


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    command(monkeypatch, raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        cli.main(["rules"])


def test_a_part_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command(monkeypatch, raising(ModuleNotFoundError("No module named 'duckdb'", name="duckdb")))
    assert cli.main(["rules"]) == 3
    assert capsys.readouterr().err.startswith("part-missing: ")
    command(monkeypatch, raising(ModuleNotFoundError("No module named 'detection.x'", name="detection.x")))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["rules"])


def test_help_lists_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = importlib.import_module

    def sensor_alone(name: str) -> object:
        if name.startswith(("detection", "compliance")):
            raise ModuleNotFoundError("No module named 'yaml'", name="yaml")
        return real(name)

    monkeypatch.setattr(importlib, "import_module", sensor_alone)
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    listed = capsys.readouterr().out
    assert "sensor" in listed
    assert "hunt" not in listed
    assert cli.main(["hunt", "x"]) == 3


@pytest.mark.parametrize(
    "given", [[], ["nonsense"], ["center"], ["center", "nonsense"], ["center", "status", "--nonsense"]]
)
def test_wrong_usage_is_exit_2(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(given)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "usage:" in said.err


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("liuhe ")


def test_every_command_is_there() -> None:
    (subparsers,) = (
        action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    assert set(subparsers.choices) == set(cli.COMMANDS)


def test_a_pipe_that_closed_early_leaves_no_noise() -> None:
    program = (
        "import importlib, sys, types, soc_api.cli as cli;"
        "work = lambda _: print('row') or 0;"
        "register = lambda parsers: parsers.add_parser('rules').set_defaults(run=work);"
        "importlib.import_module = lambda _: types.SimpleNamespace(register=register);"
        "sys.exit(cli.main(['rules']))"
    )
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, timeout=30, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")
