"""Hunting in a real browser over live telemetry: query, fields, zoom, export, draft, entity, ATT&CK."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect

from running_center import RunningCenter
from soc_api.drill_actions import suspicious_command

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def looked_at(page: Page) -> None:
    """Nothing on the page keeps anybody out, once nothing moves."""
    page.wait_for_timeout(300)
    expect(page.locator(".el-message")).to_have_count(0)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == []


@pytest.fixture(scope="module")
def page(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    shown = signed_in(browser, center, "jiansuo", "analyst", "hunt")
    errors: list[str] = []
    shown.on("pageerror", lambda error: errors.append(str(error)))
    yield shown
    shown.context.close()
    assert not errors


def ask(page: Page, query: str) -> None:
    """Search, and wait until everything is counted."""
    page.get_by_test_id("hunt-query").fill(query)
    page.get_by_test_id("hunt-query").press("Enter")
    page.wait_for_url(lambda url: (not query) or "q=" in url)
    expect(page.get_by_test_id("hunt-page")).to_have_attribute("data-busy", "false")
    expect(page.get_by_test_id("hunt-matched")).to_have_attribute("data-done", "true")


def matched(page: Page) -> int:
    return int(page.get_by_test_id("hunt-matched").get_attribute("data-matched") or 0)


@pytest.fixture(scope="module")
def mark(page: Page) -> str:
    """The mark of a command that ran here, once its event can be found."""
    made = uuid4().hex[:12]
    suspicious_command(made)
    for _ in range(60):
        ask(page, made)
        if matched(page):
            return made
        page.wait_for_timeout(500)
    raise AssertionError("the event never came")


def test_completion_offers_chinese_names_and_recent_values(page: Page) -> None:
    box = page.get_by_test_id("hunt-query")
    box.fill("")
    box.press_sequentially("数据集")
    offered = page.locator("[data-testid=hunt-query-item][data-insert='数据集:']")
    expect(offered).to_be_visible()
    box.press("ArrowDown")
    box.press("Enter")
    expect(box).to_have_value("数据集:")
    expect(page.get_by_test_id("hunt-query-item").first).to_be_visible()
    box.press("Escape")


def test_an_event_is_found_narrowed_and_opened(page: Page, mark: str) -> None:
    ask(page, mark)
    found = matched(page)
    assert found >= 1
    field = page.locator("[data-testid=hunt-field][data-field='event.dataset']")
    field.locator("button").first.click()
    field.get_by_test_id("hunt-values-count").click()
    expect(field.get_by_test_id("hunt-values-all")).to_be_visible()
    field.locator("[data-testid=hunt-value][data-value='process.start'] [data-testid=hunt-include]").click()
    expect(page.get_by_test_id("hunt-query")).to_have_value(f"{mark} and event.dataset:process.start")
    expect(page.get_by_test_id("hunt-page")).to_have_attribute("data-busy", "false")
    assert 1 <= matched(page) <= found
    page.get_by_test_id("hunt-row").first.click()
    detail = page.get_by_test_id("hunt-detail")
    expect(detail).to_contain_text(mark)
    looked_at(page)
    event = str(detail.get_attribute("data-event"))
    page.reload()
    expect(page.get_by_test_id("hunt-detail")).to_have_attribute("data-event", event)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("hunt-detail")).to_have_count(0)


def test_bars_zoom_by_keyboard_and_back(page: Page, mark: str) -> None:
    ask(page, mark)
    before = matched(page)
    bars = page.get_by_test_id("hunt-histogram")
    bars.focus()
    bars.press("ArrowRight")
    bars.press("Enter")
    page.wait_for_url(lambda url: "since=" in url)
    expect(page.get_by_test_id("hunt-matched")).to_have_attribute("data-matched", str(before))
    page.get_by_test_id("hunt-zoom-out").click()
    page.wait_for_url(lambda url: "since=" not in url)


def test_everything_found_is_exported(page: Page, mark: str, tmp_path: Path) -> None:
    ask(page, mark)
    count = matched(page)
    page.get_by_test_id("hunt-export").click()
    with page.expect_download() as download:
        page.get_by_test_id("hunt-export-go").click()
    download.value.save_as(tmp_path / "events.csv")
    text = (tmp_path / "events.csv").read_text("utf-8-sig")
    watermark, head, *rows = csv.reader(io.StringIO(text))
    assert "user:jiansuo" in watermark[0]
    assert (head[0], len(rows)) == ("time", count)
    page.get_by_test_id("hunt-export").click()
    page.get_by_test_id("hunt-export-ndjson").check()
    with page.expect_download() as download:
        page.get_by_test_id("hunt-export-go").click()
    download.value.save_as(tmp_path / "events.ndjson")
    lines = (tmp_path / "events.ndjson").read_text("utf-8").splitlines()
    assert len(lines) == count + 1
    assert mark in json.dumps(json.loads(lines[1]))


def test_a_query_is_kept_as_view_and_as_draft(page: Page, mark: str) -> None:
    ask(page, f"{mark} and event.dataset:process.start")
    page.get_by_test_id("hunt-views").select_option("save")
    page.get_by_test_id("hunt-view-name").fill("我的检索")
    page.get_by_test_id("hunt-view-submit").click()
    expect(page.get_by_test_id("hunt-views").locator("option", has_text="我的检索").first).to_be_attached()
    page.get_by_test_id("hunt-draft").click()
    page.get_by_test_id("hunt-draft-title").fill("演练命令")
    page.get_by_test_id("hunt-draft-submit").click()
    expect(page.get_by_test_id("hunt-draft-made")).to_contain_text(mark)
    page.keyboard.press("Escape")


def test_from_an_event_to_its_host(page: Page, mark: str) -> None:
    ask(page, f"{mark} and event.dataset:process.start")
    page.get_by_test_id("hunt-row").first.click()
    page.get_by_test_id("hunt-entity").first.click()
    shown = page.get_by_test_id("entity-page")
    expect(shown).to_have_attribute("data-kind", "host")
    expect(page.get_by_test_id("entity-risk")).to_be_visible()
    expect(page.get_by_test_id("entity-graph")).to_be_visible()
    expect(page.get_by_test_id("entity-happened").first).to_be_visible()
    looked_at(page)
    page.get_by_test_id("entity-neighbour").first.get_by_role("link").click()
    expect(shown).not_to_have_attribute("data-kind", "host")


def test_the_matrix_leads_to_detections(page: Page) -> None:
    page.get_by_test_id("nav-attack").click()
    cell = page.locator(
        "[data-testid=attack-tactic][data-tactic='credential-access'] [data-technique='T1110']"
    )
    expect(cell).to_be_visible()
    assert int(page.get_by_test_id("attack-covered").get_attribute("data-covered") or 0) > 50
    cell.click()
    expect(page.get_by_test_id("attack-detection").first).to_be_visible()
    looked_at(page)
    page.get_by_test_id("attack-only").select_option("gaps")
    expect(cell).to_have_count(0)
