"""Sentences in the reader's language; errors name thing, reason, next step."""

import pytest

from crypto.words import BadInput, LiuheError, Refused, Words


@pytest.mark.parametrize(
    ("chosen", "expected"), [("zh_CN.UTF-8", "中"), ("en_US.UTF-8", "en"), ("C.UTF-8", "中"), ("", "中")]
)
def test_chinese_first(monkeypatch: pytest.MonkeyPatch, chosen: str, expected: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIUHE_LANG", chosen)
    assert str(Words("中", "en")) == expected


def test_an_error_is_one_line_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    error = BadInput("code", Words("错", "wrong"), Words("改", "mend it"), field="a.b")
    monkeypatch.setenv("LIUHE_LANG", "en")
    assert str(error) == "code: wrong [a.b]. mend it"
    monkeypatch.setenv("LIUHE_LANG", "zh")
    assert str(error) == "code: 错 [a.b]。改"


def test_exit_codes() -> None:
    assert (Refused.exit_code, BadInput.exit_code, LiuheError.exit_code) == (1, 2, 3)
