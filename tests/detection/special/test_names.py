"""Registered names without a list of suffixes."""

import pytest

from detection.special.names import is_reverse, parted


@pytest.mark.parametrize(
    ("name", "before", "registered"),
    [
        ("example.com", "", "example.com"),
        ("a.b.example.com.", "a.b", "example.com"),
        ("www.jiangsu.gov.cn", "www", "jiangsu.gov.cn"),
        ("x.nj.js.cn", "x", "nj.js.cn"),
        ("shop.co.uk", "", "shop.co.uk"),
        ("host", "", "host"),
        ("a.b.io", "a", "b.io"),
        ("", "", ""),
    ],
)
def test_names_are_parted(name: str, before: str, registered: str) -> None:
    assert parted(name) == (before, registered)


def test_reverse_names() -> None:
    assert is_reverse("9.0.0.10.in-addr.arpa")
    assert not is_reverse("arpa.example")
