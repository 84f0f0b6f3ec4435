"""A shift in a real browser: first login, the drill's alerts arrive, one is closed, a report is made."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import first_login
from playwright.sync_api import Browser, Page, expect

from rules import ROOT
from running_center import RunningCenter, environment

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SHOWN = ("new-listener", "suspicious-command", "changed-file", "canary-address", "address-fight")


@pytest.fixture(scope="module")
def page(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(center.url)
    first_login(page, center.user, center.password)
    page.get_by_test_id("nav-alerts").wait_for()
    yield page
    context.close()
    assert not errors


def test_the_drills_alerts_arrive_without_reload(page: Page, center: RunningCenter) -> None:
    answers = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text(encoding="utf-8"))
    del answers["slow"], answers["learned"]
    page.get_by_test_id("nav-alerts").click()
    page.evaluate("window.notReloaded = true")
    command = [sys.executable, "-m", "soc_api.cli", "drill", "--json", "--data", str(center.data)]
    drill = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    said, words = drill.communicate(timeout=240)
    rows = [json.loads(line) for line in said.splitlines()]
    assert {row["action"] for row in rows} == set(answers), words
    skipped = [row for row in rows if row["seconds"] is None]
    assert drill.returncode == (1 if skipped else 0), words
    assert not skipped, words
    # "N new" offers what came while the reader was looking at rows.
    hint = page.get_by_test_id("alerts-new-hint")
    for action in SHOWN:  # as many as fit on a page; that all came the drill itself says
        (rule,) = answers[action]
        row = page.locator(f"[data-testid=alert-row][data-rule='{rule}']").first
        if not row.is_visible() and hint.is_visible():
            hint.click()
        expect(row).to_be_visible()
    assert page.evaluate("window.notReloaded") is True


def test_an_alert_is_explained_acknowledged_and_closed(page: Page) -> None:
    answers = tomllib.loads((ROOT / "playbooks" / "drill.toml").read_text(encoding="utf-8"))
    rule = answers["suspicious-command"][0]
    page.locator(f"[data-testid=alert-row][data-rule='{rule}']").first.click()
    detail = page.get_by_test_id("alert-detail")
    expect(detail).to_be_visible()
    expect(page).to_have_url(re.compile("/alerts/"))
    expect(page.get_by_test_id("alert-matched").first).to_be_visible()
    page.get_by_test_id("alert-acknowledge").click()
    expect(page.get_by_test_id("alert-close")).to_be_enabled()
    page.get_by_test_id("alert-close").click()
    page.get_by_test_id("close-classification").select_option("test")
    page.get_by_test_id("close-reason").fill("演练动作,已核对")
    page.get_by_test_id("close-submit").click()
    expect(detail.get_by_test_id("alert-state")).to_contain_text("已关闭")
    page.keyboard.press("Escape")


def test_the_ledger_verifies_on_its_page(page: Page) -> None:
    page.get_by_test_id("nav-evidence").click()
    page.get_by_test_id("evidence-verify").click()
    expect(page.get_by_test_id("evidence-result")).to_have_attribute("data-ok", "true", timeout=60_000)


def test_checks_and_sensors_are_shown(page: Page) -> None:
    page.get_by_test_id("nav-checks").click()
    expect(page.locator("[data-testid=check-row][data-check='PLT-01']")).to_be_visible()
    page.get_by_test_id("check-evaluate").click()
    page.get_by_test_id("nav-sensors").click()
    expect(page.locator("[data-testid=sensor-row][data-state=online]")).to_have_count(2)


def test_the_report_is_made_and_downloaded(page: Page, tmp_path: Path) -> None:
    page.get_by_test_id("nav-reports").click()
    page.get_by_test_id("report-make").click()
    made = page.get_by_test_id("report-detail")
    expect(made).to_be_visible(timeout=60_000)
    for kind, magic in (("pdf", b"%PDF-"), ("xlsx", b"PK\x03\x04")):
        with page.expect_download() as waiting:
            made.get_by_test_id(f"report-{kind}").click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert path.read_bytes().startswith(magic)
