"""What a process says: one line with the time, and never a reason to stop."""

import io
import re
import sys

import pytest

from crypto.words import Words
from soc_api.speech import say


def test_one_line_in_the_readers_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    say(Words("启动", "starting"))
    said = capsys.readouterr()
    assert re.fullmatch(r"\d\d:\d\d:\d\d starting\n", said.err)
    assert said.out == ""


def test_a_terminal_that_is_gone_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stderr", Gone())
    say(Words("停止", "stopping"))
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    say(Words("停止", "stopping"))
