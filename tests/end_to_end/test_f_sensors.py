"""A sensor in a real browser: enrolled by the copied command, moved, drained, taken up again, revoked."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import signed_in
from playwright.sync_api import Browser, Locator, Page, expect

from running_center import RunningCenter, environment, until

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SENSOR = "copied-host"
SLOW_MS = 90_000  # what needs heartbeats, detection and the live line on a busy machine


@pytest.fixture(scope="module")
def page(browser: Browser, center: RunningCenter) -> Iterator[Page]:
    """The system administrator's."""
    page = signed_in(browser, center, "xitong", "system_admin", "sensors")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.context.close()
    assert not errors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the sensor that is enrolled here."""
    return tmp_path_factory.mktemp("copied") / "sensor"


@pytest.fixture(scope="module")
def sensor(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The enrolled sensor, running until the module ends."""
    output = (folder.parent / "output").open("wb")
    command = [sys.executable, "-m", "soc_api.cli", "sensor", "run", "--data", str(folder)]
    process = subprocess.Popen(command, stdout=output, stderr=output, env=environment())
    yield process
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    output.close()


def row(page: Page) -> Locator:
    return page.locator(f"[data-testid=sensor-row][data-sensor={SENSOR}]")


def act(page: Page, name: str) -> None:
    """Ask for an act in the open flyout and confirm it."""
    page.get_by_test_id(f"sensor-{name}").click()
    page.get_by_test_id("sensor-confirm").click()
    expect(page.get_by_test_id("sensor-confirm")).to_be_hidden()


def test_a_copied_command_enrols_a_sensor(page: Page, center: RunningCenter, folder: Path) -> None:
    online = page.locator("[data-testid=sensor-row][data-state=online]")
    expect(online.first).to_be_visible(timeout=SLOW_MS)
    page.get_by_test_id("sensor-enrol").click()
    page.get_by_test_id("enrol-unit").fill("江苏省/南京市")
    page.get_by_test_id("enrol-group").fill("网站群")
    page.get_by_test_id("enrol-submit").click()
    command = page.get_by_test_id("token-command").inner_text()
    expect(page.get_by_test_id("token-state")).to_have_attribute("data-state", "waiting")
    # As a shell runs it, but with this checkout's program, another folder and a name of its own.
    program = f"{sys.executable} -m soc_api.cli"
    typed = command.replace("| liuhe ", f"| {program} ").replace(
        "/var/lib/liuhe/sensor-host", f"{folder} --id {SENSOR}"
    )
    assert typed.count(program) == typed.count(str(folder)) == 1
    done = subprocess.run(
        ["/bin/sh", "-c", typed], capture_output=True, text=True, timeout=60, check=False, env=environment()
    )
    assert done.returncode == 0, done.stderr
    expect(page.get_by_test_id("token-state")).to_have_attribute("data-state", "used", timeout=SLOW_MS)
    page.get_by_test_id("token-done").click()
    expect(row(page)).to_have_attribute("data-state", "never")
    again = subprocess.run(
        ["/bin/sh", "-c", typed.replace(SENSOR, "another").replace(str(folder), f"{folder}-2")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(),
    )
    assert again.returncode == 1
    assert "token-used" in again.stderr


def test_a_withdrawn_token_is_gone(page: Page) -> None:
    page.get_by_test_id("sensor-enrol").click()
    page.get_by_test_id("enrol-submit").click()
    page.get_by_test_id("token-done").click()
    expect(page.get_by_test_id("open-token")).to_have_count(1)
    page.get_by_test_id("token-withdraw").click()
    expect(page.get_by_test_id("open-token")).to_have_count(0)


def test_the_sensor_comes_online_without_a_reload(page: Page, sensor: subprocess.Popen[bytes]) -> None:
    expect(row(page)).to_have_attribute("data-state", "online", timeout=SLOW_MS)
    row(page).click()
    detail = page.get_by_test_id("sensor-detail")
    expect(detail.get_by_test_id("sensor-source").first).to_be_visible()
    expect(detail).to_have_attribute("data-standing", "active")


def test_a_moved_sensor_stands_in_its_new_unit_and_stays_online(page: Page) -> None:
    page.get_by_test_id("sensor-move").click()
    page.get_by_test_id("move-unit").fill("江苏省/苏州市")
    page.get_by_test_id("move-group").fill("")
    page.get_by_test_id("sensor-confirm").click()
    expect(page.get_by_test_id("sensor-confirm")).to_be_hidden()
    page.locator("[data-testid=sensor-unit][data-unit='江苏省/苏州市']").click()
    expect(page.get_by_test_id("sensor-row")).to_have_count(1)
    expect(row(page)).to_have_attribute("data-state", "online")
    page.locator("[data-testid=sensor-unit][data-unit='']").click()


def test_a_drained_sensor_is_shown_empty_refused_and_taken_up_again(
    page: Page, center: RunningCenter, folder: Path, sensor: subprocess.Popen[bytes]
) -> None:
    act(page, "drain")
    detail = page.get_by_test_id("sensor-detail")
    expect(detail).to_have_attribute("data-standing", "drained", timeout=SLOW_MS)
    until(lambda: not connected(folder), 120)
    act(page, "resume")
    expect(detail).to_have_attribute("data-standing", "active")
    until(lambda: connected(folder), 120)


def test_another_role_sees_the_page_without_its_acts(browser: Browser, center: RunningCenter) -> None:
    page = signed_in(browser, center, "kanshou", "analyst", "sensors")
    row(page).click()
    expect(page.get_by_test_id("sensor-detail")).to_have_attribute("data-standing", "active")
    for name in ("enrol", "move", "drain", "revoke"):
        expect(page.get_by_test_id(f"sensor-{name}")).to_have_count(0)
    page.context.close()


def test_the_page_is_accessible_in_both_themes(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    for _ in range(2):
        page.get_by_test_id("theme-switch").click()
        expect(page.locator(".el-message")).to_have_count(0)
        page.wait_for_timeout(500)
        found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not serious, [(one["id"], one["nodes"][0]["html"][:200]) for one in serious]


def test_a_revoked_sensor_is_cut_off(
    page: Page, center: RunningCenter, folder: Path, sensor: subprocess.Popen[bytes]
) -> None:
    page.get_by_test_id("sensor-revoke").click()
    page.get_by_test_id("sensor-confirm").click()
    expect(page.get_by_test_id("revoke-reason")).to_be_focused()
    page.get_by_test_id("revoke-reason").fill("主机报废")
    page.get_by_test_id("sensor-confirm").click()
    detail = page.get_by_test_id("sensor-detail")
    expect(detail).to_have_attribute("data-standing", "revoked")
    expect(detail.get_by_test_id("sensor-said")).to_contain_text("主机报废")
    expect(row(page)).to_have_count(0)
    page.get_by_test_id("sensor-show").select_option("revoked")
    expect(row(page)).to_have_attribute("data-standing", "revoked")
    until(lambda: not connected(folder), 120)


def connected(folder: Path) -> bool:
    """What the sensor itself says of its connection."""
    try:
        return bool(json.loads((folder / "run" / "status.json").read_bytes())["connected"])
    except (OSError, ValueError):
        return False
