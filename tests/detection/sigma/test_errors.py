"""Errors of rules: they gather their place on the way up and keep it."""

from detection.sigma.errors import malformed, unsupported


def test_keys_are_kept_from_the_deepest_place() -> None:
    error = malformed("坏", "bad").under("detection", "sel").under("detection")
    assert error.keys == ("detection", "sel")
    assert error.field == "detection.sel"


def test_file_and_line_become_the_field() -> None:
    error = unsupported("这个", "this").under("level").at("rule.yml", 7)
    assert error.field == "rule.yml:7"
    assert (error.path, error.line, error.keys) == ("rule.yml", 7, ("level",))
    assert error.exit_code == 2
