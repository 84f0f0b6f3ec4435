"""Templates: what varies is masked, lines that agree are one, the state is plain and goes on the same."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from detection.special.templates import LineKinds, Templates, masked


def test_words_with_digits_and_paths_vary() -> None:
    assert (
        masked("session 42 opened for user root by /usr/bin/su") == "session <*> opened for user root by <*>"
    )
    assert masked("a " * 500) == " ".join(["a"] * 48)
    assert masked("10 20 30 blocks of 7") == "<*> blocks of <*>"
    assert masked("") == ""


def test_templates_are_made_once_and_outlive_the_process() -> None:
    first = Templates(100)
    assert first.add("Accepted password for zhang from 10.0.0.8 port 4021").is_new
    assert not first.add("Accepted password for li from 10.0.0.9 port 77").is_new
    assert first.add("Connection closed by authenticating user").is_new
    second = Templates(100, [tuple(one) for one in json.loads(json.dumps(first.state()))])
    assert len(second) == 2
    assert second.state() == first.state()
    for line in ("Accepted password for wu from 10.1.1.1 port 5", "kernel panic now", "kernel panic now"):
        assert second.add(line) == first.add(line)


def test_an_id_stays_while_its_words_become_variables_and_comes_back_when_forgotten() -> None:
    templates = Templates(2)
    founded = templates.add("Failed password for zhang")
    joined = templates.add("Failed password for li")
    assert (joined.id, joined.template) == (founded.id, "Failed password for <*>")
    assert templates.text(founded.id) == joined.template
    templates.add("one kind")
    templates.add("and another kind")
    assert founded.id not in templates
    assert templates.text(founded.id) == ""
    assert templates.add("Failed password for zhang") == (True, founded.id, "Failed password for zhang")


WORDS = st.lists(st.sampled_from(["open", "close", "for", "root", "zhang", "7"]), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS.map(" ".join), max_size=40), st.integers(0, 40))
def test_handing_on_the_state_changes_no_answer(lines: list[str], cut: int) -> None:
    whole = LineKinds(programs_max=2, templates_max=5)
    first = LineKinds(programs_max=2, templates_max=5)
    answers = [whole.read(str(len(line) % 3), line) for line in lines]
    before = [first.read(str(len(line) % 3), line) for line in lines[:cut]]
    second = LineKinds(programs_max=2, templates_max=5, kept=first.state())
    assert before + [second.read(str(len(line) % 3), line) for line in lines[cut:]] == answers
    assert second.state() == whole.state()
    assert len(whole.state()) <= 2
    assert [second.text(*one) for one in (("0", "none"), ("9", "none"))] == ["", ""]


def test_templates_are_bounded() -> None:
    templates = Templates(10)
    for number in range(200):
        word = "".join(chr(97 + int(digit)) for digit in str(number))
        templates.add(" ".join([word] * (1 + number % 20)))
    assert len(templates) <= 10
