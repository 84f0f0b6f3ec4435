"""Forms judge answers: kinds, choices, dates that are too old; wrong forms are refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from compliance.attestation_form import AttestationForm, check_answers, read_form
from crypto.words import BadInput

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
RAW: dict[str, Any] = {
    "valid": "P1Y",
    "asks": [
        {"name": "report", "zh": "编号", "en": "number"},
        {"name": "day", "zh": "日期", "en": "day", "kind": "date", "within": "P30D"},
        {"name": "result", "zh": "结论", "en": "result", "kind": "choice", "choices": ["合格", "不合格"]},
        {"name": "count", "zh": "数量", "en": "count", "kind": "number", "required": False},
    ],
}
GOOD = {"report": "R-1", "day": "2026-11-01", "result": "合格", "count": "3.5"}


def form(**changed: Any) -> AttestationForm:
    return read_form({**RAW, **changed})


def test_good_answers_are_taken() -> None:
    made = form()
    assert (made.valid, made.attachments, made.review) == (timedelta(days=365), 0, False)
    check_answers(made, GOOD, NOW)
    check_answers(made, {name: value for name, value in GOOD.items() if name != "count"}, NOW)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"report": " "}, "report"),
        ({"report": "x" * 501}, "report"),
        ({"day": "2026-10-01"}, "day"),
        ({"day": "昨天"}, "day"),
        ({"result": "尚可"}, "result"),
        ({"count": "三"}, "count"),
        ({"other": "x"}, "other"),
    ],
)
def test_wrong_answers_are_named(change: dict[str, str], field: str) -> None:
    with pytest.raises(BadInput, match="attestation-answer") as caught:
        check_answers(form(), {**GOOD, **change}, NOW)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "changed",
    [
        {"valid": "soon"},
        {"attachments": 21},
        {"asks": [RAW["asks"][0], RAW["asks"][0]]},
        {"asks": [{**RAW["asks"][0], "choices": ["a"]}]},
        {"asks": [{**RAW["asks"][2], "choices": []}]},
        {"asks": [{**RAW["asks"][0], "name": "Über"}]},
        {"more": 1},
    ],
)
def test_wrong_forms_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises((msgspec.ValidationError, ValueError)):
        form(**changed)
