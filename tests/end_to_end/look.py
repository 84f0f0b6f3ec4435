"""Pictures of every page of a running center: both languages and themes, zoomed and narrow, to be looked at.

    PYTHONPATH=.:tests/end_to_end python tests/end_to_end/look.py --data DATA --url URL --into FOLDER

It makes accounts and things to show in that center: it is for a center of one's own, not for one at work.
"""

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from browsing import CHROMIUM, QUIET
from filled import Filled, Shown
from filled_full import fill
from playwright.sync_api import Browser, Error, Page, sync_playwright

from running_center import RunningCenter

MAIN: Final = ("overview", "alerts", "alert", "hunt", "incident", "notices", "checks", "registry", "sensors")
STILL_MS: Final = 700
READY: Final = "() => !document.querySelector('.el-skeleton, [aria-busy=true]')"
OVERFLOW: Final = """() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  const told = (one) => one.textContent.trim().slice(0, 40);
  const cut = [...document.querySelectorAll('button, h1, h2, h3, th, .tag, .el-button, label')].filter(
    (one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflow === 'hidden'
      && !one.classList.contains('sr') && one.clientWidth > 1);
  return [wide > 0 ? `page wider by ${wide}` : '', ...cut.map((one) => 'cut: ' + told(one))].filter(Boolean);
}"""


@dataclass(frozen=True)
class Setting:
    """How a page is looked at."""

    name: str
    language: str
    theme: str
    size: tuple[int, int] = (1440, 900)
    scale: float = 1.0
    only: tuple[str, ...] = ()


SETTINGS: Final = (
    Setting("zh-light", "zh", "light"),
    Setting("zh-dark", "zh", "dark"),
    Setting("en-light", "en", "light"),
    Setting("en-dark", "en", "dark"),
    Setting("zoom200", "zh", "light", (720, 450), 2.0, MAIN),
    Setting("narrow390", "en", "light", (390, 844), 1.0, MAIN),
)


def main(arguments: Sequence[str]) -> int:
    """Fill the center, then take the pictures; what is wider than the screen or cut is printed."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--url", required=True)
    asked.add_argument("--into", type=Path, required=True)
    asked.add_argument("--full", action="store_true", help="fill the pages first; once in a center's life")
    asked.add_argument("--setting", action="append", help="only these, by name")
    asked.add_argument("--page", action="append", help="only these, by name")
    given = asked.parse_args(arguments)
    given.into.mkdir(parents=True, exist_ok=True)
    sleeper = subprocess.Popen([sys.executable, "-c", "pass"], text=True)
    center = RunningCenter(given.data, given.url, "", "", sleeper, given.data, [])
    filled = Filled(center, f"{int(time.time()) % 100_000:05}")
    try:
        if given.full:
            fill(filled)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
            for setting in SETTINGS:
                if not given.setting or setting.name in given.setting:
                    for page in wanted(filled.pages(), setting, given.page):
                        picture(browser, filled, page, setting, given.into)
            if not given.page or "kiosk" in given.page:
                walls(browser, filled, given.into)
            browser.close()
    finally:
        filled.close()
        sleeper.wait()
    return 0


def wanted(pages: Sequence[Shown], setting: Setting, names: Sequence[str] | None) -> Iterator[Shown]:
    """The pages of a setting, kept to the names given."""
    for page in pages:
        if (not names or page.name in names) and (not setting.only or page.name in setting.only):
            yield page


def picture(browser: Browser, filled: Filled, shown: Shown, setting: Setting, into: Path) -> None:
    """One page as one role sees it."""
    width, height = setting.size
    context = browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=setting.scale
    )
    if shown.role:
        cookies = filled.people[shown.role].cookies()
        context.add_cookies(
            [{"name": name, "value": value, "url": filled.center.url} for name, value in cookies.items()]
        )
    context.add_init_script(
        f"localStorage.setItem('liuhe.language', '{setting.language}');"
        f"localStorage.setItem('liuhe.theme', '{setting.theme}');"
    )
    page = context.new_page()
    page.goto(filled.center.url + shown.path)
    taken(page, into / f"{shown.name}-{setting.name}.png", f"{shown.name} {setting.name}")
    context.close()


def walls(browser: Browser, filled: Filled, into: Path) -> None:
    """The wall display as a screen with a kiosk's token sees it."""
    for language, size in (("en", (1920, 1080)), ("zh", (3840, 2160)), ("en", (3840, 1080))):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]})
        context.add_init_script(f"localStorage.setItem('liuhe.language', '{language}');")
        page = context.new_page()
        page.goto(f"{filled.center.url}wall#kiosk={filled.kiosk()}")
        name = f"kiosk-{language}-{size[0]}x{size[1]}"
        taken(page, into / f"{name}.png", name)
        context.close()


def taken(page: Page, path: Path, name: str) -> None:
    """Wait until the page stands still, write its picture, print what does not fit."""
    try:
        page.locator("main, form, .login").first.wait_for(timeout=15_000)
        page.wait_for_function(READY, timeout=8_000)
    except Error as error:
        sys.stdout.write(f"{name}: {io.StringIO(str(error)).readline()}")
    page.wait_for_timeout(STILL_MS)
    page.screenshot(path=path)
    for said in page.evaluate(OVERFLOW):
        sys.stdout.write(f"{name}: {said}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
