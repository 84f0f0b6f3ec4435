"""Every page of the console by the rules of WCAG 2 A and AA, in both themes, with something on each."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from filled import Filled, Shown
from playwright.sync_api import Browser, Page, expect

from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ALL = {"type": "tag", "values": ["wcag2a", "wcag2aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast"]}
WALK = """path => {
    history.pushState({...history.state, position: (history.state?.position ?? 0) + 1}, '', path);
    dispatchEvent(new PopStateEvent('popstate', {state: history.state}));
    return new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
}"""
# Rows of a table are alike: a dozen stand for all.
RUN = """options => axe.run(
    {exclude: [['tbody tr:nth-child(n+13)'], ['[role=row]:nth-child(n+13)']]}, options
).then((one) => one.violations)"""
READY = "() => !document.querySelector('.el-skeleton, [aria-busy=true], .el-message')"
STILL = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity
)"""
TOKEN = "location.hash === ''"


@pytest.fixture(scope="module")
def filled(center: RunningCenter) -> Iterator[Filled]:
    made = Filled(center, uuid4().hex[:5])
    yield made
    made.close()


@pytest.fixture(scope="module")
def pages(browser: Browser, filled: Filled) -> Iterator[dict[str, Page]]:
    """A page of each role, and of nobody."""
    shown = {role: person.page(browser, "password") for role, person in filled.people.items()}
    shown[""] = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    yield shown
    for page in shown.values():
        page.context.close()


def offences(page: Page, shown: Shown) -> list[str]:
    """What is wrong with a page in the light and, by its colours, in the dark."""
    page.wait_for_function(READY)
    found = []
    for theme, rules in (("light", ALL), ("dark", COLOURS)):
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        page.wait_for_function(STILL)
        options = {"runOnly": rules, "resultTypes": ["violations"], "elementRef": False}
        told = page.evaluate(RUN, options)
        found += [
            f"{shown.name} {theme} {one['id']} {one['nodes'][0]['html'][:160]}"
            for one in told
            if one["impact"] in ("serious", "critical")
        ]
    return found


def test_every_page_is_accessible_in_both_themes(filled: Filled, pages: dict[str, Page]) -> None:
    from axe_playwright_python.base import AXE_SCRIPT

    found, here = [], ""
    for shown in filled.pages():
        page = pages[shown.role]
        if shown.role != here or not shown.role:
            page.goto(f"{filled.center.url}{shown.path}")
            page.evaluate(AXE_SCRIPT)
            here = shown.role
        else:
            page.evaluate(WALK, f"/{shown.path}")
        page.wait_for_function("path => location.pathname === path", arg="/" + shown.path.split("?")[0])
        page.locator("h1, .notice").first.wait_for()
        found += offences(page, shown)
    assert not found, "\n".join(found)


def test_a_screen_on_the_wall_brings_its_token(browser: Browser, filled: Filled) -> None:
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto(f"{filled.center.url}wall#kiosk={filled.kiosk()}")
    expect(page.get_by_test_id("wall-tile")).to_have_count(14)
    assert page.evaluate(TOKEN)
    page.goto(f"{filled.center.url}wall#kiosk=wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    context.close()


def test_groups_of_the_navigation_stay_as_they_were_left(pages: dict[str, Page], filled: Filled) -> None:
    page = pages["shift_lead"]
    page.goto(f"{filled.center.url}alerts")
    page.get_by_test_id("nav-group-comply").click()
    expect(page.get_by_test_id("nav-orders")).to_be_hidden()
    page.get_by_test_id("nav-narrow").click()
    expect(page.get_by_test_id("nav-orders")).to_be_visible()  # icons alone are all there
    page.reload()
    page.get_by_test_id("nav-narrow").click()
    expect(page.get_by_test_id("nav-group-comply")).to_have_attribute("aria-expanded", "false")
    expect(page.get_by_test_id("nav-orders")).to_be_hidden()
    expect(page.locator(f"[data-group='{filled.group}'] [data-testid=row-incident]")).to_be_visible()
