"""What the browser tests share: a quiet Chromium and the first login of a new account."""

import shutil
from datetime import UTC, datetime
from typing import Final

from playwright.sync_api import Browser, Page, expect

from crypto.otp import code_at, secret_of
from running_center import RunningCenter

CHROMIUM: Final = shutil.which("chromium")
QUIET: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD: Final = "Watch-over-all-2026"

expect.set_options(timeout=30_000)  # a machine under test is a busy one


def signed_in(
    browser: Browser, center: RunningCenter, username: str, role: str, page: str, unit: str = ""
) -> Page:
    """A new account's ``page`` (its link's test id is nav-``page``) after the first login.

    ``unit`` is the one it belongs to, the center's own where none is given.
    """
    one_time = center.cli(
        "center", "account", username, "--role", role, *(["--unit", unit] if unit else [])
    ).stdout.split()[1]
    shown = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True).new_page()
    shown.set_default_timeout(20_000)
    shown.goto(center.url)
    first_login(shown, username, one_time)
    shown.get_by_test_id(f"nav-{page}").click()
    return shown


def first_login(shown: Page, username: str, one_time: str) -> str:
    """Log in with a one-time password, bind a device, choose PASSWORD; the device's secret."""
    shown.get_by_test_id("login-username").fill(username)
    shown.get_by_test_id("login-password").fill(one_time)
    shown.get_by_test_id("login-submit").click()
    secret = str(shown.get_by_test_id("factor-secret").text_content())
    shown.get_by_test_id("factor-code").fill(code_at(secret_of(secret), datetime.now(UTC)))
    shown.get_by_test_id("factor-submit").click()
    for field, word in (("old", one_time), ("new", PASSWORD), ("confirm", PASSWORD)):
        shown.get_by_test_id(f"password-{field}").fill(word)
    shown.get_by_test_id("password-submit").click()
    shown.locator("nav a").first.wait_for()
    return secret
