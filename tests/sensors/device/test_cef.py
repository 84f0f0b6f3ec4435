"""CEF and LEEF: escapes, labels, separators, and lines that are neither."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors.device.cef import PAIRS_MAX, parse_record


def test_cef_with_escaped_bars_and_values_with_blanks() -> None:
    line = (
        "<134>Nov 22 09:08:07 fw CEF:0|Security|threat\\|manager|1.0|100|worm stopped|Very-High|"
        "src=10.0.0.1 dst=2.1.2.2 msg=a\\=b and c\\nd cs1Label=策略 名称 cs1=deny all request=http://x/?q\\=1"
    )
    found = parse_record(line)
    assert found is not None
    assert (found.vendor, found.product, found.signature, found.name) == (
        "Security", "threat|manager", "100", "worm stopped",
    )  # fmt: skip
    assert found.severity == 9
    assert found.pairs["msg"] == "a=b and c\nd"
    assert found.pairs["策略 名称"] == "deny all"
    assert found.pairs["request"] == "http://x/?q=1"


@pytest.mark.parametrize(
    ("line", "separator"),
    [
        ("LEEF:1.0|Lancope|StealthWatch|1.0|41|src=10.0.1.8\tdst=10.0.0.5\tsev=5\tcat=anomaly", ""),
        ("LEEF:2.0|Lancope|StealthWatch|1.0|41|^|src=10.0.1.8^dst=10.0.0.5^sev=5^cat=anomaly", "^"),
        ("LEEF:2.0|Lancope|StealthWatch|1.0|41|x5E|src=10.0.1.8^dst=10.0.0.5^sev=5^cat=anomaly", "^"),
        ("LEEF:2.0|Lancope|StealthWatch|1.0|41|0x5e|src=10.0.1.8^dst=10.0.0.5^sev=5^cat=anomaly", "^"),
    ],
)
def test_leef_with_its_separators(line: str, separator: str) -> None:
    found = parse_record(line)
    assert found is not None, separator
    assert found.pairs == {"src": "10.0.1.8", "dst": "10.0.0.5", "sev": "5", "cat": "anomaly"}
    assert (found.form, found.signature, found.severity, found.name) == ("leef", "41", 5, "anomaly")


@pytest.mark.parametrize(
    "line", ["CEF:0|a|b|c", "CEF:x|a|b|c|d|e|f|", "LEEF:1.0|a|b", "LEEF:9|a|b|c|d|e=f", "no"]
)
def test_lines_that_are_neither(line: str) -> None:
    assert parse_record(line) is None


def test_pairs_are_bounded() -> None:
    found = parse_record("CEF:0|a|b|c|d|e|3|" + " ".join(f"k{n}={n}" for n in range(PAIRS_MAX * 3)))
    assert found is not None
    assert len(found.pairs) == PAIRS_MAX


@given(st.text(alphabet="CEFL:|\\= \tab019^xn", max_size=120))
def test_any_text_gives_a_record_or_none(text: str) -> None:
    for line in (text, f"CEF:0|{text}|a|b|c|d|5|{text}", f"LEEF:2.0|a|b|c|d|{text}"):
        parse_record(line)
