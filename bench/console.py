"""How fast the console answers a person: ``python -m bench.console [--data DIR]``.

DIR is the data folder of a center with many alerts and events (``liuhe center init``, ``bench.console_data``,
``bench.hunt --folder``); the center is started on it, and Debian's Chromium does what an analyst does. Prints
JSON lines. Times are the browser's own clock, from the key or the click to the second frame that shows the
answer; "key to pixel" is the browser's Event Timing. The limits beside them are the budget of the console.
"""

import argparse
import contextlib
import gzip
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request, sync_playwright

from crypto.otp import code_at, secret_of
from crypto.words import LiuheError
from soc_api.settings import load_settings

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PASSWORD = "Watch-over-all-2026"  # of an account that lives as long as the measurement
BULK_GROUPS, BULK_SAMPLES = 10_000, 5
QUERIES = (
    "host:web-0001",
    "severity:critical",
    "severity:high and state:new",
    "entity:10.7.0.9",
    "user:op17",
    "curl",
    "rule:liuhe-scan",
    "not severity:low",
)
PROBE = """
window.bench = {
  keys: [],
  frames: () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
  async until(test) {
    while (!test()) await new Promise((go) => setTimeout(go, 2));
    await this.frames();
    return performance.now();
  },
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (entry.name === 'keydown') window.bench.keys.push(entry.duration);
}).observe({ type: 'event', durationThreshold: 16, buffered: true });
"""
ROW = '[data-testid="alert-row"]'


def p95(values: list[float]) -> float:
    """The value that one in twenty exceeds."""
    return sorted(values)[max(0, round(len(values) * 0.95) - 1)]


def told(name: str, values: list[float], limit: float, unit: str = "ms", **more: object) -> None:
    """One line: the 95th percentile beside its limit."""
    value = p95(values)
    line = {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "median": round(statistics.median(values), 1),
        "samples": len(values),
        "versus": "budget",
        "versus_value": limit,
        "ratio": round(value / limit, 2),
    }
    print(json.dumps(line | more), flush=True)


@contextlib.contextmanager
def running(data: Path, *options: str) -> Iterator[str]:
    """The center on its folder, until the block ends; gives its address."""
    command = [sys.executable, "-m", "soc_api.cli", "center", "run", "--data", str(data), *options]
    with tempfile.NamedTemporaryFile("w", delete=False, prefix="liuhe-bench-", suffix=".log") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 180
        while not (url := _answering(data)):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(Path(log.name).read_text()[-2_000:])
            time.sleep(0.5)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)
        Path(log.name).unlink()


def _answering(data: Path) -> str:
    """The console's address once it answers."""
    import httpx

    with contextlib.suppress(httpx.HTTPError, OSError, LiuheError):
        url = f"http://127.0.0.1:{load_settings(data).console.port}/"
        if httpx.get(f"{url}api/v1/health").status_code == 200:
            return url
    return ""


def filled(data: Path) -> Path:
    """A new center with as many groups as acts on 10,000 at once use up."""
    for command in (
        ["soc_api.cli", "center", "init", "--data", str(data)],
        ["bench.console_data", str(data), "--alerts", "100000", "--groups", "100000"],
    ):
        subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    return data


def logged_in(page: Page, url: str, data: Path) -> None:
    """A new shift lead with both factors."""
    name = f"bench{int(time.time())}"
    command = [sys.executable, "-m", "soc_api.cli", "center", "account", name, "--role", "shift_lead"]
    words = subprocess.run(
        [*command, "--data", str(data)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"LIUHE_LANG": "en"},
    ).stdout.split()
    page.goto(url)
    page.get_by_test_id("login-username").fill(name)
    page.get_by_test_id("login-password").fill(words[1])
    page.get_by_test_id("login-submit").click()
    secret = secret_of(str(page.get_by_test_id("factor-secret").text_content()))
    page.get_by_test_id("factor-code").fill(code_at(secret, datetime.now(UTC)))
    page.get_by_test_id("factor-submit").click()
    for field, word in (("old", words[1]), ("new", PASSWORD), ("confirm", PASSWORD)):
        page.get_by_test_id(f"password-{field}").fill(word)
    page.get_by_test_id("password-submit").click()
    page.locator("nav a").first.wait_for()


