"""The console as people use it, from nothing: set-up, the three administrators, and a shift.

One center of this module's own, with real sensors; its people come in the way the rules want it, its twenty
alerts are what the host sensor saw of harmless commands.
"""

import contextlib
import csv
import io
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from browsing import first_login
from office import ADMINISTRATORS, Office, accessible, blank, logged_in_again, send, session, set_up
from papers import act, opened, step
from playwright.sync_api import Browser, Page, expect
from staged import RANSOM, RULES, begin

from running_center import RunningCenter, fresh_center

pytestmark = [pytest.mark.slow, pytest.mark.browser]

BELOW = "320100-tongbao"
MARK = "演练值守𠮷"  # the last sign takes four bytes of GB 18030
FORBIDDEN = {
    "system_admin": ["alerts", "hunt", "audit", "tokens", "evidence"],
    "security_admin": ["audit", "hunt", "keys"],
    "audit_admin": ["alerts", "rules", "sensors", "incidents"],
}


@pytest.fixture(scope="module")
def young(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCenter]:
    with fresh_center(tmp_path_factory.mktemp("young")) as running:
        yield running


@pytest.fixture(scope="module")
def office(
    browser: Browser, young: RunningCenter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    made = set_up(browser, young)
    for attempt in range(6):  # the sensor of a center just started may not look yet
        for process in begin(tmp_path_factory.mktemp(f"programs{attempt}"), MARK):
            process.wait(60)
        if seen(young) == len({*RULES, RANSOM}):
            break
    yield made
    made.close()


def seen(center: RunningCenter) -> int:
    """How many of the staged rules have spoken, as of a few seconds from now at the latest."""
    wanted = len({*RULES, RANSOM})
    named = ",".join("?" * wanted)
    count = 0
    for _ in range(20):
        with contextlib.closing(
            sqlite3.connect(f"file:{center.data}/state.sqlite?mode=ro", uri=True)
        ) as state:
            query = f"SELECT count(DISTINCT rule) FROM alert_groups WHERE rule IN ({named})"
            (count,) = state.execute(query, sorted({*RULES, RANSOM})).fetchone()
        if count == wanted:
            break
        time.sleep(0.5)
    return count


def test_set_up_makes_three_and_ends(browser: Browser, young: RunningCenter, office: Office) -> None:
    for role, name in ADMINISTRATORS.items():
        office.administrator(role)
        assert session(office.pages[name], young)["role"] == role
    refused = young.cli("center", "account", "late", "--role", "analyst")
    assert refused.returncode != 0
    assert "set-up is over" in refused.stdout + refused.stderr
    page = blank(browser, young, "setup")
    page.get_by_test_id("setup-token").fill(young.token)
    for number, role in enumerate(ADMINISTRATORS):
        for which, text in (("username", f"again{number}"), ("display_name", "x"), ("person", f"B-{number}")):
            page.get_by_test_id(f"{role}-{which}").fill(text)
    page.get_by_test_id("setup-submit").click()
    expect(page.locator(".trouble")).to_be_visible()
    page.goto(f"{young.url}login")
    expect(page.get_by_test_id("login-username")).to_be_focused()
    expect(page.locator("a[href$='setup']")).to_have_count(0)
    page.context.close()


def test_two_administrators_let_a_person_in_and_the_third_sees_both(
    browser: Browser, young: RunningCenter, office: Office
) -> None:
    keeper, granter = office.administrator("system_admin"), office.administrator("security_admin")
    keeper.get_by_test_id("nav-accounts").click()
    keeper.get_by_test_id("account-create").click()
    for which, text in (("username", "zhiban"), ("name", "值班员"), ("person", "P-0001")):
        keeper.get_by_test_id(f"account-{which}").fill(text)
    keeper.get_by_test_id("account-create-submit").click()
    one_time = str(keeper.get_by_test_id("account-one-time").text_content())
    keeper.keyboard.press("Escape")
    row = "[data-testid=account-row][data-username=zhiban]"
    expect(keeper.locator(row)).to_have_attribute("data-state", "ungranted")
    expect(keeper.locator(row).get_by_test_id("account-grant")).to_have_count(0)  # who creates grants nothing
    page = blank(browser, young)
    page.get_by_test_id("login-username").fill("zhiban")
    page.get_by_test_id("login-password").fill(one_time)
    page.get_by_test_id("login-submit").click()
    expect(page.locator(".trouble")).to_be_visible()  # an account without a role opens nothing
    granter.get_by_test_id("nav-accounts").click()
    expect(granter.get_by_test_id("account-create")).to_have_count(0)  # and who grants creates nothing
    granter.locator(row).get_by_test_id("account-grant").click()
    granter.get_by_test_id("grant-role").select_option("analyst")
    granter.get_by_test_id("account-grant-submit").click()
    expect(granter.locator(row)).to_have_attribute("data-state", "one-time")
    page.reload()
    office.secrets["zhiban"] = first_login(page, "zhiban", one_time)
    office.one_time["zhiban"], office.pages["zhiban"] = one_time, page
    page.on("pageerror", lambda error: office.errors.append(f"zhiban: {error}"))
    granter.reload()
    expect(granter.locator(row)).to_have_attribute("data-state", "active")


def test_the_auditor_finds_both_exports_and_verifies(young: RunningCenter, office: Office) -> None:
    new = office.hires("banzhang", "shift_lead")
    assert session(new, young)["role"] == "shift_lead"
    auditor = office.administrator("audit_admin")
    auditor.get_by_test_id("nav-audit").click()
    auditor.get_by_test_id("audit-action").fill("account.*")
    auditor.get_by_test_id("audit-seek").click()
    expect(auditor).to_have_url(re.compile("action=account"))
    rows = auditor.get_by_test_id("audit-row")
    for action, role in (("account.create", "system_admin"), ("account.grant", "security_admin")):
        line = rows.filter(has_text=action).filter(has_text=f"user:{ADMINISTRATORS[role]}")
        expect(line.filter(has_text="banzhang").first).to_be_visible()
    with auditor.expect_download() as taken:
        auditor.get_by_test_id("audit-export-csv-gb18030").click()
    mark, _, *lines = csv.reader(io.StringIO(Path(taken.value.path()).read_bytes().decode("gb18030")))
    assert f"user:{ADMINISTRATORS['audit_admin']}" in mark[0]
    said = [" ".join(line) for line in lines]
    assert any("account.create" in line and "banzhang" in line for line in said)
    assert any("account.grant" in line and "banzhang" in line for line in said)
    auditor.get_by_test_id("audit-check").click()
    expect(auditor.get_by_test_id("audit-checked")).to_have_attribute("data-ok", "true")


@pytest.mark.parametrize("role", list(ADMINISTRATORS))
def test_the_role_ends_where_the_page_says_so(young: RunningCenter, office: Office, role: str) -> None:
    page = office.administrator(role)
    for name in FORBIDDEN[role]:
        expect(page.get_by_test_id(f"nav-{name}")).to_have_count(0)
        page.goto(f"{young.url}{name}")
        expect(page).to_have_url(re.compile("/forbidden$"))
        expect(page.get_by_test_id("forbidden")).to_be_visible()
    accessible(page)
    page.goto(young.url)
    expect(page.locator("nav a").first).to_be_visible()


@pytest.fixture(scope="module")
def analyst(office: Office) -> Page:
    """The analyst of the shift: logged out, and in again with two factors, without a mouse."""
    page = office.hires("zhiban", "analyst")
    page.get_by_test_id("logout").press("Enter")
    logged_in_again(page, "zhiban", office.secrets["zhiban"])
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def ask(page: Page, query: str, rows: int) -> None:
    """Search the queue by keyboard, and wait until it is narrowed."""
    press(page, "g", "a")
    expect(page).to_have_url(re.compile("/alerts"))
    total = page.get_by_test_id("alerts-total")
    expect(total).to_be_visible()
    press(page, "/")
    expect(page.get_by_test_id("filter-text")).to_be_focused()
    press(page, "Control+a")
    page.keyboard.insert_text(query)
    press(page, "Enter")
    expect(page).to_have_url(re.compile("q="))
    expect(total).to_have_attribute("data-total", str(rows), timeout=60_000)


def decides(page: Page, *keys: str, state: str = "done") -> None:
    """Press the keys of an act, and wait until the center has done it."""
    deed = page.get_by_test_id("deed")
    act = str(deed.get_attribute("data-act")) if deed.count() and state == "done" else "none"
    press(page, *keys)
    done = f"[data-testid=deed][data-state={state}]:not([data-act='{act}'])"
    expect(page.locator(done)).to_be_visible()


def closes(page: Page, reason: str) -> None:
    """The closing dialog: classification by arrow, a reason, Ctrl+Enter."""
    press(page, "c")
    expect(page.get_by_test_id("close-classification")).to_be_focused()
    press(page, "ArrowDown", "Tab")
    page.keyboard.insert_text(reason)
    decides(page, "Control+Enter")
    expect(page.get_by_test_id("close-reason")).to_have_count(0)


def dialog(page: Page, key: str, field: str) -> None:
    """An act with a dialog whose proposal is right as it is."""
    press(page, key)
    expect(page.get_by_test_id(field)).to_be_focused()
    decides(page, "Control+Enter")
    expect(page.get_by_test_id(field)).to_have_count(0)


def test_twenty_alerts_are_triaged_by_keyboard_alone(analyst: Page, young: RunningCenter) -> None:
    query = f"rule:({' '.join(f'{rule[:8]}*' for rule in RULES)})"
    ask(analyst, query, 20)
    down = ["Shift+J"]
    press(analyst, "j", "Enter")
    expect(analyst.get_by_test_id("alert-history")).to_be_visible()
    decides(analyst, "a")  # 1: looked at, taken, noted
    press(analyst, "n")
    expect(analyst.get_by_test_id("close-reason")).to_be_focused()
    analyst.keyboard.insert_text("已与运维核对")
    decides(analyst, "Control+Enter")
    expect(analyst.get_by_test_id("close-reason")).to_have_count(0)
    press(analyst, "Escape")
    expect(analyst.get_by_test_id("alert-detail")).to_have_count(0)
    press(analyst, "j", "x", *down * 4)
    decides(analyst, "a")  # 2-6: taken together
    press(analyst, "j", "x", *down * 6)
    closes(analyst, "演练命令,已核实")  # 7-13: closed together
    press(analyst, "j")
    decides(analyst, "m")  # 14, 15: mine
    press(analyst, "j")
    decides(analyst, "m")
    press(analyst, "j")
    closes(analyst, "误报,已核对")  # 16: closed alone, taken back, snoozed
    decides(analyst, "z", state="undone")
    press(analyst, "k")
    dialog(analyst, "s", "wish-hours")
    press(analyst, "x", *down)
    dialog(analyst, "u", "wish-into")  # 17, 18: one story
    press(analyst, "j")
    decides(analyst, "a")  # 19: taken
    press(analyst, "e")  # 20: an incident
    expect(analyst.get_by_test_id("incident-detail")).to_have_attribute("data-state", "open")
    expect(analyst.get_by_test_id("case-alert")).to_have_count(1)
    address = f"{young.url}api/v1/alerts?{urlencode({'q': query, 'state': 'all', 'limit': 100})}"
    rows = analyst.request.get(address).json()["rows"]
    assert [row["members"] for row in rows if row["members"]] == [1]
    assert len(rows) + 1 == 20  # the one that was merged stands below the other
    kept = {
        row["id"] for row in rows if row["state"] == "new" and not (row["snoozed_until"] or row["members"])
    }
    assert kept <= {str(analyst.get_by_test_id("case-alert").get_attribute("data-group"))}
    assert sum(row["state"] == "closed" for row in rows) == 7
    assert sum(bool(row["snoozed_until"]) for row in rows) == 1


def test_an_exception_is_made_from_the_row_and_takes_two(analyst: Page, office: Office) -> None:
    ask(analyst, f"rule:{RANSOM}", 1)
    press(analyst, "j", "Enter")
    expect(analyst.get_by_test_id("exception-from-row")).to_be_visible()
    press(analyst, "t")
    expect(analyst.get_by_test_id("exception-term").first).to_be_checked()
    preview = analyst.get_by_test_id("exception-preview")
    expect(preview).to_have_attribute("data-ready", "true")
    expect(preview).to_have_attribute("data-alerts", re.compile("[1-9]"))
    expect(preview.locator(".grave")).to_be_visible()  # a critical rule
    analyst.get_by_test_id("exception-reason").fill("加密备份脚本,已核实")
    analyst.get_by_test_id("exception-submit").click()
    expect(analyst.get_by_test_id("exception-submit")).to_have_count(0)
    lead = office.hires("banzhang", "shift_lead")
    lead.get_by_test_id("nav-exceptions").click()
    lead.locator("[data-testid=exception-row][data-phase=waiting]").click()
    lead.get_by_test_id("exception-approve").click()
    lead.get_by_test_id("exception-note").fill("已核对影响")
    lead.get_by_test_id("exception-act-submit").click()
    expect(lead.get_by_test_id("exception-detail")).to_have_attribute("data-phase", "active")


def test_a_notice_is_issued_and_closed_by_those_who_may(
    analyst: Page, office: Office, young: RunningCenter
) -> None:
    lead = office.hires("banzhang", "shift_lead")
    unit = {"name": "南京市数据局", "parent": session(lead, young)["unit"], "kind": "department"}
    send(lead, young, f"units/{BELOW}", unit, "PUT")
    analyst.get_by_test_id("nav-notices").click()
    analyst.get_by_test_id("notice-draft").click()
    analyst.get_by_test_id("notice-kind").select_option("rectification")
    analyst.get_by_test_id("notice-title").fill("关于限期整改的通知")
    analyst.get_by_test_id("notice-text").fill("近日监测发现违规软件。\n请立即清理并反馈。")
    analyst.get_by_test_id(f"notice-to-{BELOW}").check()
    analyst.get_by_test_id("notice-save").click()
    step(analyst, "notice-submit", "review")
    expect(analyst.get_by_test_id("notice-approve")).to_have_count(0)  # nobody reviews their own words
    step(opened(lead), "notice-approve", "approved")
    expect(lead.get_by_test_id("notice-issue")).to_have_count(0)
    issuer = opened(office.administrator("security_admin"))
    step(issuer, "notice-issue", "issued")
    receiver = opened(office.hires("jieshou", "compliance_officer", BELOW))
    for name, state in (("sign", "received"), ("answer", "answered")):
        act(receiver, f"receipt-{name}", "已清理")
        expect(receiver.get_by_test_id("receipt")).to_have_attribute("data-state", state)
    for name, state in (("pass", "checked"), ("clear", "cleared")):
        act(issuer, f"receipt-{name}")
        expect(issuer.get_by_test_id("receipt")).to_have_attribute("data-state", state)
    expect(issuer.get_by_test_id("notice-detail")).to_have_attribute("data-state", "closed")


def test_what_was_hunted_leaves_in_gb18030(analyst: Page) -> None:
    press(analyst, "g", "h")
    box = analyst.get_by_test_id("hunt-query")
    box.fill(f"process.command_line:*{MARK}* and event.dataset:process.start")
    box.press("Enter")
    analyst.wait_for_url(lambda url: "q=" in url)
    expect(analyst.get_by_test_id("hunt-page")).to_have_attribute("data-busy", "false")
    matched = analyst.get_by_test_id("hunt-matched")
    expect(matched).to_have_attribute("data-done", "true")
    count = int(matched.get_attribute("data-matched") or 0)
    assert count >= 1
    analyst.get_by_test_id("hunt-export").click()
    analyst.get_by_test_id("hunt-export-charset").select_option("gb18030")
    with analyst.expect_download() as taken:
        analyst.get_by_test_id("hunt-export-go").click()
    data = Path(taken.value.path()).read_bytes()
    assert data.startswith("水印".encode("gb18030"))  # no byte-order mark before it
    assert MARK.encode("gb18030") in data
    with pytest.raises(UnicodeDecodeError):
        data.decode("utf-8")
    mark, head, *rows = csv.reader(io.StringIO(data.decode("gb18030"), newline=""))
    assert "user:zhiban" in mark[0]
    assert (head[0], len(rows)) == ("time", count)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
