"""Steps of a notice as people take them in its dialog."""

from playwright.sync_api import Page, expect


def opened(page: Page) -> Page:
    """The only notice there is, shown beside the list."""
    page.get_by_test_id("nav-notices").click()
    page.get_by_test_id("notice-row").click()
    expect(page.get_by_test_id("notice-detail")).to_be_visible()
    return page


def act(page: Page, button: str, note: str = "") -> None:
    """Take a step through its dialog."""
    page.locator(f"aside [data-testid={button}]").click()
    if note:
        page.get_by_test_id("notice-note").fill(note)
    page.get_by_test_id("notice-step-submit").click()


def step(page: Page, button: str, state: str) -> None:
    """A step of the paper, and where it leads."""
    act(page, button)
    expect(page.get_by_test_id("notice-detail")).to_have_attribute("data-state", state)
