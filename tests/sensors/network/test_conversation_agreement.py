"""Agreement of the conversation dialects with Zeek's golden logs; skips without the captures."""

from pathlib import Path

import conversation_agreement as agreement
import pytest

SHARE = 0.99


@pytest.mark.slow
def test_zeek_says_the_same_and_the_page_is_current(shared_captures: Path) -> None:
    page = agreement.page(shared_captures / "zeek")
    assert agreement.DOCS.read_text(encoding="utf-8") == page
    assert "未说明" not in page
    shares = [
        line.split("|")[6].strip() for line in page.splitlines() if line.startswith("| `") and "%" in line
    ]
    assert len(shares) == len(agreement.FIELDS)
    assert all(float(share.rstrip("%")) / 100 >= SHARE for share in shares)


def test_filters_as_pairs() -> None:
    assert agreement.nested("(&(a=1)(b=2)(c=3))") == "(&(&(a=1)(b=2))(c=3))"
    assert agreement.nested("(!(|(a=1)(b=2)))") == "(!(|(a=1)(b=2)))"
    assert agreement.nested("(a=1)") == "(a=1)"
