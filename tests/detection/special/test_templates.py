"""Templates: what varies is masked, lines that agree are one, the state is plain and goes on the same."""

import json

from detection.special.templates import Templates, masked


def test_words_with_digits_and_paths_vary() -> None:
    assert (
        masked("session 42 opened for user root by /usr/bin/su") == "session <*> opened for user root by <*>"
    )
    assert masked("a " * 500) == " ".join(["a"] * 48)
    assert masked("10 20 30 blocks of 7") == "<*> blocks of <*>"
    assert masked("") == ""


def test_templates_are_made_once_and_outlive_the_process() -> None:
    first = Templates(100)
    assert first.add("Accepted password for zhang from 10.0.0.8 port 4021")[0]
    assert not first.add("Accepted password for li from 10.0.0.9 port 77")[0]
    assert first.add("Connection closed by authenticating user")[0]
    second = Templates(100, json.loads(json.dumps(first.state())))
    assert len(second) == 2
    assert second.state() == first.state()
    for line in ("Accepted password for wu from 10.1.1.1 port 5", "kernel panic now", "kernel panic now"):
        assert second.add(line) == first.add(line)


def test_templates_are_bounded() -> None:
    templates = Templates(10)
    for number in range(200):
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        templates.add(" ".join([word] * (1 + number % 20)))
    assert len(templates) <= 10
