"""YAML as hostile input: shape bounded before it is composed, lines known, doubled keys refused."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.sigma.document import DEPTH_MAX, DOCUMENTS_MAX, FILE_BYTES_MAX, parse_documents
from detection.sigma.errors import RuleError


def test_lines_of_keys_are_known() -> None:
    (document,) = parse_documents(b"title: x\ndetection:\n  sel:\n    f: 1\n  condition: sel\n")
    assert document.value == {"title": "x", "detection": {"sel": {"f": 1}, "condition": "sel"}}
    assert document.line("detection", "sel", "f") == 4
    assert document.line("detection", "nosuch") == 2
    assert document.line("nosuch") == 1


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a: 1\nb: 2\na: 3\n", 3),
        (b"a: 1\nb: [1, 2\n", 3),
        (b"a: &x [1]\nb: *x\n", 2),
        (b"a: " + b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), 1),
        (b"[" * 200_000, 1),
        (b"- " * 200_000, 1),
        (b"a: !!python/object:os.system x\n", 1),
        (b"a: \xff\xfe\n", 1),
        (b"a: 2024-13-99\n", 1),
        (b"---\na: 1\n" * (DOCUMENTS_MAX + 1), 2 * DOCUMENTS_MAX + 1),
        (b"#" * (FILE_BYTES_MAX + 1), 1),
    ],
)
def test_bad_yaml_is_refused_with_its_line(data: bytes, line: int) -> None:
    with pytest.raises(RuleError) as caught:
        parse_documents(data, "x.yml")
    assert caught.value.code == "rule-yaml"
    assert caught.value.field.startswith("x.yml:")
    assert caught.value.line == line


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_a_rule_error(data: bytes) -> None:
    with contextlib.suppress(RuleError):
        assert isinstance(parse_documents(data), list)
