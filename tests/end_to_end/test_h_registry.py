"""Units, systems and hosts in a real browser, over the registry and the inventory of a real host sensor.

A system goes from entry to filing, a state-secret one is refused, a machine nobody registered is registered,
a file is tried before it is written, and what is installed on the host is found by name.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, FilePayload, Page, expect

from compliance.registry import RegistryTask
from compliance.registry_task_store import RegistryTaskStore
from crypto.words import Words
from running_center import RunningCenter
from soc_api.folders import Folders, audit_of, state_engine
from soc_api.settings import load_settings

pytestmark = [pytest.mark.slow, pytest.mark.browser]

WRONG = "编号,单位代码,名称,定级\nx1,320100,机密级平台,S3A3G3\nx2,999999,门户二,S3A3G3\n"
RIGHT = "编号,单位代码,名称,定级\nhotline,320100,便民热线,S2A2G2\n"


@pytest.fixture(scope="module")
def officer(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    page = signed_in(browser, center, "dengji", "compliance_officer", "registry")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


def accessible(page: Page) -> None:
    """Nothing serious by the rules of WCAG 2 A and AA."""
    from axe_playwright_python.sync_playwright import Axe

    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_timeout(400)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


def test_a_system_is_registered_and_filed_and_a_state_secret_one_refused(officer: Page) -> None:
    officer.locator("[data-testid=registry-unit][data-unit='320100']").click()
    officer.get_by_test_id("system-add").click()
    officer.get_by_test_id("system-submit").click()  # without an id nothing is sent
    expect(officer.get_by_test_id("system-id")).to_have_attribute("aria-invalid", "true")
    officer.get_by_test_id("system-id").fill("portal")
    officer.get_by_test_id("system-name").fill("政务门户")
    officer.get_by_test_id("system-secret").check()
    officer.get_by_test_id("system-submit").click()
    expect(officer.locator(".trouble")).to_contain_text("涉密")
    officer.get_by_test_id("system-secret").uncheck()
    officer.get_by_test_id("system-submit").click()
    detail = officer.get_by_test_id("system-detail")
    for step, stage in (
        ("grade", "graded"),
        ("expert-review", "reviewed"),
        ("approve", "approved"),
        ("file", "filed"),
    ):
        officer.locator(f"[data-testid=system-step][data-step={step}]").click()
        officer.get_by_test_id("step-document").fill("32010099-25001")
        officer.get_by_test_id("step-submit").click()
        expect(detail).to_have_attribute("data-stage", stage)
    expect(officer.get_by_test_id("milestone")).to_have_count(4)
    expect(detail).to_contain_text("32010099-25001")
    officer.get_by_test_id("system-tab-assets").click()
    expect(officer.get_by_test_id("object-row")).to_have_count(5)
    officer.get_by_test_id("system-tab-contacts").click()
    officer.get_by_test_id("contact-add").click()
    officer.get_by_test_id("contact-name").fill("张三")
    officer.get_by_test_id("contact-phone").fill("025-0000000")
    officer.get_by_test_id("contact-submit").click()
    expect(officer.get_by_test_id("contact-row")).to_contain_text("025-0000000")
    officer.get_by_test_id("flyout-close").click()


def test_the_self_check_shows_its_rule_and_every_item_down_to_the_evidence(officer: Page) -> None:
    officer.get_by_test_id("unit-all").click()
    officer.locator("[data-testid=system-row][data-system=local]").click()
    officer.get_by_test_id("system-tab-grading").click()
    expect(officer.get_by_test_id("grading")).to_have_attribute("data-items", "211")
    expect(officer.get_by_test_id("grading-label")).to_contain_text("自查参考")
    officer.get_by_text("结论规则").click()
    expect(officer.get_by_test_id("grading-rule")).to_be_visible()
    expect(officer.get_by_test_id("grading-group")).to_have_count(16)  # ten domains, six layers
    officer.locator("[data-testid=grading-group][data-group=安全计算环境] button").click()
    expect(officer.get_by_test_id("item-count")).to_have_text("34 / 211")
    item = officer.get_by_test_id("item-row").first
    item.get_by_role("button").first.click()
    expect(item.get_by_test_id("item-result").first).to_be_visible()
    accessible(officer)
    item.get_by_test_id("statement-make").click()
    officer.get_by_test_id("statement-verdict").select_option("不适用")
    officer.get_by_test_id("statement-reason").fill("本系统没有这类对象")
    officer.get_by_test_id("statement-submit").click()
    expect(item.get_by_test_id("statement")).to_have_attribute("data-state", "proposed")
    expect(item.get_by_test_id("statement-confirm")).to_have_count(0)  # another person's to do
    officer.get_by_test_id("flyout-close").click()


def test_a_machine_nobody_registered_is_registered(officer: Page, center: RunningCenter) -> None:
    engine = state_engine(Folders(center.data), load_settings(center.data))
    now = datetime.now(UTC)
    what = Words("传感器发现未登记的资产 db-07", "a sensor sees db-07")
    task = RegistryTask(kind="unregistered-asset", key="320100/db-07", unit="320100", what=what, opened=now)
    RegistryTaskStore(engine).reconcile([task], now)
    engine.dispose()
    officer.get_by_test_id("registry-view-tasks").click()
    officer.locator("[data-testid=task-row][data-key='320100/db-07']").get_by_test_id("task-register").click()
    expect(officer.get_by_test_id("asset-name")).to_have_value("db-07")
    officer.get_by_test_id("asset-system").select_option("portal")
    officer.get_by_test_id("asset-submit").click()
    expect(officer.get_by_test_id("asset-submit")).to_have_count(0)
    accessible(officer)
    officer.get_by_test_id("registry-view-coverage").click()
    expect(officer.locator("[data-testid=coverage-system][data-system=local]")).to_be_visible()
    expect(officer.locator("[data-testid=coverage-unit][data-unit='320100']")).to_contain_text("0/1")
    accessible(officer)
    officer.get_by_test_id("registry-view-systems").click()


def test_a_file_is_tried_before_it_is_written(officer: Page, center: RunningCenter) -> None:
    def choose(text: str) -> None:
        file = FilePayload(name="s.csv", mimeType="text/csv", buffer=text.encode())
        officer.get_by_test_id("import-file").set_input_files(files=[file])

    officer.get_by_test_id("registry-import").click()
    choose(WRONG)
    officer.get_by_test_id("import-try").click()
    expect(officer.get_by_test_id("import-error")).to_have_count(2)
    expect(officer.get_by_test_id("import-error").first).to_contain_text("涉密")
    expect(officer.get_by_test_id("import-write")).to_be_disabled()
    choose(RIGHT)
    officer.get_by_test_id("import-try").click()
    expect(officer.get_by_test_id("import-result")).to_have_attribute("data-done", "false")
    officer.get_by_test_id("import-write").click()
    expect(officer.get_by_test_id("import-result")).to_have_attribute("data-done", "true")
    with officer.expect_download() as download:
        officer.get_by_test_id("export-xlsx").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    officer.keyboard.press("Escape")
    expect(officer.locator("[data-testid=system-row][data-system=hotline]")).to_be_visible()
    engine = state_engine(Folders(center.data), load_settings(center.data))
    said = [line.entry.object for line in audit_of(engine).since(0) if line.entry.action == "registry.import"]
    engine.dispose()
    assert said == ["registry:systems dry-run", "registry:systems dry-run", "registry:systems"]
    accessible(officer)


def test_a_host_shows_what_it_is_made_of(officer: Page) -> None:
    officer.get_by_test_id("nav-assets").click()
    row = officer.get_by_test_id("host-row").first
    expect(row).to_be_visible(timeout=60_000)  # its sensor may have been let in a moment ago
    expect(row).to_have_attribute("data-system", "local")
    row.click()
    accounts = officer.locator("[data-testid=host-kind][data-kind=accounts]")
    expect(accounts).to_be_visible(timeout=60_000)
    accounts.click()
    officer.get_by_test_id("host-table-search").fill("root")
    expect(officer.get_by_test_id("host-table")).to_contain_text("/root")
    expect(officer.get_by_test_id("host-changes")).to_be_visible()
    accessible(officer)
    officer.get_by_test_id("flyout-close").click()
    officer.get_by_test_id("asset-seek-kind").select_option("accounts")
    officer.get_by_test_id("asset-search").fill("root")
    expect(officer.get_by_test_id("sought-row").first).to_be_visible()
    officer.get_by_test_id("sought-row").first.get_by_role("button").click()
    expect(officer.get_by_test_id("host-detail")).to_be_visible()
