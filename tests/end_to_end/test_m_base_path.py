"""A console below a path of its own, at an IPv6 address, in a real browser."""

import contextlib
import os
import re
import signal
import socket
from collections.abc import Iterator

import pytest
from browsing import first_login
from playwright.sync_api import Browser, expect

from running_center import RunningCenter, free_port, start, until
from soc_api.cli import main
from soc_api.run import serves
from soc_api.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCenter]:
    """A center without sensors whose console listens at ::1 and stands below /anquan."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    base = tmp_path_factory.mktemp("below")
    data, ports = base / "data", (free_port(), free_port())
    assert (
        main(
            [
                "center",
                "init",
                "--data",
                str(data),
                "--console-port",
                str(ports[0]),
                "--ingest-port",
                str(ports[1]),
            ]
        )
        == 0
    )
    place = data / "center.toml"
    text = place.read_text(encoding="utf-8")
    text = re.sub(r"(?s)(\[console\]\n)(.*?)(\n\[)", _below, text, count=1)
    place.write_text(text, encoding="utf-8")
    process = start(data, base / "output", [])
    try:
        until(lambda: process.poll() is not None or serves(load_settings(data)), 120)
        yield RunningCenter(
            data=data,
            url=f"http://[::1]:{ports[0]}/anquan/",
            user="",
            password="",
            token="",
            process=process,
            output=base / "output",
            arguments=[],
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _below(found: re.Match[str]) -> str:
    port = re.search(r"(?m)^port = \d+$", found[2])
    assert port is not None
    return f'{found[1]}host = "::1"\nbase_path = "/anquan"\n{port[0]}\n{found[3]}'


def test_pages_api_and_reloads_work_below_the_base(browser: Browser, center: RunningCenter) -> None:
    one_time = center.cli("center", "account", "lujing", "--role", "shift_lead").stdout.split()[1]
    page = browser.new_context().new_page()
    page.set_default_timeout(30_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(center.url)
    first_login(page, "lujing", one_time)
    page.get_by_test_id("nav-alerts").click()
    expect(page).to_have_url(re.compile(r"^http://\[::1\]:\d+/anquan/alerts"))
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert all(url.startswith((center.url, "data:")) for url in asked), asked
    page.context.close()
