"""Raw packets in a real browser: the ring is switched on from the center, packets are fetched and read."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Page, expect

from running_center import RunningCenter, until
from sensors.network.capture_file import read_packets
from soc_api.drill_actions import tunnel_names

NEVER: Final = datetime.min.replace(tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def keeping(center: RunningCenter, tmp_path_factory: pytest.TempPathFactory) -> RunningCenter:
    """The center whose network sensor keeps packets, by a signed configuration."""
    table = tmp_path_factory.mktemp("keep") / "keep.toml"
    table.write_text("[network]\npacket_ring_bytes = 67108864\n", encoding="utf-8")
    done = center.cli("center", "configure", str(table), "--kind", "network", "--reason", "packets")
    assert done.returncode == 0, done.stderr
    ring = center.data / "sensors" / "network" / "packets"
    until(lambda: list(ring.glob("*/*.ring")), 60)
    return center


@pytest.fixture(scope="module")
def page(browser: Browser, keeping: RunningCenter) -> Iterator[Page]:
    page = signed_in(browser, keeping, "qubao", "analyst", "alerts")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


def newest_tunnel(page: Page, center: RunningCenter) -> datetime:
    """When an alert about queried names was last seen."""
    answer = page.request.get(f"{center.url}api/v1/alerts?q=DNS&limit=500").json()
    rows = answer.get("rows", [])  # nothing while the login is still under way
    return max((datetime.fromisoformat(row["last_seen"]) for row in rows), default=NEVER)


def test_the_packets_of_an_alert_are_fetched_shown_and_downloaded(
    page: Page, keeping: RunningCenter, tmp_path: Path
) -> None:
    begun = datetime.now(UTC)
    tunnel_names(uuid4().hex)
    # Older alerts of this group may be there already: their packets are from before the ring was switched on.
    until(lambda: newest_tunnel(page, keeping) >= begun)
    page.get_by_test_id("filter-text").fill("DNS")
    page.get_by_test_id("filter-text").press("Enter")
    row = page.get_by_test_id("alert-row").filter(has_text=re.compile("DNS|域名")).first
    expect(row).to_be_visible(timeout=60_000)
    row.click()
    page.get_by_test_id("packets-ask").click()
    arrived = page.locator('[data-testid="packets-row"][data-state="arrived"]').first
    expect(arrived).to_be_visible(timeout=60_000)
    arrived.get_by_test_id("packets-download").click()
    expect(page.get_by_test_id("names-needed")).to_be_visible()  # what people sent may name them
    page.get_by_test_id("names-reveal").first.click()
    page.get_by_test_id("names-reason").fill("核实报文内容")
    page.get_by_test_id("names-submit").click()
    expect(page.get_by_test_id("names-hide").first).to_be_visible()
    arrived.get_by_test_id("packets-open").click()
    packet = page.get_by_test_id("packet-row").first
    packet.get_by_role("button").click()
    expect(page.get_by_test_id("packet-layers")).to_contain_text(re.compile("IP|UDP"))
    with page.expect_download() as taken:
        arrived.get_by_test_id("packets-download").click()
    path = tmp_path / "taken.pcap"
    taken.value.save_as(path)
    with path.open("rb") as file:
        assert any(b"drill" in one.data for one in read_packets(file, path))


def test_the_page_with_packets_is_accessible(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    serious = [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