def first_paint(page: Page, url: str) -> None:
    """The queue by its address, nothing cached: until the first row is drawn, and the script it took."""
    taken, sizes = [], []
    for _ in range(5):
        loaded: dict[str, int] = {}

        def weigh(request: Request, loaded: dict[str, int] = loaded) -> None:
            answer = request.response() if request.url.endswith(".js") else None
            if answer is not None:
                loaded[request.url] = len(gzip.compress(answer.body(), 6))

        client = page.context.new_cdp_session(page)
        client.send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.on("requestfinished", weigh)
        page.goto(f"{url}alerts")
        taken.append(page.evaluate(f"bench.until(() => document.querySelector('{ROW}'))"))
        page.wait_for_load_state("networkidle")
        sizes.append(sum(loaded.values()) / 1_024)
        page.remove_listener("requestfinished", weigh)
        client.detach()
    told("console_first_rows", taken, 1_000)
    told("console_first_route_script", sizes, 250, "KiB gzip")


def asked(page: Page, address: str) -> float:
    """Narrow, sort or group the queue as a click does, until the center's answer is drawn."""
    return float(
        page.evaluate(
            """async (address) => {
              const seen = performance.getEntriesByType('resource').length;
              performance.setResourceTimingBufferSize(100000);
              const begun = performance.now();
              history.pushState(history.state, '', address);
              window.dispatchEvent(new PopStateEvent('popstate', { state: history.state }));
              const answered = () => performance.getEntriesByType('resource').slice(seen)
                .some((one) => one.name.includes('/api/v1/alerts') && one.responseEnd > begun);
              return (await bench.until(answered)) - begun;
            }""",
            address,
        )
    )


def narrowed(page: Page) -> None:
    """Filters, sorts, groups."""
    rests = ("", "&sort=risk", "&state=all&sort=count", "&by=rule")
    addresses = [f"?q={query.replace(' ', '%20')}{rest}" for query in QUERIES for rest in rests]
    addresses += [
        "",
        "?sort=risk",
        "?sort=severity",
        "?state=all",
        "?by=entity",
        "?hours=24",
        "?state=closed",
    ]
    times = [(asked(page, f"/alerts{address}"), address) for address in addresses]
    slow = [f"{name}: {round(taken)}" for taken, name in sorted(times, reverse=True)[:3]]
    told("console_filter_sort_group", [taken for taken, _ in times], 300, slowest=slow)


def opened(page: Page, url: str) -> None:
    """Details by the Enter key, row after row; then how long each key took to show."""
    page.goto(f"{url}alerts")
    page.wait_for_selector(ROW)
    page.wait_for_load_state("networkidle")
    times = []
    for _ in range(20):
        page.keyboard.press("j")
        page.wait_for_timeout(150)
        begun = page.evaluate("performance.now()")
        page.keyboard.press("Enter")
        shown = page.evaluate(
            "bench.until(() => document.querySelector('[data-testid=\"alert-detail\"] h2')?.textContent)"
        )
        times.append(shown - begun)
        page.keyboard.press("Escape")
        page.wait_for_timeout(100)
    told("console_open_detail", times, 150)
    page.evaluate("bench.keys.length = 0")
    for _ in range(60):
        page.keyboard.press("j")
        page.wait_for_timeout(30)
    page.wait_for_timeout(500)
    # Event Timing tells of events of 16 ms and more, rounded to 8: the others count as 16.
    keys = page.evaluate("bench.keys") or []
    told("console_key_to_pixel", [*keys, *[16.0] * max(0, 60 - len(keys))], 50, unit="ms (rounded to 8)")


