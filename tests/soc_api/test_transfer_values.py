"""Tests of soc_api.transfer_values; the whole life of a transfer is in test_transfer_console."""

from crypto.transfer.request import Reason
from crypto.words import Words
from soc_api.transfer_values import reason_value


def test_a_reason_keeps_its_code_and_both_sentences() -> None:
    assert reason_value(None) is None
    told = reason_value(Reason(code="transfer-gate", zh="检查未通过", en="a check failed"))
    assert told is not None
    assert (told.code, told.message) == ("transfer-gate", Words("检查未通过", "a check failed"))
