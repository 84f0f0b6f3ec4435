"""A model fitted beside the pipeline's thread, which asks now and then whether it is done."""

import threading
from collections.abc import Callable

from detection.anomaly.frozen import FrozenModel


class Fitting:
    """One fit at work. Where the process ends first, nothing is kept, and the next night learns anew."""

    def __init__(self, fit: Callable[[], FrozenModel]) -> None:
        self._fit = fit
        self._model: FrozenModel | None = None
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="refit", daemon=True)
        self._thread.start()

    def __call__(self) -> FrozenModel | None:
        """The model; None while it is still being fitted. Raises what the fit raised."""
        if self._thread.is_alive():
            return None
        if self._failure is not None:
            raise self._failure
        if self._model is None:
            raise ArithmeticError("the fit ended without a model")
        return self._model

    def _work(self) -> None:
        try:
            self._model = self._fit()
        except (ArithmeticError, ValueError, AssertionError, MemoryError) as error:
            self._failure = error