def scrolled(page: Page, url: str) -> None:
    """Frames while all rows are scrolled through, in small steps and in jumps."""
    page.goto(f"{url}alerts?state=all")
    page.wait_for_selector(ROW)
    page.wait_for_load_state("networkidle")
    frames = page.evaluate(
        """async () => {
          const box = document.querySelector('[role="grid"]');
          const taken = [];
          let before = await new Promise(requestAnimationFrame);
          for (let step = 0; step < 240; step++) {
            box.scrollTop += step < 120 ? 90 : box.scrollHeight / 120;
            const now = await new Promise(requestAnimationFrame);
            taken.push(now - before);
            before = now;
          }
          return { taken, rows: Number(box.getAttribute('aria-rowcount')) - 1 };
        }"""
    )
    told("console_scroll_frame", frames["taken"], 33, rows=frames["rows"])


def acted(page: Page, url: str) -> None:
    """Taking groups over by key, until the row says so; then ten thousand by one act."""
    page.goto(f"{url}alerts?state=new")
    page.wait_for_selector(ROW)
    page.wait_for_load_state("networkidle")
    times = []
    for _ in range(20):
        page.keyboard.press("j")
        page.wait_for_timeout(100)
        row = page.evaluate("document.querySelector('[role=\"grid\"]').getAttribute('aria-activedescendant')")
        begun = page.evaluate("performance.now()")
        page.keyboard.press("a")
        there = f"document.getElementById('{row}')"
        test = f"!{there} || /处理中|Acknowledged|In progress/i.test({there}.textContent)"
        times.append(page.evaluate(f"bench.until(() => {test})") - begun)
    told("console_acknowledge", times, 100)
    page.wait_for_timeout(5_000)  # what the keys did is over
    taken = [one for one in (bulk(page) for _ in range(BULK_SAMPLES)) if one is not None]
    if taken:
        told("console_bulk_acknowledge", taken, 2_000, groups=BULK_GROUPS, most=round(max(taken)))
    else:
        print(json.dumps({"name": "console_bulk_acknowledge", "not_measured": "too few untouched groups"}))


def bulk(page: Page) -> float | None:
    """Milliseconds until the last of 10,000 groups is done, by the center's account of the act.

    All of them are new when the act begins and done by it; None where so many are not left.
    """
    taken = page.evaluate(
        """async (wanted) => {
              const session = await (await fetch('/api/v1/session')).json();
              const headers = { 'X-CSRF-Token': session.csrf, 'Content-Type': 'application/json' };
              const found = new Set();
              for (let cursor = ''; found.size < wanted;) {
                const from = '/api/v1/alerts?state=new&limit=500&cursor=' + encodeURIComponent(cursor);
                const page = await (await fetch(from)).json();
                for (const row of page.rows) if (row.state === 'new') found.add(row.id);
                cursor = page.next;
                if (!cursor) break;
              }
              if (found.size < wanted) return null;
              const groups = [...found].slice(0, wanted);
              const body = JSON.stringify({ action: 'acknowledge', groups });
              const begun = performance.now();
              const answer = await fetch('/api/v1/alerts/acts', { method: 'POST', headers, body });
              let act = await answer.json();
              if (!answer.ok) throw new Error(JSON.stringify(act));
              while (act.state === 'running') {
                await new Promise((go) => setTimeout(go, 50));
                const told = await fetch('/api/v1/alerts/acts/' + act.id);
                if (told.ok) act = (await told.json()).act; // else asked too often, or the center is busy
              }
              const took = performance.now() - begun;
              return act.done === wanted ? took : null; // somebody took one of them meanwhile
            }""",
        BULK_GROUPS,
    )
    return None if taken is None else float(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="default: a new center with 100,000 alerts")
    arguments = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("chromium is not installed")
    with (
        tempfile.TemporaryDirectory() as made,
        running(arguments.data or filled(Path(made))) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        page.add_init_script(PROBE)
        logged_in(page, url, arguments.data or Path(made))
        size: dict[str, Any] = page.evaluate(
            "fetch('/api/v1/alerts?state=all&limit=1').then((one) => one.json())"
        )
        print(
            json.dumps({"groups": size["total"], "chromium": re.sub(r"\.\d+\.\d+\.\d+", "", browser.version)})
        )
        first_paint(page, url)
        narrowed(page)
        opened(page, url)
        scrolled(page, url)
        acted(page, url)
        browser.close()


if __name__ == "__main__":
    main()
