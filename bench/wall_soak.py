"""Whether the wall display grows: ``python -m bench.wall_soak --url URL --kiosk TOKEN [--hours 24]``.

A screen on the wall is opened once and looked at for weeks. Debian's Chromium shows the page of a running
center; its clock is wound on by one refresh at a time, so that every refresh asks the center and draws, and
every second of the page's own clock passes, only without the waiting. Ten times on the way the heap is
measured after two forced collections, with the nodes and the listeners of the document. Prints JSON lines;
the last one says by how much the later half lies above the earlier one.
"""

import argparse
import contextlib
import json
import shutil
import statistics
import sys
import time
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import CDPSession, Error, Page, sync_playwright

from bench.console import QUIET

REFRESH_SECONDS = 5  # as the page does it
LOOKS = 10
TRIES_MAX, ANSWER_MS = 20, 3_000
WARM = 40  # refreshes before the first look: charts and lists are made in them
TURNED = "least => Number(document.querySelector('[data-testid=wall]')?.dataset.turns) >= least"
TURNS = "() => Number(document.querySelector('[data-testid=wall]').dataset.turns)"


def main(arguments: list[str] | None = None) -> int:
    """Wind the clock on and look."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--url", required=True, help="address of the console, with the slash at its end")
    asked.add_argument("--kiosk", required=True, help="token of a screen on the wall")
    asked.add_argument("--hours", type=float, default=24.0)
    given = asked.parse_args(arguments)
    refreshes = int(given.hours * 3600 / REFRESH_SECONDS)
    began, looks = time.monotonic(), []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
        page.clock.install(time=datetime.now(UTC))
        page.goto(f"{given.url}wall#kiosk={given.kiosk}")
        page.wait_for_function(TURNED, arg=1, polling=50)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        wind(page, WARM)
        looks.append(look(session, page, began))
        for _ in range(LOOKS - 1):
            wind(page, refreshes // (LOOKS - 1))
            looks.append(look(session, page, began))
        browser.close()
    early, late = looks[: LOOKS // 2], looks[LOOKS // 2 :]
    grown = {
        name: statistics.median(one[name] for one in late) - statistics.median(one[name] for one in early)
        for name in ("heap_bytes", "nodes", "listeners")
    }
    told = {"bench": "wall_soak", "hours": given.hours, "refreshes": looks[-1]["refreshes"], "grown": grown}
    print(json.dumps(told), flush=True)
    return 0


def wind(page: Page, refreshes: int) -> None:
    """As many refreshes, each answered and drawn before the next."""
    turns = int(page.evaluate(TURNS))
    for _ in range(refreshes):
        turns += 1
        for _ in range(TRIES_MAX):  # a refresh that fails is tried again at the next one, as on the wall
            page.clock.run_for(REFRESH_SECONDS * 1000)
            with contextlib.suppress(Error):
                page.wait_for_function(TURNED, arg=turns, polling=5, timeout=ANSWER_MS)
                break
        else:
            raise SystemExit("the center does not answer")


def look(session: CDPSession, page: Page, began: float) -> dict[str, Any]:
    """The heap after collection and what hangs on the document, printed and kept."""
    for _ in range(2):
        session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: int(one["value"]) for one in session.send("Performance.getMetrics")["metrics"]}
    found = {
        "bench": "wall_soak",
        "refreshes": int(page.evaluate(TURNS)),
        "heap_bytes": told["JSHeapUsedSize"],
        "nodes": told["Nodes"],
        "listeners": told["JSEventListeners"],
        "seconds": round(time.monotonic() - began, 1),
    }
    print(json.dumps(found), flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
