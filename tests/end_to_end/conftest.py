"""A real center with real sensors on this machine, one for the whole session, on ports of its own."""

import contextlib
import os
import re
import signal
from collections.abc import Iterator

import pytest
from browsing import CHROMIUM, QUIET
from playwright.sync_api import Browser, sync_playwright

from running_center import START_SECONDS_MAX, RunningCenter, free_port, start, until


@pytest.fixture(scope="session")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCenter]:
    """A center made by ``center run --init --local-sensors``, serving, with its first login."""
    base = tmp_path_factory.mktemp("center")
    data, output = base / "data", base / "output"
    ports = [free_port(), free_port()]
    arguments = ["--init", "--local-sensors", "--console-port", str(ports[0]), "--ingest-port", str(ports[1])]
    process = start(data, output, arguments)
    try:
        found = until(
            lambda: (
                process.poll() is not None or re.search(r"user (\S+)\s+password (\S+)", output.read_text())
            ),
            START_SECONDS_MAX,
        )
        assert isinstance(found, re.Match), output.read_text()
        running = RunningCenter(
            data=data,
            url=f"http://127.0.0.1:{ports[0]}/",
            user=found[1],
            password=found[2],
            process=process,
            output=output,
            arguments=arguments,
        )
        yield running
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(60) == 0, output.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a module: while it is there, no other event loop can run in this thread."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()
