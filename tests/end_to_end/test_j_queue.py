"""A shift at the queue by keyboard: move, select, take, undo, close, merge, narrow, group, go."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect
from unusual import unusual

from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ROWS = 12
UNUSUAL = "odd-host"


@pytest.fixture(scope="module")
def page(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    shown = signed_in(browser, center, "queue-lead", "shift_lead", "alerts")
    csrf = shown.request.get(f"{center.url}api/v1/session").json()["csrf"]
    for number in range(ROWS):
        body = {"title": f"电话报告 {number}", "reason": "值班室来电", "severity": "high"}
        body["entity"] = f"host:phone-{number}"
        made = shown.request.post(f"{center.url}api/v1/alerts", data=body, headers={"X-CSRF-Token": csrf})
        assert made.status == 201, made.text()
    query(shown, "detector:manual")
    yield shown
    shown.context.close()


def query(page: Page, text: str, rows: int = ROWS) -> None:
    """Narrow the queue, and wait until it is."""
    bar = page.get_by_test_id("filter-text")
    bar.fill(text)
    bar.press("Enter")
    expect(page.get_by_test_id("alerts-total")).to_have_attribute("data-total", str(rows))


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def accessible(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def done(page: Page, state: str = "done") -> None:
    expect(page.locator(f"[data-testid=deed][data-state={state}]")).to_be_visible()


def test_rows_are_taken_and_given_back_by_keyboard(page: Page) -> None:
    page.get_by_test_id("alerts-total").click()
    press(page, "End", "Shift+X")
    expect(page.get_by_test_id("bulk-count")).to_contain_text(str(ROWS))
    last = page.get_by_test_id("alert-row").last.get_attribute("id")
    expect(page.get_by_role("grid")).to_have_attribute("aria-activedescendant", str(last))
    press(page, "Escape", "Escape")
    press(page, "j", "x", "Shift+J", "Shift+J")
    expect(page.get_by_test_id("bulk-count")).to_contain_text("3")
    press(page, "a")
    done(page)
    expect(page.locator("[data-testid=alert-row][data-state=acknowledged]")).to_have_count(3)
    press(page, "z")
    done(page, "undone")
    expect(page.locator("[data-testid=alert-row][data-state=new]")).to_have_count(ROWS)


def test_a_group_is_opened_noted_and_closed(page: Page) -> None:
    press(page, "Escape", "Escape", "j", "j", "Enter")
    detail = page.get_by_test_id("alert-detail")
    expect(detail.get_by_test_id("alert-history")).to_be_visible()
    expect(page).to_have_url(re.compile("/alerts/[0-9a-f]+"))
    expect(detail.get_by_test_id("alert-risk").locator("b")).to_have_text("25")
    press(page, "n")
    page.get_by_test_id("close-reason").fill("已回电核实")
    press(page, "Control+Enter")
    expect(detail.locator("[data-action=noted]")).to_be_visible()
    expect(page.get_by_test_id("close-reason")).to_have_count(0)
    press(page, "c")
    page.get_by_test_id("close-classification").select_option("false_positive")
    page.get_by_test_id("close-reason").fill("误会,已核对")
    press(page, "Control+Enter")
    expect(detail.locator("[data-action=closed]")).to_be_visible()
    expect(detail.get_by_test_id("alert-risk").locator("b")).to_have_text("0")  # of its entity
    expect(page.get_by_test_id("close-reason")).to_have_count(0)
    page.go_back()
    expect(detail).to_have_count(0)


def test_a_group_is_given_put_to_sleep_woken_and_reopened(page: Page) -> None:
    query(page, "entity:phone-7", 1)
    press(page, "Escape", "j", "Shift+M")
    page.locator("[data-testid=wish-owner] option", has_text="queue-lead").wait_for(state="attached")
    page.get_by_test_id("wish-owner").select_option("user:queue-lead")
    page.get_by_test_id("wish-submit").click()
    row = page.get_by_test_id("alert-row")
    expect(row).to_have_attribute("data-state", "acknowledged")
    press(page, "j", "s")
    page.get_by_test_id("wish-submit").click()
    done(page)
    page.get_by_test_id("filter-state").select_option("snoozed")
    query(page, "entity:phone-7", 1)
    press(page, "Escape", "j", "Enter")
    page.get_by_test_id("alert-wake").click()
    expect(page.get_by_test_id("alert-snooze")).to_be_visible()
    press(page, "c")
    page.get_by_test_id("close-classification").select_option("test")
    page.get_by_test_id("close-reason").fill("演练")
    press(page, "Control+Enter")
    expect(page.get_by_test_id("alert-reopen")).to_be_visible()
    expect(page.get_by_test_id("close-reason")).to_have_count(0)
    press(page, "r")
    expect(page.get_by_test_id("alert-close")).to_be_visible()
    press(page, "Escape")
    page.get_by_test_id("filter-state").select_option("open")
    query(page, "entity:phone-7", 1)


def test_a_group_is_escalated_to_an_incident(page: Page) -> None:
    query(page, "entity:phone-8", 1)
    press(page, "Escape", "j", "e")
    expect(page).to_have_url(re.compile("/incidents/"))
    page.goto(f"{page.url.partition('/incidents')[0]}/alerts")
    query(page, "detector:manual", ROWS - 1)


def test_groups_are_merged_and_one_is_split_off(page: Page) -> None:
    query(page, "detector:manual entity:(phone-2 phone-3 phone-4)", 3)
    press(page, "Escape", "j", "x", "Shift+J", "u")
    page.get_by_test_id("wish-submit").click()
    done(page)
    query(page, "detector:manual entity:(phone-2 phone-3 phone-4) ", 2)
    page.locator("[data-testid=alert-row]", has_text="+1").first.click()
    page.get_by_test_id("member-split").click()
    done(page)
    press(page, "Escape")
    query(page, "detector:manual entity:(phone-2 phone-3 phone-4)", 3)


def test_values_narrow_and_group(page: Page) -> None:
    query(page, "detector:manual", ROWS - 1)
    row = page.get_by_test_id("alert-row").first
    entity = row.get_attribute("data-entity")
    row.locator("[data-testid=alert-title]").hover()
    row.locator("[data-drop=entity]").dispatch_event("click")
    expect(page.get_by_test_id("alerts-total")).to_have_attribute("data-total", str(ROWS - 2))
    page.get_by_test_id("filter-term").filter(has_text=str(entity)).click()
    expect(page.get_by_test_id("alerts-total")).to_have_attribute("data-total", str(ROWS - 1))
    page.get_by_test_id("group-by").select_option("severity")
    expect(page.get_by_test_id("bucket")).to_have_count(1)
    expect(page.get_by_test_id("bucket-unique")).to_contain_text(str(ROWS - 1))  # each about another host
    page.get_by_test_id("bucket-only").click()
    expect(page.get_by_test_id("alert-row").first).to_be_visible()


def test_keys_palette_and_pages(page: Page) -> None:
    press(page, "Escape")
    page.get_by_test_id("alerts-total").click()
    press(page, "?")
    expect(page.get_by_test_id("key-help")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_test_id("key-help")).to_be_hidden()
    press(page, "Control+k")
    page.get_by_test_id("palette-text").fill("传感器")
    expect(page.get_by_test_id("palette-item").first).to_contain_text("传感器")
    press(page, "Enter")
    expect(page).to_have_url(re.compile("/sensors"))
    press(page, "g", "a")
    expect(page).to_have_url(re.compile("/alerts"))


def test_an_unusual_minute_is_shown_judged_and_proposed(
    page: Page, center: RunningCenter, tmp_path: Path
) -> None:
    group = _three_unusual_minutes(center, tmp_path)
    page.goto(f"{center.url}alerts/{group}")
    panel = page.get_by_test_id("anomaly-panel")
    expect(panel.get_by_test_id("anomaly-one-in")).to_have_attribute("data-one-in", re.compile(r"^\d{4,7}$"))
    failed = panel.locator("[data-testid=anomaly-norm][data-field=logins_failed]")
    expect(failed.locator("canvas")).to_be_visible()
    expect(failed).to_contain_text("300")
    expect(panel.get_by_test_id("anomaly-norm")).to_have_count(3)
    precedents = page.get_by_test_id("precedents")
    expect(precedents).to_have_attribute("data-same", "2")
    accessible(page)
    panel.get_by_test_id("anomaly-expected").click()
    expect(page.get_by_test_id("close-classification")).to_have_value("benign_positive")
    page.get_by_test_id("close-reason").fill("每周的口令巡检")
    press(page, "Control+Enter")
    expect(page.get_by_test_id("alert-detail").locator("[data-action=closed]")).to_be_visible()
    page.get_by_test_id("nav-models").click()
    expect(page.get_by_test_id("model-kind")).to_have_count(2)
    accessible(page)
    page.get_by_test_id("nav-overview").click()
    proposal = page.get_by_test_id("unusual-proposal").filter(has_text=f"host:{UNUSUAL}")
    proposal.get_by_test_id("unusual-ask").click()
    expect(page.get_by_test_id("exception-preview")).to_have_attribute("data-ready", "true")
    press(page, "Escape")
    page.get_by_test_id("nav-alerts").click()


def _three_unusual_minutes(center: RunningCenter, folder: Path) -> str:
    """The detector's own alerts, the first two closed by somebody as expected; the group of the third."""
    from detection.store.alert_store import AlertStore
    from soc_api.folders import Folders, state_engine
    from soc_api.settings import load_settings

    now = datetime.now(UTC)
    engine = state_engine(Folders(center.data), load_settings(center.data))
    try:
        store, group = AlertStore(engine), ""
        for alert in unusual(UNUSUAL, now, folder):
            if group:
                store.close(group, "user:somebody", "benign_positive", "每周的口令巡检", now)
            store.commit([alert], [], None, now)
            (found,) = store.page(state="new", q=f"entity:{UNUSUAL}").rows
            group = found.id
    finally:
        engine.dispose()
    return group


def test_the_queue_is_accessible(page: Page) -> None:
    expect(page.get_by_test_id("alert-row").first).to_be_visible()
    page.get_by_test_id("alert-row").first.click()
    expect(page.get_by_test_id("alert-history")).to_be_visible()
    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_timeout(500)
    accessible(page)
