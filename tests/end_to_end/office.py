"""A center's people, as in earnest: set-up makes three administrators, they make the rest."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from browsing import PASSWORD, first_login
from playwright.sync_api import Browser, Page, expect

from crypto.otp import code_at, secret_of
from running_center import RunningCenter

ADMINISTRATORS: Final = {"system_admin": "jianhao", "security_admin": "shouquan", "audit_admin": "shenji"}
ONE_STEP: Final = timedelta(seconds=30)  # a code is good once; the device's clock may run half a minute fast


def blank(browser: Browser, center: RunningCenter, path: str = "") -> Page:
    """A browser of somebody's own, at a page of the console."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page()
    page.set_default_timeout(45_000)  # a machine under test is a busy one
    page.goto(center.url + path)
    return page


def logged_in_again(page: Page, username: str, secret: str) -> None:
    """Log in with the chosen password and a code of the device, by keyboard alone."""
    box = page.get_by_test_id("login-username")
    expect(box).to_be_focused()
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(code_at(secret_of(secret), datetime.now(UTC) + ONE_STEP))
    page.keyboard.press("Enter")
    expect(page.locator("nav a").first).to_be_visible()


def accessible(page: Page) -> None:
    """Nothing on the page keeps anybody out, once nothing moves."""
    expect(page.locator(".el-message")).to_have_count(0)
    page.wait_for_timeout(300)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    assert not [(one["id"], one["nodes"][0]["html"][:200]) for one in found]


@dataclass
class Office:
    """The center after set-up: its administrators' pages, and those they let in."""

    browser: Browser
    center: RunningCenter
    one_time: dict[str, str]
    pages: dict[str, Page] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def administrator(self, role: str) -> Page:
        """The page of an administrator, who logs in for the first time where nobody asked before."""
        return self.enters(ADMINISTRATORS[role])

    def enters(self, username: str) -> Page:
        """The page of a person whose one-time password is known."""
        if username not in self.pages:
            page = blank(self.browser, self.center)
            page.on("pageerror", lambda error: self.errors.append(f"{username}: {error}"))
            self.secrets[username] = first_login(page, username, self.one_time[username])
            self.pages[username] = page
        return self.pages[username]

    def hires(self, username: str, role: str, unit: str = "") -> Page:
        """A person's page: created by one administrator, granted a role by another, over the interface."""
        if username not in self.one_time:
            order = {"username": username, "display_name": username, "person": f"P-{username}"}
            made = send(self.administrator("system_admin"), self.center, "accounts", order)
            self.one_time[username] = made["one_time"]
            granter = self.administrator("security_admin")
            grant = {"role": role, "unit": unit or session(granter, self.center)["unit"]}
            send(granter, self.center, f"accounts/{username}/grant", grant)
        if username not in self.pages:
            self.pages[username] = self._let_in(username)
        return self.pages[username]

    def _let_in(self, username: str) -> Page:
        """The first login over the interface: what it looks like is shown by others."""
        page = self.browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(45_000)  # a machine under test is a busy one
        page.on("pageerror", lambda error: self.errors.append(f"{username}: {error}"))
        word = self.one_time[username]
        opened = page.request.post(
            f"{self.center.url}api/v1/session", data={"username": username, "password": word}
        )
        assert opened.ok, opened.text()
        secret = send(page, self.center, "session/factor", {})["secret"]
        code = code_at(secret_of(secret), datetime.now(UTC))
        send(page, self.center, "session/factor/code", {"code": code})
        send(page, self.center, "session/password", {"old": word, "new": PASSWORD})
        page.goto(self.center.url)
        expect(page.locator("nav a").first).to_be_visible()
        return page

    def close(self) -> None:
        """Everybody leaves; nobody's page may have failed."""
        for page in self.pages.values():
            page.context.close()
        assert not self.errors


def session(page: Page, center: RunningCenter) -> dict[str, Any]:
    """Who is logged in."""
    found: dict[str, Any] = page.request.get(f"{center.url}api/v1/session").json()
    return found


def send(page: Page, center: RunningCenter, path: str, body: object, method: str = "POST") -> Any:
    """What the interface answers to the person of the page."""
    headers = {"X-CSRF-Token": session(page, center)["csrf"]}
    answer = page.request.fetch(f"{center.url}api/v1/{path}", method=method, data=body, headers=headers)
    assert answer.ok, answer.text()
    return answer.json() if answer.body() else None


def set_up(browser: Browser, center: RunningCenter) -> Office:
    """Name the three administrators with the token that the start printed."""
    page = blank(browser, center, "login")
    page.get_by_role("link").filter(visible=True).first.wait_for()
    page.goto(f"{center.url}setup")
    page.get_by_test_id("setup-token").fill(center.token)
    for number, (role, name) in enumerate(ADMINISTRATORS.items()):
        for which, text in (("username", name), ("display_name", name), ("person", f"A-{number}")):
            page.get_by_test_id(f"{role}-{which}").fill(text)
    accessible(page)
    page.get_by_test_id("setup-submit").click()
    expect(page.get_by_test_id("setup-done")).to_be_visible()
    accessible(page)
    one_time = {
        name: str(page.get_by_test_id(f"setup-{name}").text_content()) for name in ADMINISTRATORS.values()
    }
    page.context.close()
    return Office(browser, center, one_time)
