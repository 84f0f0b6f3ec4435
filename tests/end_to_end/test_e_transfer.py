"""A transfer in a real browser: one person asks, another approves, the package is exported and downloaded."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from crypto.key_files import KeyFolder
from crypto.keys import DecryptionKey
from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PASSWORD = "Carry-it-over-2026"
KEYS = {"jingban": "author-passphrase", "shenpi": "approver-passphrase"}
CHANNEL = """format = 1
[[channel]]
id = "to-province"
direction = "out"
sender = "本市中心"
receiver = "省级中心"
from_zone = "office"
to_zone = "supervision"
directory = "ferry"
recipients = ["recipient.pub.pem"]
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def channel(center: RunningCenter) -> None:
    """A registered channel and the two persons' keys, as the system administrator makes them."""
    folder = center.data / "transfer"
    keys = KeyFolder(folder / "persons")
    for name, passphrase in KEYS.items():
        keys.new(name, "sign", bytearray(passphrase.encode()), datetime.now(UTC))
    receiver = KeyFolder(folder / "receiver")
    record = receiver.new("receiver", "encrypt", None, datetime.now(UTC))
    assert isinstance(receiver.private_key(record, None), DecryptionKey)
    shutil.copy(receiver.public_path(record), folder / "recipient.pub.pem")
    (folder / "channels.toml").write_text(CHANNEL, encoding="utf-8")


def signed_in(browser: Browser, center: RunningCenter, username: str, role: str) -> Page:
    """A new account's page after its first login."""
    made = center.cli("center", "account", username, "--role", role)
    one_time = made.stdout.split()[1]
    page = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page()
    page.set_default_timeout(20_000)
    page.goto(center.url)
    page.get_by_test_id("login-username").fill(username)
    page.get_by_test_id("login-password").fill(one_time)
    page.get_by_test_id("login-submit").click()
    page.get_by_test_id("password-old").fill(one_time)
    page.get_by_test_id("password-new").fill(PASSWORD)
    page.get_by_test_id("password-confirm").fill(PASSWORD)
    page.get_by_test_id("password-submit").click()
    page.get_by_test_id("nav-transfers").click()
    return page


@pytest.fixture(scope="module")
def author(browser: Browser, center: RunningCenter, channel: None) -> Iterator[Page]:
    page = signed_in(browser, center, "jingban", "analyst")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def approver(browser: Browser, center: RunningCenter, channel: None) -> Iterator[Page]:
    page = signed_in(browser, center, "shenpi", "shift_lead")
    yield page
    page.context.close()


def ask(page: Page, file: Path, application: str) -> None:
    """Fill the form in and submit it."""
    page.get_by_test_id("transfer-request").click()
    page.get_by_test_id("transfer-form-application").fill(application)
    page.get_by_test_id("transfer-form-purpose").fill("报送九月份资产台账")
    page.get_by_test_id("transfer-form-label").select_option("一般")
    page.get_by_test_id("transfer-form-mark-内部").check()
    page.get_by_test_id("transfer-form-files").set_input_files(file)
    page.get_by_test_id("transfer-submit").click()


def sign(page: Page, act: str, passphrase: str) -> None:
    """Approve or seal with the passphrase of one's own key."""
    page.get_by_test_id(f"transfer-{act}").click()
    page.get_by_test_id("transfer-passphrase").fill(passphrase)
    page.get_by_test_id("transfer-confirm").click()


def state_is(page: Page, state: str) -> None:
    """Whether the open transfer is in this state, without a reload."""
    expect(page.get_by_test_id("transfer-detail")).to_have_attribute("data-state", state)


def test_two_persons_carry_a_file_out(
    author: Page, approver: Page, center: RunningCenter, tmp_path: Path
) -> None:
    file = tmp_path / "资产台账.csv"
    file.write_text("编号,名称\n1,网关\n", encoding="utf-8")
    ask(author, file, "AP-2026-0117")
    state_is(author, "requested")
    expect(author.get_by_test_id("transfer-approve")).to_have_count(0)
    approver.locator("[data-testid=transfer-row][data-state=requested]").first.click()
    sign(approver, "approve", "not the passphrase")
    expect(approver.get_by_role("dialog").get_by_role("alert")).to_be_visible()
    approver.get_by_test_id("transfer-passphrase").fill(KEYS["shenpi"])
    approver.get_by_test_id("transfer-confirm").click()
    state_is(approver, "approved")
    sign(author, "seal", KEYS["jingban"])
    state_is(author, "sealed")
    approver.get_by_test_id("transfer-export").click()
    state_is(approver, "exported")
    with approver.expect_download() as waiting:
        approver.get_by_test_id("transfer-download").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    carried = center.data / "transfer" / "ferry" / path.name
    assert path.read_bytes() == carried.read_bytes()
    assert "资产台账".encode() not in path.read_bytes()


def test_a_refusal_is_told_in_plain_words(author: Page, approver: Page, tmp_path: Path) -> None:
    file = tmp_path / "b.csv"
    file.write_text("x\n")
    ask(author, file, "AP-2026-0118")
    state_is(author, "requested")
    approver.locator("[data-testid=transfer-row][data-state=requested]").first.click()
    approver.get_by_test_id("transfer-refuse").click()
    approver.get_by_test_id("transfer-reason").fill("用途与申请不符")
    approver.get_by_test_id("transfer-confirm").click()
    state_is(author, "refused")
    expect(author.get_by_test_id("transfer-why")).to_have_text("用途与申请不符")


def test_state_secrets_are_refused_in_place(author: Page) -> None:
    author.get_by_test_id("transfer-request").click()
    author.get_by_test_id("transfer-form-purpose").fill("报送【机密】材料")
    expect(author.get_by_test_id("transfer-form-secret")).to_be_visible()
    expect(author.get_by_test_id("transfer-submit")).to_be_disabled()
    author.keyboard.press("Escape")


def test_the_page_is_accessible(approver: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    expect(approver.locator(".el-message")).to_have_count(0)
    approver.wait_for_timeout(500)
    found = Axe().run(approver, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
