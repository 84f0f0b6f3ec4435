"""Tests of soc_api.common_words."""

import pytest

from soc_api.common_words import is_common


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "P@ssw0rd!2026",
        "Admin@123456",
        "Huawei12#$",
        "1qaz2WSX",
        "qwertyUIOP",
        "poiuytrewq1",
        "aAaA1111!!!!",
    ],
)
def test_dressed_up_words_walks_and_repetitions_are_common(password: str) -> None:
    assert is_common(password)


@pytest.mark.parametrize(
    "password", ["Correct-horse-7", "Watch-over-all-2026", "春眠不觉晓Abc12", "k7#Vq-rain-lamp"]
)
def test_others_are_not(password: str) -> None:
    assert not is_common(password)
