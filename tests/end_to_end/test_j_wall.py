"""Exceptions and the wall display in a real browser, over a pipeline that runs.

An exception is made from an alert's details, approved by another person, holds a real event's alert back, and
ends; the wall display names nobody and stays as large as it was.
"""

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from person import Person, people
from playwright.sync_api import Browser, Page, expect

from detection.store.alert_store import AlertStore
from detection.store.hit_store import HitStore
from detection.store.state import Engine
from running_center import RunningCenter, until
from soc_api.drill_actions import suspicious_command
from soc_api.folders import Folders, state_engine
from soc_api.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SHELL: Final = "84c4933b-67cc-4801-b4b2-af9a4dde0a16"  # a reverse shell's words on a command line
WARM: Final = 20  # refreshes before the first look at the heap
REFRESHES: Final = 200
GROWTH_BYTES_MAX: Final = 3 << 20
STILL: Final = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity
)"""
AXE: Final = {"runOnly": ["wcag2a", "wcag2aa"]}


@pytest.fixture(scope="module")
def engine(center: RunningCenter) -> Iterator[Engine]:
    made = state_engine(Folders(center.data), load_settings(center.data))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def team(center: RunningCenter) -> Iterator[dict[str, Person]]:
    made = people(center, dict.fromkeys(("banzhang", "fubanzhang"), ("shift_lead", "")))
    yield made
    for person in made.values():
        person.close()


@pytest.fixture(scope="module")
def lead(browser: Browser, team: dict[str, Person]) -> Iterator[Page]:
    page = team["banzhang"].page(browser, "exceptions")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


def group_of(engine: Engine, mark: str) -> str:
    """The group with an alert about the command with this mark; '' where there is none."""
    alerts = AlertStore(engine)
    for group in HitStore(engine).latest(SHELL, 20):
        for record in alerts.detail(group.id).alerts:
            if any(
                mark in str(event.fields.get("process.command_line", "")) for event in record.alert.events
            ):
                return group.id
    return ""


def ran(engine: Engine) -> tuple[str, str]:
    """Run a command the rule knows; its mark and the group it led to."""
    mark = uuid4().hex[:12]
    suspicious_command(mark)
    return mark, str(until(lambda: group_of(engine, mark), 60.0, 0.2))


def accessible(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # A toast fades for a moment, and nothing fading has a contrast of its own.
    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_function(STILL)
    found = Axe().run(page, options=AXE).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]


def act(page: Page, which: str, note: str, phase: str) -> None:
    page.get_by_test_id(f"exception-{which}").click()
    page.get_by_test_id("exception-note").fill(note)
    if which == "end":
        page.get_by_test_id("exception-back").check()
    page.get_by_test_id("exception-act-submit").click()
    expect(page.get_by_test_id("exception-detail")).to_have_attribute("data-phase", phase)


def test_an_exception_holds_back_what_two_people_agreed_on(
    lead: Page, browser: Browser, team: dict[str, Person], center: RunningCenter, engine: Engine
) -> None:
    _, group = ran(engine)
    lead.goto(f"{center.url}alerts/{group}")
    expect(lead.get_by_test_id("playbook")).to_be_visible()
    lead.get_by_test_id("playbook-step").first.check()
    expect(lead.get_by_test_id("playbook")).to_have_attribute("data-done", "1")
    lead.get_by_test_id("exception-from-row").click()
    expect(lead.get_by_test_id("exception-term").first).to_be_checked()
    lead.get_by_test_id("exception-condition").fill('process.command_line:"*"')
    preview = lead.get_by_test_id("exception-preview")
    expect(preview).to_have_attribute("data-alerts", "0")  # quoted, a star is a star
    lead.get_by_test_id("exception-condition").fill("process.command_line:*")
    expect(preview).not_to_have_attribute("data-alerts", "0")
    lead.get_by_test_id("exception-reason").fill("演练命令,已核实")
    lead.get_by_test_id("exception-submit").click()
    expect(lead.get_by_test_id("exception-submit")).to_have_count(0)
    lead.get_by_test_id("nav-exceptions").click()
    lead.locator("[data-testid=exception-row][data-phase=waiting]").click()
    detail = lead.get_by_test_id("exception-detail")
    expect(detail).to_have_attribute("data-phase", "waiting")
    expect(lead.get_by_test_id("exception-approve")).to_have_count(0)  # nobody agrees with themselves
    accessible(lead)
    other = team["fubanzhang"].page(browser, "exceptions")
    other.locator("[data-testid=exception-row][data-phase=waiting]").click()
    act(other, "approve", "已核对影响", "active")
    other.context.close()
    expect(detail).to_have_attribute("data-phase", "active")
    mark = uuid4().hex[:12]
    suspicious_command(mark)
    expect(lead.get_by_test_id("exception-example").first).to_be_visible(timeout=60_000)
    assert not group_of(engine, mark)
    act(lead, "end", "演练结束", "ended")
    until(lambda: group_of(engine, mark), 30.0, 0.2)


def test_playbooks_can_be_searched(lead: Page) -> None:
    lead.get_by_test_id("nav-playbooks").click()
    expect(lead.get_by_test_id("playbook-row").nth(5)).to_be_visible()
    lead.get_by_test_id("playbook-seek").fill(SHELL)
    expect(lead.get_by_test_id("playbook-row")).to_have_count(1)
    accessible(lead)


def heap(session: Any) -> tuple[int, int]:
    """Bytes of JavaScript in use and nodes of the document, after a collection."""
    session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: int(one["value"]) for one in session.send("Performance.getMetrics")["metrics"]}
    return told["JSHeapUsedSize"], told["Nodes"]


def test_the_wall_names_nobody_and_does_not_grow(lead: Page, center: RunningCenter) -> None:
    lead.set_viewport_size({"width": 1920, "height": 1080})
    lead.goto(f"{center.url}wall?refresh=0.02")
    wall = lead.get_by_test_id("wall")
    expect(lead.get_by_test_id("wall-tile")).to_have_count(14)
    body = lead.request.get(f"{center.url}api/v1/wall").text()
    assert "banzhang" not in body
    assert "user:" not in body
    session = lead.context.new_cdp_session(lead)
    session.send("Performance.enable")

    def turned(least: int) -> None:
        lead.wait_for_function(
            "n => Number(document.querySelector('[data-testid=wall]').dataset.turns) >= n", arg=least
        )

    turned(WARM)
    before, nodes = heap(session)
    turned(WARM + REFRESHES)
    after, nodes_after = heap(session)
    assert after - before < GROWTH_BYTES_MAX, (before, after)
    assert nodes_after <= nodes * 1.2, (nodes, nodes_after)
    fits = "one => one.scrollWidth <= innerWidth && one.scrollHeight <= innerHeight"
    assert wall.evaluate(fits)
    accessible(lead)
    lead.emulate_media(reduced_motion="reduce")
    expect(lead.get_by_test_id("wall-flow")).to_be_visible()
