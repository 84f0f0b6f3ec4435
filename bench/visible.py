"""How long from a deed to the alert on the screen: ``python -m bench.visible [--samples N] [--data DIR]``.

A center with its local sensors is made and started (below DIR, else in a temporary folder), Debian's Chromium
has the queue open as a shift lead. Then deeds of the drill are done, each a real one: a burst of refused
connections from a loopback address never used before (network sensor, capture of lo), and a command line that
reads like a reverse shell (host sensor; its group is closed after each, so that the next opens a new one).
Timed is from the beginning of the deed to the second frame that shows the new row; both clocks are this
machine's. Needs the right to capture. Prints JSON lines; ``--load MAX`` refuses to run on a busy machine.
"""

import argparse
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

from bench.console import PROBE, QUIET, ROW, logged_in, running, told
from soc_api.drill_actions import connection_burst, suspicious_command
from soc_api.drill_frames import here

LIMIT: Final = 3_000.0
MISSED: Final = 60_000.0  # what did not come by then counts as this
SCAN, SHELL = "special.port-scan", "84c4933b-67cc-4801-b4b2-af9a4dde0a16"
PORTS: Final = ("18834", "18835")
WAIT = """
([rule, entity, most]) => {
  const end = performance.now() + most;
  const known = window.seenGroups ??= new Set();
  const fresh = () => [...document.querySelectorAll('ROW')].find((row) => row.dataset.rule === rule
    && row.dataset.entity.startsWith(entity) && row.dataset.state === 'new' && !known.has(row.dataset.group));
  window.seen = (async () => {
    while (!fresh() && performance.now() < end) await new Promise((go) => setTimeout(go, 4));
    const row = fresh();
    if (!row) return null;
    await bench.frames();
    known.add(row.dataset.group);
    return { at: performance.timeOrigin + performance.now(), group: row.dataset.group };
  })();
}
""".replace("ROW", ROW)
CLOSE = """
async (group) => {
  const session = await (await fetch('/api/v1/session')).json();
  const headers = { 'X-CSRF-Token': session.csrf, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ classification: 'test', reason: 'bench.visible' });
  const answer = await fetch(`/api/v1/alerts/${group}/close`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(await answer.text());
  while (document.querySelector(`[data-group="${group}"]`)) await new Promise((go) => setTimeout(go, 20));
}
"""


def timed(page: Page, rule: str, entity: str, deed: Callable[[], None]) -> tuple[float, str]:
    """Milliseconds from the deed's begin until its new group is on the screen, and that group."""
    page.evaluate(WAIT, [rule, entity, MISSED])
    begun = time.time()
    worker = threading.Thread(target=deed, daemon=True)
    worker.start()
    found = page.evaluate("seen")
    worker.join(timeout=30)
    return ((found["at"] - begun * 1_000), found["group"]) if found else (MISSED, "")


def scanned(page: Page, mark: str) -> tuple[float, str]:
    """A burst of connections from an address of its own."""
    address = here(mark)
    return timed(page, SCAN, f"source:{address}", lambda: connection_burst(address))


def commanded(page: Page, mark: str) -> tuple[float, str]:
    """A suspicious command line; afterwards its group is closed, as the drill would be."""
    taken, group = timed(page, SHELL, "host:", lambda: suspicious_command(mark))
    if group:
        page.evaluate(CLOSE, group)
    return taken, group


def measured(page: Page, samples: int) -> None:
    """Either deed in turn, at moments that keep step with no timer of the center."""
    nonce = secrets.token_hex(4)
    deeds = {"network": scanned, "host": commanded}
    for name, deed in deeds.items():  # the sensors have started when each has answered once
        begun = time.monotonic()
        while not deed(page, f"{nonce}{name}")[1]:
            if time.monotonic() - begun > 180:
                raise SystemExit(f"no alert of the {name} sensor: may it capture, and read processes?")
    times: dict[str, list[float]] = {name: [] for name in deeds}
    for number in range(samples):
        for name, deed in deeds.items():
            time.sleep(1.0 + (number * 7 % 10) / 10)
            times[name].append(deed(page, f"{nonce}{name}{number}")[0])
    load = [round(one, 1) for one in os.getloadavg()]
    for name, taken in times.items():
        told(f"visible_alert_{name}", taken, LIMIT, most=round(max(taken)), load=load)
    told("visible_alert", [one for taken in times.values() for one in taken], LIMIT, load=load)


@contextmanager
def folder(given: Path | None) -> Iterator[Path]:
    """Where the center is made."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
    else:
        with tempfile.TemporaryDirectory() as made:
            yield Path(made)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=30, help="of either deed")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--load", type=float, default=0.0, help="refuse to begin above this load")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed")
    if arguments.load and os.getloadavg()[0] > arguments.load:
        raise SystemExit(f"load is {os.getloadavg()[0]:.1f}")
    options = ("--init", "--local-sensors", "--console-port", PORTS[0], "--ingest-port", PORTS[1])
    with (
        folder(arguments.data) as data,
        running(data, *options) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(PROBE)
        logged_in(page, url, data)
        page.goto(f"{url}alerts")
        page.get_by_test_id("alerts-total").wait_for()
        measured(page, arguments.samples)
        browser.close()


if __name__ == "__main__":
    main()
