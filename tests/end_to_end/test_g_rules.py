"""The rules page in a real browser: a rule is tried, switched off and on again while a real pipeline runs.

Whether a switch holds is asked of real events: what runs while the rule is off raises nothing, and what runs
after it is on again does.
"""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect

from detection.store.alert_store import AlertStore
from detection.store.event_store import EventStore
from detection.store.hit_store import HitStore
from detection.store.state import Engine
from running_center import RunningCenter, until
from sensors.event import Event, encode
from soc_api.drill_actions import suspicious_command
from soc_api.folders import Folders, audit_of, state_engine
from soc_api.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SHELL = "84c4933b-67cc-4801-b4b2-af9a4dde0a16"  # a reverse shell's words on a command line
WINDOWS = """{
  "EventID": 4688, "Channel": "Security", "Hostname": "pc-7", "EventTime": "2026-11-22T08:00:00Z",
  "NewProcessName": "C:\\\\Windows\\\\System32\\\\cmd.exe"
}"""


@pytest.fixture(scope="module")
def engine(center: RunningCenter) -> Iterator[Engine]:
    made = state_engine(Folders(center.data), load_settings(center.data))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def admin(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    page = signed_in(browser, center, "anquan", "security_admin", "rules")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


def show(page: Page, rule: str) -> None:
    """Open a rule from the list."""
    page.get_by_test_id("rule-search").fill(rule)
    page.locator(f"[data-testid=rule-row][data-rule='{rule}']").click()
    expect(page.get_by_test_id("rule-detail")).to_be_visible()


def switch(page: Page, reason: str, state: str) -> None:
    """Switch the open rule with a reason, and wait until the pipeline has taken it up."""
    page.get_by_test_id("rule-decide").click()
    page.get_by_test_id("rule-reason").fill(reason)
    page.get_by_test_id("rule-decide-submit").click()
    expect(page.get_by_test_id("rule-detail")).to_have_attribute("data-state", state)
    expect(page.get_by_test_id("rule-pipeline")).to_have_attribute("data-pending", "false", timeout=30_000)


def ran(center: RunningCenter, engine: Engine) -> str:
    """Run a command the rule knows; its mark, once detection has committed the event that tells of it."""
    mark, alerts = uuid4().hex[:12], AlertStore(engine)
    suspicious_command(mark)

    def taken() -> bool:
        found = found_at(center, engine, mark)
        return found is not None and alerts.position() >= found[0]

    until(taken, 60.0, 0.5)
    return mark


def found_at(center: RunningCenter, engine: Engine, mark: str) -> tuple[int, Event] | None:
    """The event about the command with this mark, and its place in the log."""
    events = EventStore(center.data, engine)
    for sequence, payload in events.follow(0, 1 << 30):
        for event in events.events_of(payload):
            if mark in str(event.fields.get("process.command_line", "")):
                return sequence, event
    return None


def told_of(center: RunningCenter, engine: Engine, mark: str) -> Event:
    found = found_at(center, engine, mark)
    assert found is not None
    return found[1]


def alerted(engine: Engine, mark: str) -> bool:
    """Whether the rule raised an alert about the command with this mark."""
    alerts = AlertStore(engine)
    details = (alerts.detail(group.id) for group in HitStore(engine).latest(SHELL, 20))
    return any(
        mark in str(event.fields.get("process.command_line", ""))
        for detail in details
        for record in detail.alerts
        for event in record.alert.events
    )


def test_the_list_shows_every_rule_and_narrows(admin: Page) -> None:
    total = admin.get_by_test_id("rule-count")
    expect(total).to_be_visible()
    assert int(total.get_attribute("data-all") or 0) > 60
    admin.get_by_test_id("rule-filter-level").select_option("critical")
    assert 0 < int(total.get_attribute("data-shown") or 0) < int(total.get_attribute("data-all") or 0)
    admin.get_by_test_id("rule-filter-level").select_option("")
    expect(admin.get_by_test_id("fail-open")).to_have_attribute("data-open", "false")
    # Heartbeats and the like are no rule's business, and the page says how many there were.
    expect(admin.get_by_test_id("rule-unrouted")).not_to_have_attribute("data-events", "0", timeout=60_000)


def test_a_rule_is_tried_on_a_pasted_event(admin: Page, center: RunningCenter, engine: Engine) -> None:
    show(admin, SHELL)
    expect(admin.get_by_test_id("rule-text")).to_contain_text(SHELL)
    mark = ran(center, engine)
    assert until(lambda: alerted(engine, mark), 20.0)
    admin.get_by_test_id("rule-test-event").fill(encode(told_of(center, engine, mark)).decode())
    admin.get_by_test_id("rule-test-run").click()
    verdict = admin.get_by_test_id("rule-verdict")
    expect(verdict).to_have_attribute("data-verdict", "true")
    expect(admin.locator("[data-testid=rule-selection][data-holds=true]").first).to_be_visible()
    expect(admin.get_by_test_id("rule-matched").first).to_be_visible()
    admin.get_by_test_id("rule-test-event").fill(WINDOWS)
    admin.get_by_test_id("rule-test-run").click()
    expect(verdict).to_have_attribute("data-verdict", "false")
    expect(verdict).to_have_attribute("data-routed", "false")
    admin.get_by_test_id("rule-test-event").fill("{")
    admin.get_by_test_id("rule-test-run").click()
    expect(admin.get_by_test_id("rule-detail").get_by_role("alert")).to_be_visible()


def test_switched_off_it_is_silent_and_switched_on_it_speaks(
    admin: Page, center: RunningCenter, engine: Engine
) -> None:
    show(admin, SHELL)
    admin.get_by_test_id("rule-decide").click()
    admin.get_by_test_id("rule-decide-submit").click()  # without a reason nothing is sent
    expect(admin.get_by_test_id("rule-reason")).to_have_attribute("aria-invalid", "true")
    admin.keyboard.press("Escape")
    switch(admin, "演练期间停用", "disabled")
    silent = ran(center, engine)
    switch(admin, "演练结束", "enabled")
    heard = ran(center, engine)
    assert until(lambda: alerted(engine, heard), 20.0)
    assert not alerted(engine, silent)
    kinds = [one.get_attribute("data-kind") for one in admin.get_by_test_id("rule-past").all()]
    assert kinds == ["enabled", "disabled", "loaded"]
    expect(admin.get_by_test_id("rule-past").first).to_contain_text("anquan")
    expect(admin.get_by_test_id("rule-past").first).to_contain_text("演练结束")
    told = [line.entry for line in audit_of(engine).since(0) if line.entry.action.startswith("rule.")]
    said = [one for one in told if one.result == "accepted"]  # what each changed follows in a line of its own
    assert [(one.actor, one.action, one.result) for one in said] == [
        ("user:anquan", "rule.disable", "accepted"),
        ("user:anquan", "rule.enable", "accepted"),
    ]


def test_its_last_hits_lead_to_the_alerts(admin: Page) -> None:
    show(admin, SHELL)
    admin.get_by_test_id("rule-hit").first.get_by_role("link").click()
    expect(admin.get_by_test_id("alert-detail")).to_be_visible()
    admin.get_by_test_id("nav-rules").click()


def test_an_analyst_reads_and_decides_nothing(browser: Browser, center: RunningCenter) -> None:
    page = signed_in(browser, center, "guizefenxi", "analyst", "rules")
    show(page, SHELL)
    expect(page.get_by_test_id("rule-test-run")).to_be_visible()
    expect(page.get_by_test_id("rule-decide")).to_have_count(0)
    page.context.close()


def test_the_page_is_accessible(admin: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    show(admin, SHELL)
    expect(admin.locator(".el-message")).to_have_count(0)
    admin.wait_for_timeout(500)
    found = Axe().run(admin, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
