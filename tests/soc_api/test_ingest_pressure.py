"""Credit falls with a filling queue and ends while storing fails or detection lags, without flutter."""

import pytest

from soc_api.ingest_pressure import CREDIT_BATCHES, Pressure


@pytest.mark.parametrize(
    ("share", "failing", "credit"),
    [
        (0.0, False, CREDIT_BATCHES),
        (0.74, False, CREDIT_BATCHES),
        (0.75, False, 1),
        (1.0, False, 1),
        (0.0, True, 0),
    ],
)
def test_the_queue_and_the_log(share: float, failing: bool, credit: int) -> None:
    assert Pressure().credit(queue_share=share, lag_events=0, failing=failing) == credit


def test_a_lag_ends_credit_until_half_of_it_is_gone() -> None:
    pressure = Pressure(lag_high=100, lag_low=50)
    given = [pressure.credit(queue_share=0.0, lag_events=lag, failing=False) for lag in (99, 100, 60, 49, 60)]
    assert given == [CREDIT_BATCHES, 0, 0, CREDIT_BATCHES, CREDIT_BATCHES]
