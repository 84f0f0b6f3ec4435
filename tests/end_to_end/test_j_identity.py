"""Administrators in a real browser: one creates, another grants, a person comes in, a token reads."""

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import first_login, signed_in
from playwright.sync_api import Browser, Page, expect

from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def keeper(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    page = signed_in(browser, center, "jianhao", "system_admin", "accounts")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def granter(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    page = signed_in(browser, center, "shouquan", "security_admin", "accounts")
    yield page
    page.context.close()


def accessible(page: Page) -> None:
    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_timeout(400)  # nothing fading has a contrast of its own
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def test_an_account_takes_two_administrators_and_two_factors(
    browser: Browser, center: RunningCenter, keeper: Page, granter: Page
) -> None:
    keeper.get_by_test_id("account-create").click()
    for field, text in (("username", "xinren"), ("name", "新人"), ("person", "A-1001")):
        keeper.get_by_test_id(f"account-{field}").fill(text)
    keeper.get_by_test_id("account-create-submit").click()
    one_time = str(keeper.get_by_test_id("account-one-time").text_content())
    keeper.keyboard.press("Escape")
    granter.reload()
    row = granter.locator("[data-testid=account-row][data-username=xinren]")
    expect(row).to_have_attribute("data-state", "ungranted")
    row.get_by_test_id("account-grant").click()
    granter.get_by_test_id("grant-role").select_option("analyst")
    granter.get_by_test_id("account-grant-submit").click()
    expect(row).to_have_attribute("data-state", "one-time")
    accessible(granter)
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(center.url)
    page.get_by_test_id("login-username").fill("xinren")
    page.get_by_test_id("login-password").fill("not the password")
    page.get_by_test_id("login-submit").click()
    expect(page.get_by_role("alert")).to_be_visible()
    first_login(page, "xinren", one_time)
    reads_by_token(page, center)
    granter.get_by_test_id("identity-sessions").click()
    granter.locator("[data-testid=session-row][data-username=xinren]").get_by_test_id(
        "session-end"
    ).first.click()
    granter.get_by_test_id("session-end-submit").click()
    page.reload()  # the page may have learned of it already
    expect(page.get_by_test_id("login-username")).to_be_visible()
    page.context.close()


def reads_by_token(page: Page, center: RunningCenter) -> None:
    """A program reads with the token until it is revoked."""
    page.get_by_test_id("nav-tokens").click()
    page.get_by_test_id("token-make").click()
    page.get_by_test_id("token-name").fill("对接")
    page.get_by_test_id("token-alerts.read").check()
    page.get_by_test_id("token-submit").click()
    headers = {"Authorization": f"Bearer {page.get_by_test_id('token-text').text_content()}"}
    page.keyboard.press("Escape")
    url = f"{center.url}api/v1/alerts"
    assert httpx.get(url, headers=headers, timeout=30).status_code == 200
    assert httpx.get(f"{center.url}api/v1/checks", headers=headers, timeout=30).status_code == 403
    accessible(page)
    page.get_by_test_id("token-revoke").click()
    page.get_by_test_id("token-revoke-submit").click()
    expect(page.get_by_test_id("token-revoke")).to_have_count(0)
    assert httpx.get(url, headers=headers, timeout=30).status_code == 401
