"""A fit beside the thread that asks for it: none while it works, then the model or what it raised."""

import threading
import time

import pytest

from detection.anomaly.fitting import Fitting
from detection.anomaly.frozen import FrozenModel


def _ended(fitting: Fitting) -> FrozenModel | None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if (found := fitting()) is not None:
            return found
        time.sleep(0.01)
    return None


def test_it_is_asked_for_until_it_is_there(model: FrozenModel) -> None:
    go = threading.Event()

    def fit() -> FrozenModel:
        assert go.wait(30)
        return model

    fitting = Fitting(fit)
    assert fitting() is None
    go.set()
    assert _ended(fitting) is model


def test_a_failure_is_raised_where_it_is_asked_for() -> None:
    def fit() -> FrozenModel:
        raise ArithmeticError("differs")

    with pytest.raises(ArithmeticError):
        _ended(Fitting(fit))
