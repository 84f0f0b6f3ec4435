"""What answers what in ICMP, both ways."""

import pytest

from sensors.network.icmp_types import answer_type


@pytest.mark.parametrize(("kind", "answer", "version6"), [(8, 0, False), (13, 14, False), (128, 129, True)])
def test_an_exchange_reads_the_same_from_both_sides(kind: int, answer: int, version6: bool) -> None:
    assert answer_type(kind, 7, version6=version6) == answer
    assert answer_type(answer, 7, version6=version6) == kind


def test_what_nothing_answers_keeps_its_code() -> None:
    assert answer_type(3, 1, version6=False) == 1
    assert answer_type(8, 0, version6=True) == 0
