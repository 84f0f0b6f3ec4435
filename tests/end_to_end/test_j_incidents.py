"""Incidents and notices in a real browser over a real center.

A shift leader opens an incident, reports it, seals evidence, ends it and closes it; a notice is written,
reviewed and issued by three people, answered by the unit it went to, checked and cleared.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import docx
import pytest
from axe_playwright_python.sync_playwright import Axe
from papers import act, opened, step
from person import Person, people
from playwright.sync_api import Browser, Page, expect

from compliance.registry import Unit
from compliance.registry_store import RegistryStore
from running_center import RunningCenter
from soc_api.folders import Folders, state_engine
from soc_api.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.browser]

BELOW = "320100-tongbao"
STILL = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity
)"""


@pytest.fixture(scope="module")
def team(center: RunningCenter) -> Iterator[dict[str, Person]]:
    """The people of both tests, one of them of the unit below that notices go to."""
    engine, settings = (
        state_engine(Folders(center.data), load_settings(center.data)),
        load_settings(center.data),
    )
    unit = Unit(code=BELOW, name="南京市数据局", parent=settings.center.unit, kind="department")
    RegistryStore(engine).put_unit(unit, datetime.now(UTC), "user:test")
    engine.dispose()
    roles = {
        "anjian": ("shift_lead", ""),
        "nigao": ("analyst", ""),
        "qianfa": ("security_admin", ""),
        "jieshou": ("compliance_officer", BELOW),
    }
    made = people(center, roles)
    yield made
    for person in made.values():
        person.close()


def accessible(page: Page) -> None:
    """Nothing serious by the rules of WCAG 2 A and AA."""
    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_function(STILL)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def test_an_incident_is_reported_and_closed(browser: Browser, team: dict[str, Person]) -> None:
    page = team["anjian"].page(browser, "incidents")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_test_id("incident-open").click()
    page.get_by_test_id("incident-title").fill("门户网站被篡改")
    page.get_by_test_id("incident-grade").select_option("3")
    page.get_by_test_id("incident-kind").select_option("网页篡改")
    page.get_by_test_id("incident-submit").click()
    detail = page.get_by_test_id("incident-detail")
    expect(detail).to_have_attribute("data-state", "open")
    expect(page.locator("aside [data-testid=clock][data-clock=first]")).to_have_attribute(
        "data-done", "false"
    )
    page.get_by_test_id("filing-add").click()
    page.get_by_test_id("filing-submit").click()  # what is required is asked for, nothing is sent
    expect(page.get_by_test_id("filing-harm")).to_have_attribute("aria-invalid", "true")
    for name in ("facts", "harm", "measures"):
        page.get_by_test_id(f"filing-{name}").fill("已核实")
    page.get_by_test_id("filing-submit").click()
    expect(page.locator("aside [data-testid=clock][data-clock=first]")).to_have_attribute("data-done", "true")
    with page.expect_download() as taken:
        page.get_by_test_id("filing-docx").click()
    lines = docx.Document(io.BytesIO(taken.value.path().read_bytes())).paragraphs
    assert "网络安全事件报告(首报)" in [line.text for line in lines]
    evidence = {"name": "access.log", "mimeType": "text/plain", "buffer": b"GET /a.php"}
    page.get_by_test_id("case-file-pick").set_input_files(evidence)  # type: ignore[arg-type]
    page.get_by_test_id("case-file-add").click()
    expect(page.get_by_test_id("case-file")).to_have_count(1)
    page.get_by_test_id("case-note").fill("已电话告知")
    page.get_by_test_id("case-note-add").click()
    expect(page.locator("[data-testid=case-event][data-action=noted]")).to_have_count(1)
    accessible(page)
    page.get_by_test_id("incident-settle").click()
    page.get_by_test_id("incident-note").fill("业务已恢复")
    page.get_by_test_id("incident-step-submit").click()
    expect(detail).to_have_attribute("data-state", "handled")
    page.get_by_test_id("incident-close").click()
    page.get_by_test_id("incident-note").fill("处置完毕")
    page.get_by_test_id("incident-step-submit").click()  # the closing report is owed
    expect(page.locator(".trouble")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_test_id("filing-add").click()
    for name in ("facts", "harm", "measures", "cause", "lessons"):
        page.get_by_test_id(f"filing-{name}").fill("弱口令,已改")
    page.get_by_test_id("filing-submit").click()
    expect(page.locator("aside [data-testid=clock][data-clock=final]")).to_have_attribute("data-done", "true")
    page.get_by_test_id("incident-close").click()
    page.get_by_test_id("incident-note").fill("处置完毕")
    page.get_by_test_id("incident-step-submit").click()
    expect(detail).to_have_attribute("data-state", "closed")
    expect(page.locator("[data-testid=case-event][data-action=close]")).to_contain_text("#")  # has its leaf
    page.context.close()
    assert not errors


def test_a_notice_takes_three_people_and_its_receiver(browser: Browser, team: dict[str, Person]) -> None:
    writer = team["nigao"].page(browser, "notices")
    writer.get_by_test_id("notice-draft").click()
    writer.get_by_test_id("notice-kind").select_option("rectification")
    writer.get_by_test_id("notice-title").fill("关于限期整改的通知")
    writer.get_by_test_id("notice-text").fill("近日监测发现弱口令。\n请立即修改并反馈。")
    writer.get_by_test_id(f"notice-to-{BELOW}").check()
    writer.get_by_test_id("notice-save").click()
    step(writer, "notice-submit", "review")
    lead = opened(team["anjian"].page(browser, "notices"))
    step(lead, "notice-approve", "approved")
    expect(lead.get_by_test_id("notice-issue")).to_have_count(0)  # who reviewed it does not issue it
    issuer = opened(team["qianfa"].page(browser, "notices"))
    step(issuer, "notice-issue", "issued")
    receiver = opened(team["jieshou"].page(browser, "notices"))
    for name, state in (("sign", "received"), ("answer", "answered")):
        act(receiver, f"receipt-{name}", "已修改口令")
        expect(receiver.get_by_test_id("receipt")).to_have_attribute("data-state", state)
    for name, state in (("pass", "checked"), ("clear", "cleared")):
        act(issuer, f"receipt-{name}")
        expect(issuer.get_by_test_id("receipt")).to_have_attribute("data-state", state)
    expect(issuer.get_by_test_id("notice-detail")).to_have_attribute("data-state", "closed")
    with issuer.expect_download() as taken:
        issuer.get_by_test_id("notice-pdf").click()
    assert taken.value.path().read_bytes().startswith(b"%PDF-")
    accessible(issuer)
    issuer.get_by_test_id("notices-scores").click()
    expect(issuer.locator(f"[data-testid=score-row][data-unit='{BELOW}']")).to_contain_text("100")
    for page in (writer, lead, issuer, receiver):
        page.context.close()
