"""A transfer in a real browser: one person asks, another approves, the package is exported and downloaded.

Then the receiving side: the package and, at the sender again, its receipt are imported in the browser. One
center plays both ends; everybody counts by certificates.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect
from transfer_world import Authorities

from crypto.key_files import KeyFolder
from running_center import RunningCenter

pytestmark = [pytest.mark.slow, pytest.mark.browser]

KEYS = {"jingban": "author-passphrase", "shenpi": "approver-passphrase"}
CHANNEL = """
[[channel]]
id = "to-province"
direction = "{direction}"
sender = "本市中心"
receiver = "省级中心"
from_zone = "office"
to_zone = "supervision"
directory = "ferry"
receipts = "back"
recipients = ["recipient.pem"]

[channel.trust]
authors = ["person:jingban@gov"]
approvers = ["person:shenpi@gov"]
receivers = ["center:province-1@gov"]
"""


@pytest.fixture(scope="module")
def channel(center: RunningCenter) -> Authorities:
    """Both ends of a channel, keys and certificates of everybody, as administrators make them."""
    folder, now = center.data / "transfer", datetime.now(UTC)
    made = Authorities(now)
    persons, keys = KeyFolder(folder / "persons"), KeyFolder(folder / "keys")
    for name, passphrase in KEYS.items():
        persons.new(name, "sign", bytearray(passphrase.encode()), now)
        made.certify(persons, name, "person", name)
    keys.new("center-sign", "sign", None, now)
    keys.new("center-encrypt", "encrypt", None, now)
    made.certify(keys, "center-sign", "center-sign", "province-1")
    leaf = made.certify(keys, "center-encrypt", "center-encrypt", "province-1")
    (folder / "recipient.pem").write_bytes(leaf.pem() + made.issuer.pem())
    made.trust(folder / "trust")
    both = "".join(CHANNEL.format(direction=one) for one in ("out", "in"))
    (folder / "channels.toml").write_text(f"format = 1\n{both}", encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def author(browser: Browser, center: RunningCenter, channel: Authorities) -> Iterator[Page]:
    page = signed_in(browser, center, "jingban", "analyst", "transfers")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def approver(browser: Browser, center: RunningCenter, channel: Authorities) -> Iterator[Page]:
    page = signed_in(browser, center, "shenpi", "shift_lead", "transfers")
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


def picture(page: Page, name: str) -> None:
    """A screenshot into LIUHE_PICTURES, where somebody wants to look."""
    folder = os.environ.get("LIUHE_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def bring(page: Page, file: Path) -> None:
    """Import what was carried here: a package or a receipt."""
    page.get_by_test_id("transfer-import").click()
    page.get_by_test_id("transfer-import-channel").select_option("to-province")
    page.get_by_test_id("transfer-import-file").set_input_files(file)
    picture(page, f"import-dialog-{file.suffix[1:]}")
    page.get_by_test_id("transfer-import-submit").click()


def export(author: Page, approver: Page, file: Path, application: str) -> None:
    """From request to export."""
    ask(author, file, application)
    state_is(author, "requested")
    approver.locator("[data-testid=transfer-row][data-state=requested]").first.click()
    sign(approver, "approve", KEYS["shenpi"])
    state_is(approver, "approved")
    sign(author, "seal", KEYS["jingban"])
    state_is(author, "sealed")
    approver.get_by_test_id("transfer-export").click()
    state_is(approver, "exported")


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
    picture(approver, "exported")


def test_the_receiving_side_imports_it_and_its_receipt_confirms_it(
    approver: Page, center: RunningCenter, tmp_path: Path
) -> None:
    ferry = center.data / "transfer" / "ferry"
    (package,) = ferry.glob("*.liuhe")
    assert len(list(ferry.glob("*.crl"))) == 2
    bring(approver, package)
    state_is(approver, "imported")
    detail = approver.get_by_test_id("transfer-detail")
    expect(detail).to_contain_text("资产台账.csv")
    expect(detail).to_contain_text("jingban")
    picture(approver, "imported")
    (folder,) = (center.data / "transfer" / "received").iterdir()
    assert (folder / "资产台账.csv").read_text("utf-8") == "编号,名称\n1,网关\n"
    with approver.expect_download() as waiting:
        approver.get_by_test_id("transfer-receipt-download").click()
    receipt = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(receipt)
    (carried,) = (center.data / "transfer" / "back").glob("*.receipt")
    assert receipt.read_bytes() == carried.read_bytes()
    bring(approver, receipt)
    state_is(approver, "confirmed")
    picture(approver, "confirmed")
    bring(approver, package)  # once is all: the second import is only answered again
    state_is(approver, "imported")
    assert len(list((center.data / "transfer" / "received").iterdir())) == 1


def test_the_channels_show_what_they_trust_and_until_when(approver: Page) -> None:
    approver.keyboard.press("Escape")
    cell = approver.get_by_test_id("transfer-trust").first
    expect(cell).to_have_attribute("data-mode", "certificates")
    cell.locator("summary").click()
    expect(cell.locator("[data-kind=crl][data-state=good]")).to_have_count(2)
    expect(cell.locator("[data-kind=recipient]")).to_contain_text("center:province-1@gov")
    cell.scroll_into_view_if_needed()
    picture(approver, "trust")


def test_a_revoked_author_is_refused_with_the_reason(
    author: Page, approver: Page, center: RunningCenter, channel: Authorities, tmp_path: Path
) -> None:
    file = tmp_path / "c.csv"
    file.write_text("y\n")
    export(author, approver, file, "AP-2026-0119")
    folder = center.data / "transfer"
    persons = KeyFolder(folder / "persons")
    channel.revoke(persons.chain(persons.find("jingban"))[0])
    channel.trust(folder / "trust")
    package = max((folder / "ferry").glob("*.liuhe"), key=lambda path: path.stat().st_mtime_ns)
    bring(approver, package)
    state_is(approver, "refused")
    expect(approver.get_by_test_id("transfer-detail")).to_contain_text("chain-revoked")
    approver.wait_for_timeout(500)  # until the dialog has faded
    picture(approver, "refused")
    channel.revoked.clear()
    channel.trust(folder / "trust")


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
