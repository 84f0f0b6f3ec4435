"""The auditor's page in a real browser: search, narrow, export, check against the ledger."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect

from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module", name="page")
def _page(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    page = signed_in(browser, center, "shenji", "audit_admin", "audit")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


def test_the_auditor_searches_exports_and_checks(page: Page) -> None:
    rows = page.get_by_test_id("audit-row")
    expect(rows.first).to_be_visible()
    page.get_by_test_id("audit-action").fill("session.*")
    page.get_by_test_id("audit-seek").click()
    expect(page).to_have_url(re.compile(r"action=session"))
    expect(page.locator("[data-testid=audit-row]:not([data-action^='session.'])")).to_have_count(0)
    expect(rows.first).to_be_visible()
    page.reload()
    expect(page.get_by_test_id("audit-action")).to_have_value("session.*")
    with page.expect_download() as taken:
        page.get_by_test_id("audit-export-csv-gb18030").click()
    text = Path(taken.value.path()).read_bytes().decode("gb18030")
    assert "user:shenji" in text.splitlines()[0]
    page.get_by_test_id("audit-check").click()
    expect(page.get_by_test_id("audit-checked")).to_have_attribute("data-ok", "true")
    page.get_by_test_id("audit-clear").click()
    expect(page.locator("[data-testid=audit-row][data-action='audit.verify']").first).to_be_visible()


def test_it_is_accessible(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    expect(page.get_by_test_id("audit-row").first).to_be_visible()
    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_timeout(500)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
