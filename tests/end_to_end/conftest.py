"""A real center with real sensors on this machine, one for the whole session, on ports of its own."""

from collections.abc import Iterator

import pytest
from browsing import CHROMIUM, QUIET
from playwright.sync_api import Browser, sync_playwright

from running_center import RunningCenter, fresh_center


@pytest.fixture(scope="session")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCenter]:
    """A center made by ``center run --init --local-sensors``, serving, with its first login."""
    with fresh_center(tmp_path_factory.mktemp("center")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module: while it is there, no other event loop can run in this thread."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()
