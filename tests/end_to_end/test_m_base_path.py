"""A console below a path of its own, at an IPv6 address, in a real browser.

Its settings name a support port and let webhooks go to this machine, so these pages are tried here too: what
one person changes another confirms, and a program is told of an alert, with a log of what was sent.
"""

import contextlib
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from browsing import first_login
from filled import SHELL
from office import accessible
from person import Person, people
from playwright.sync_api import Browser, Page, expect

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
    text = text.replace('[webhooks]\nprivate = ""', '[webhooks]\nprivate = "127.0.0.0/8"')
    text = re.sub(r"(?s)(\[support\]\n.*?port = )0", rf"\g<1>{free_port()}", text, count=1)
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


@pytest.fixture(scope="module")
def team(center: RunningCenter) -> Iterator[dict[str, Person]]:
    made = people(center, {"biangeng": ("security_admin", ""), "fuhe": ("shift_lead", "")})
    yield made
    for person in made.values():
        person.close()


def decided(page: Page, kind: str, state: str) -> None:
    """Confirm the change of this kind on the page of another person than its author."""
    row = page.get_by_test_id("change-row").filter(has_text=kind)
    row.get_by_test_id("change-confirm").click()
    page.get_by_test_id("change-note").fill("已核对")
    page.get_by_test_id("change-submit").click()
    expect(row).to_have_attribute("data-state", state)


def test_another_person_confirms_what_one_has_changed(browser: Browser, team: dict[str, Person]) -> None:
    """P-31: a rule is switched off by one and confirmed by another. P-30: so is the support channel."""
    team["biangeng"].post(f"/rules/{SHELL}/disable", json={"reason": "误报较多,停用观察"})
    author = team["biangeng"].page(browser, "changes")
    expect(author.locator("[data-testid=change-row][data-state=provisional]")).to_be_visible()
    expect(author.get_by_test_id("change-confirm")).to_have_count(0)  # nobody confirms their own
    author.get_by_test_id("support-ask").click()
    author.get_by_label("工单号").fill("GD-2026-118")
    author.get_by_label("理由").fill("厂商远程排查")
    author.get_by_test_id("support-submit").click()
    expect(author.locator("[data-testid=change-row][data-state=waiting]")).to_be_visible()
    other = team["fuhe"].page(browser, "changes")
    decided(other, "检测规则", "confirmed")
    decided(other, "远程支持", "confirmed")
    accessible(other)
    author.reload()
    author.get_by_test_id("support-close").click()
    expect(author.get_by_test_id("support-ask")).to_be_visible()
    for page in (author, other):
        page.context.close()


def test_a_program_is_told_and_what_was_sent_is_logged(browser: Browser, team: dict[str, Person]) -> None:
    heard: list[dict[str, str]] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the standard error."""

    with HTTPServer(("127.0.0.1", 0), Hears) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = team["biangeng"].page(browser, "webhooks")
        page.get_by_test_id("webhook-make").click()
        page.get_by_test_id("webhook-name").fill("工单平台")
        page.get_by_test_id("webhook-url").fill(f"http://127.0.0.1:{server.server_port}/liuhe")
        page.get_by_test_id("webhook-submit").click()
        expect(page.get_by_test_id("webhook-secret")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("webhook-row")).to_contain_text("工单平台")
        told = {"title": "电话报告", "reason": "前台转来", "severity": "high", "entity": "host:qiantai"}
        team["fuhe"].post("/alerts", json=told)
        until(lambda: heard, 30.0)
        page.get_by_test_id("webhook-log").click()
        sent = page.get_by_test_id("webhook-deliveries")
        expect(sent).to_contain_text("HTTP 204")
        accessible(page)
        page.context.close()
        server.shutdown()
    assert any("signature" in name for name in heard[0])


def test_a_page_open_during_an_upgrade_is_loaded_anew_once(browser: Browser, team: dict[str, Person]) -> None:
    page = team["fuhe"].page(browser, "playbooks")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    gone = ["Rules-"]  # until the page is loaded anew
    page.on("request", lambda request: gone.clear() if request.is_navigation_request() else None)
    part = re.compile(r"/assets/Rules-[^/]+\.js$")
    page.route(part, lambda route: route.fulfill(status=404) if gone else route.continue_())
    page.get_by_test_id("nav-rules").click()
    expect(page.locator(".upgraded")).to_be_visible()
    expect(page.get_by_test_id("rule-row").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/anquan/rules$"))
    page.route(re.compile(r"/assets/Orders-[^/]+\.js$"), lambda route: route.fulfill(status=404))
    page.get_by_test_id("nav-orders").click()
    expect(page.locator(".upgraded")).to_contain_text("刷新浏览器")
    expect(page).to_have_url(re.compile(r"/anquan/rules$"))
    page.context.close()
