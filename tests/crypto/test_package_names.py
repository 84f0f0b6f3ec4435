"""Names in packages: nothing that leaves a folder, hides from the eye or means two things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.package_names import NAME_BYTES_MAX, flaw_of_name, flaw_of_names

BAD = (
    *(
        "",
        "/",
        "/etc/passwd",
        "a/",
        "a//b",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        "a\\b",
        "C:a",
        "a:b",
        "a\0",
    ),
    *(
        "a\nb",
        "a\u202eb",
        "a\u200bb",
        " a",
        "a ",
        "a.",
        "a/ b",
        "nul",
        "NUL.txt",
        "a/com1.tar.gz",
        "Aux",
        "lpt9",
    ),
    *("con .txt", "e\u0301", "a*", "a?", 'a"', "a<b", "a|b", "a" * 241, "大" * 81, "/".join("a" * 17)),
    *("a/" * 600 + "a", "\ue000", "\udc80"),
)
GOOD = (
    "a",
    "说明.txt",
    ".hidden",
    "a/b/c",
    "é",
    "com10",
    "nulls",
    "a b",
    "a'b",
    "大" * 80,
    "/".join("a" * 16),
)


@pytest.mark.parametrize("name", BAD)
def test_bad_names_have_a_flaw(name: str) -> None:
    assert flaw_of_name(name)


@pytest.mark.parametrize("name", GOOD)
def test_good_names_have_none(name: str) -> None:
    assert flaw_of_name(name) == ""


@pytest.mark.parametrize(
    "names", [("a", "a"), ("a", "A"), ("Straße", "STRASSE"), ("a", "a/b"), ("a/b", "A"), ("a/b/c", "a/B")]
)
def test_names_that_cannot_stand_together(names: tuple[str, ...]) -> None:
    assert flaw_of_names(names)
    assert flaw_of_names(names[:1]) == ""


@given(st.text(max_size=40))
def test_any_text_has_a_verdict_and_a_good_name_stays_below_its_folder(name: str) -> None:
    if flaw_of_name(name):
        return
    assert len(name.encode()) <= NAME_BYTES_MAX
    assert not name.startswith("/")
    assert not {"", ".", ".."}.intersection(name.split("/"))
