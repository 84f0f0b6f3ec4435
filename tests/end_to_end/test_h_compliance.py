"""Checks, attestations, documents, orders and gates in a real browser, by two people of different roles."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect

from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STILL = """() => document.getAnimations().every(
    (one) => one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity
)"""
STATED = "PHY-03"  # fire protection: telemetry sees nothing of it, a person states it


def opened(browser: Browser, center: RunningCenter, username: str, role: str) -> Iterator[Page]:
    page = signed_in(browser, center, username, role, "checks")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


@pytest.fixture(scope="module")
def officer(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    yield from opened(browser, center, "hegui", "compliance_officer")


@pytest.fixture(scope="module")
def admin(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    yield from opened(browser, center, "fuhe", "security_admin")


def accessible(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    # What fades in or out has no contrast for that moment.
    page.wait_for_function(STILL)
    rules, shown = {"runOnly": ["wcag2a", "wcag2aa"]}, {"exclude": [[".el-message"]]}
    found = Axe().run(page, context=shown, options=rules).response["violations"]
    serious = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
    assert not serious, serious


def test_a_check_is_explained_and_stated_and_another_person_accepts(
    officer: Page, admin: Page, tmp_path: Path
) -> None:
    proof = tmp_path / "report.txt"
    proof.write_text(f"no fire system in this room {uuid4()}", encoding="utf-8")
    officer.get_by_test_id("check-evaluate").click()
    officer.locator(f'[data-testid="check-row"][data-check="{STATED}"]').click()
    expect(officer.get_by_test_id("check-changes")).to_be_visible()
    expect(officer.get_by_test_id("check-object").first).to_have_attribute("data-verdict", "未知")
    accessible(officer)
    officer.get_by_test_id("attest-open").click()
    officer.get_by_test_id("attest-submit").click()
    expect(officer.get_by_test_id("attest-verdict")).to_have_attribute("aria-invalid", "true")
    officer.get_by_test_id("attest-verdict").select_option("不适用")
    officer.get_by_test_id("attest-reason").fill("the machine room is rented; its owner answers for it")
    officer.get_by_test_id("attest-ask-report").fill("XF-2026-118")
    officer.get_by_test_id("attest-ask-day").fill(datetime.now(UTC).date().isoformat())
    officer.get_by_test_id("attest-ask-result").select_option("合格")
    officer.get_by_test_id("attest-files").set_input_files(proof)
    accessible(officer)
    officer.get_by_test_id("attest-submit").click()
    expect(officer.get_by_test_id("attestation-row").first).to_have_attribute("data-state", "submitted")

    admin.get_by_test_id("nav-attestations").click()
    expect(admin.get_by_test_id("attestation-waiting")).to_be_visible()
    admin.locator(f'[data-testid="attestation-row"][data-check="{STATED}"][data-state="submitted"]').click()
    accessible(admin)
    with admin.expect_download() as taken:
        admin.get_by_test_id("attestation-file").click()
    assert taken.value.path().read_bytes() == proof.read_bytes()
    admin.get_by_test_id("attestation-accept").click()
    admin.get_by_test_id("attestation-decide-submit").click()
    expect(admin.get_by_test_id("attestation-detail")).to_have_attribute("data-state", "accepted")
    officer.get_by_test_id("check-evaluate").click()
    row = officer.locator(f'[data-testid="check-row"][data-check="{STATED}"]')
    expect(row).to_have_attribute("data-verdict", "不适用", timeout=30_000)


def test_a_document_is_tried_mended_and_imported(officer: Page, tmp_path: Path) -> None:
    officer.get_by_test_id("nav-attestations").click()
    officer.get_by_test_id("view-documents").click()
    accessible(officer)
    officer.get_by_test_id("document-import").click()
    officer.get_by_test_id("document-kind").select_option("backup.jobs")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for name, result in (("bad.csv", "perhaps"), ("good.csv", "成功")):
        (tmp_path / name).write_text(f"任务,完成时间,结果\nnightly,{now},{result}\n", encoding="utf-8")
    officer.get_by_test_id("document-file").set_input_files(tmp_path / "bad.csv")
    officer.get_by_test_id("document-trial").click()
    expect(officer.get_by_test_id("document-trouble")).to_be_visible()
    officer.get_by_test_id("document-file").set_input_files(tmp_path / "good.csv")
    officer.get_by_test_id("document-trial").click()
    expect(officer.get_by_test_id("document-tried")).to_be_visible()
    accessible(officer)
    officer.get_by_test_id("document-submit").click()
    row = officer.locator('[data-testid="document-row"][data-kind="backup.jobs"]')
    expect(row).to_have_attribute("data-rows", "1")


def test_an_order_is_answered_with_evidence_and_tested_by_another(
    officer: Page, admin: Page, tmp_path: Path
) -> None:
    officer.get_by_test_id("nav-orders").click()
    first = officer.locator('[data-testid="order-row"][data-state="issued"]').first
    expect(first).to_be_visible(timeout=60_000)
    expect(officer.get_by_test_id("order-figures")).to_be_visible()
    accessible(officer)
    number = first.get_attribute("data-number")
    first.click()
    (tmp_path / "done.txt").write_text(f"changed {uuid4()}", encoding="utf-8")
    officer.get_by_test_id("order-answer").click()
    officer.get_by_test_id("order-note").fill("set as the remedy says")
    officer.get_by_test_id("order-files").set_input_files(tmp_path / "done.txt")
    officer.get_by_test_id("order-act-submit").click()
    expect(officer.get_by_test_id("order-detail")).to_have_attribute("data-state", "answered")
    accessible(officer)

    admin.get_by_test_id("nav-orders").click()
    admin.locator(f'[data-testid="order-row"][data-number="{number}"]').click()
    failed = admin.locator('[data-testid="order-event"][data-action="retest-failed"]').first
    expect(admin.get_by_test_id("order-pass").or_(failed).first).to_be_visible()
    for act, note in (("pass", "looked at it"), ("fail", "it is as before")):
        if not admin.get_by_test_id(f"order-{act}").is_visible():
            continue  # a sensor looked meanwhile, and the order went back by itself
        admin.get_by_test_id(f"order-{act}").click()
        admin.get_by_test_id("order-note").fill(note)
        admin.get_by_test_id("order-act-submit").click()
        if act == "pass":  # the probe still finds it: nobody can close it
            expect(admin.get_by_role("alert")).to_be_visible()
            admin.get_by_role("dialog").get_by_role("button").first.click()
            expect(admin.get_by_test_id("order-note")).to_be_hidden()
    expect(failed).to_be_visible()


def test_a_gate_is_asked_passed_over_by_two_and_released(officer: Page, admin: Page) -> None:
    officer.get_by_test_id("nav-gates").click()
    gate = officer.locator('[data-testid="gate-card"][data-gate="go-live"]')
    expect(gate).to_have_attribute("data-allowed", "false")
    officer.get_by_test_id("gate-ask-go-live").click()
    officer.get_by_test_id("gate-text").fill("portal 2.1")
    officer.get_by_test_id("gate-act-submit").click()
    expect(officer.locator('[data-testid="decision-row"][data-allowed="false"]').first).to_be_visible()
    officer.get_by_test_id("gate-override-go-live").click()
    officer.get_by_test_id("gate-text").fill("flood relief needs the portal")
    accessible(officer)
    officer.get_by_test_id("gate-act-submit").click()
    override = officer.get_by_test_id("override-row").first
    expect(override).to_have_attribute("data-state", "asked")

    admin.get_by_test_id("nav-gates").click()
    admin.get_by_test_id("override-approve").click()
    expect(admin.get_by_test_id("override-row").first).to_have_attribute("data-state", "approved")
    expect(admin.locator('[data-testid="gate-ground"][data-state="overridden"]').first).to_be_visible()
    admin.get_by_test_id("release-open").click()
    admin.get_by_test_id("gate-text").fill("flood relief")
    admin.get_by_test_id("gate-act-submit").click()
    expect(admin.get_by_test_id("release-banner")).to_be_visible()
    expect(admin.locator('[data-testid="gate-card"][data-gate="go-live"]')).to_have_attribute(
        "data-ruling", "release"
    )
    accessible(admin)
    admin.get_by_test_id("release-close").click()
    admin.get_by_test_id("gate-text").fill("relief is over")
    admin.get_by_test_id("gate-act-submit").click()
    expect(admin.get_by_test_id("release-banner")).to_be_hidden()
    admin.get_by_test_id("override-end").click()
    expect(admin.get_by_test_id("override-row").first).to_have_attribute("data-state", "ended")
