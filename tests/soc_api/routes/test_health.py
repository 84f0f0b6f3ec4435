"""Tests of the health route."""

from typing import Any

import pytest


def test_health_says_as_little_as_it_can(world: Any) -> None:
    answer = world.client()("GET", "/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/alerts", "/evidence", "/sensors"])
def test_answers_are_not_kept_by_browsers(world: Any, path: str) -> None:
    answer = world.signed_in("analyst")("GET", path)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
