"""What the tests of the special detectors share: the shipped parameters and a maker of events."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from detection.parameters import read_parameters, shipped
from detection.special.detectors import SpecialParameters
from detection.special.networks import Inside
from sensors.event import Event, LogSource, Observation, stamp

START = datetime(2026, 11, 23, tzinfo=UTC)
Make = Callable[..., Event]


@pytest.fixture(scope="session")
def special() -> SpecialParameters:
    """The parameters that come with the product."""
    return read_parameters(shipped("special.toml"), SpecialParameters)


@pytest.fixture(scope="session")
def inside(special: SpecialParameters) -> Inside:
    """The test of own addresses."""
    return special.networks.test()


@pytest.fixture
def make() -> Make:
    """Makes events with rising ids: ``make(seconds, dataset, {fields}, {native}, sensor=…)``."""
    return maker()


@pytest.fixture(scope="module")
def make_all() -> Make:
    """The same for what a whole file shares; for events no other is fed beside."""
    return maker()


def maker() -> Make:
    """A maker whose first event is number 1."""
    number = 0

    def made(
        seconds: float,
        dataset: str,
        fields: dict[str, Any],
        native: dict[str, Any] | None = None,
        *,
        sensor: str = "s",
        product: str = "zeek",
    ) -> Event:
        nonlocal number
        number += 1
        seen = Observation(
            time=START + timedelta(seconds=seconds),
            logsource=LogSource(product=product),
            fields={"event.dataset": dataset, **fields},
            native=native or {},
        )
        return stamp(seen, unit="u", sensor=sensor, epoch=1, sequence=number)

    return made
