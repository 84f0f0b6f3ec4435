"""Reports, kits and witnesses in a real browser: three people issue a report, a quorum signs the ledger."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect

from crypto.cosignature import Verifier
from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex
from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def people(browser: Browser, center: RunningCenter) -> Iterator[dict[str, Page]]:
    """One page for each of the three who sign."""
    roles = {"bianzhi": "compliance_officer", "shenhe": "security_admin", "pizhun": "shift_lead"}
    pages = {name: signed_in(browser, center, name, role, "reports") for name, role in roles.items()}
    errors: list[str] = []
    for page in pages.values():
        page.on("pageerror", lambda error: errors.append(str(error)))
    yield pages
    for page in pages.values():
        page.context.close()
    assert not errors


@pytest.fixture(scope="module")
def report(people: dict[str, Page]) -> str:
    """A draft of this month, by the officer."""
    page = people["bianzhi"]
    page.get_by_test_id("report-make").click()
    expect(page.get_by_test_id("report-detail")).to_have_attribute("data-next", "prepare", timeout=60_000)
    return page.url.rpartition("/")[2]


def shown(page: Page, report: str) -> None:
    """Open the report from the list."""
    row = page.locator(f"[data-testid=report-row][data-report='{report}']")
    row.get_by_test_id("report-open").click()
    expect(page.get_by_test_id("report-detail")).to_be_visible()


def sign(page: Page, state: str) -> None:
    """Take the step that is due, after saying that one has read it."""
    page.get_by_test_id("report-sign").click()
    page.get_by_test_id("report-sign-submit").click()
    expect(page.get_by_test_id("report-read")).to_have_attribute("aria-invalid", "true")
    page.get_by_test_id("report-read").check()
    page.get_by_test_id("report-sign-submit").click()
    expect(page.get_by_test_id("report-detail")).to_have_attribute("data-state", state, timeout=60_000)


def accessible(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_timeout(500)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def test_three_people_issue_a_report(people: dict[str, Page], report: str) -> None:
    officer, security, lead = people["bianzhi"], people["shenhe"], people["pizhun"]
    expect(officer.get_by_test_id("report-chart").first).to_be_visible()
    plan = officer.locator("[data-section=plan]")
    plan.get_by_test_id("report-write").click()
    plan.get_by_test_id("report-text").fill("下月完成口令整改。")
    plan.get_by_test_id("report-text-save").click()
    expect(plan).to_contain_text("bianzhi")
    sign(officer, "prepared")
    expect(officer.get_by_test_id("report-write")).to_have_count(0)
    expect(officer.get_by_test_id("report-sign")).to_have_count(0)

    shown(security, report)
    security.get_by_test_id("report-return").click()
    security.get_by_test_id("report-return-submit").click()  # without a reason nothing is sent
    security.get_by_test_id("report-reason").fill("计划一章请写明期限")
    security.get_by_test_id("report-return-submit").click()
    expect(security.get_by_test_id("report-detail")).to_have_attribute("data-state", "draft", timeout=60_000)
    expect(officer.get_by_test_id("report-detail")).to_have_attribute("data-state", "draft", timeout=30_000)
    sign(officer, "prepared")
    expect(security.get_by_test_id("report-detail")).to_have_attribute("data-next", "review", timeout=30_000)
    sign(security, "reviewed")
    shown(lead, report)
    sign(lead, "issued")
    expect(lead.locator("[data-testid=report-step][data-done=true]")).to_have_count(3)
    for kind in ("pdf", "docx", "xlsx", "p7s"):
        with lead.expect_download() as taken:
            lead.get_by_test_id("report-detail").get_by_test_id(f"report-{kind}").click()
        assert taken.value.suggested_filename.startswith(f"liuhe-{report}")


def test_the_page_of_reports_is_accessible(people: dict[str, Page]) -> None:
    accessible(people["pizhun"])


@pytest.mark.usefixtures("report")
def test_a_kit_for_an_inspection_is_whole(people: dict[str, Page], tmp_path: Path) -> None:
    page = people["pizhun"]
    page.get_by_test_id("kit-open").click()
    page.get_by_test_id("kit-cyberspace").check()
    with page.expect_download(timeout=60_000) as taken:
        page.get_by_test_id("kit-make").click()
    expect(page.get_by_test_id("kit-state")).to_have_attribute("data-done", "true")
    path = tmp_path / "kit.zip"
    taken.value.save_as(path)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as kit:
        for line in kit.read("SM3SUMS").decode().splitlines():
            digest, _, name = line.partition("  ")
            assert sm3_hex(kit.read(name)) == digest
        assert any(name.startswith("02-月报/") for name in kit.namelist())
    page.keyboard.press("Escape")


def test_a_quorum_of_witnesses_shows(people: dict[str, Page], center: RunningCenter) -> None:
    page, folder = people["pizhun"], center.data / "witness"
    page.get_by_test_id("nav-evidence").click()
    panel = page.get_by_test_id("witness")
    expect(panel).to_have_attribute("data-standing", "none")
    log, witness = center.cli("evidence", "checkpoint", "--keys").stdout.splitlines()
    name = witness.split()[1]
    (folder / "logs").write_text(f"{log}\n", encoding="utf-8")
    url = f"{center.url}api/v1/witness"
    # One center plays both sides; the one that is never there must not hold the quorum up.
    absent = Verifier("absent", SigningKey.generate().public, True).line()
    policy = f"{witness} {url}\nwitness absent {absent}\nquorum {name}\n"
    (folder / "policy").write_text(policy, encoding="utf-8")
    try:
        expect(page.get_by_test_id("witness-row")).to_have_count(2, timeout=60_000)
        expect(panel).to_have_attribute("data-standing", re.compile("good|waiting"), timeout=60_000)
        expect(page.get_by_test_id("witness-size")).not_to_have_text(re.compile(r"^0 "), timeout=60_000)
        accessible(page)
    finally:
        (folder / "policy").unlink()
        (folder / "logs").unlink()
