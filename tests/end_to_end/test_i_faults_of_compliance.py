"""Six faults, end to end: each turns its check, opens an order, closes its gate, and goes when mended.

A center with two real sensors: the host sensor reads a root folder made here, the network sensor only lives.
The faults overlap in time, since telemetry needs its seconds; what is asked of each is asked apart.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from compliance_world import ComplianceWorld
from faulty_host import SSHD, WEAK_SSHD, made_root, open_port, put_certificate, unsound
from playwright.sync_api import Browser, expect

from running_center import START_SECONDS_MAX, RunningCenter, environment, free_port, start, until
from soc_api.cli import main

pytestmark = pytest.mark.slow

STATEMENT: Final = timedelta(seconds=25)
CERTIFICATE: Final = timedelta(seconds=15)
LONG: Final = timedelta(days=30)
SECONDS_MAX: Final = 110.0  # a sensor counts as silent after 60 seconds; the rest is a busy machine's


class Fault(NamedTuple):
    """What one fault turns: a fact of a check, from satisfied to ``state``, and the gate it closes."""

    check: str
    fact: str
    state: str
    gate: str


SSH: Final = Fault("NET-08", "sshd.config", "unsatisfied", "transfer")
PORT: Final = Fault("PLT-06", "listeners.inventory", "unsatisfied", "go-live")
BACKUP: Final = Fault("DAT-05", "import.backup.jobs", "unsatisfied", "go-live")
STATED: Final = Fault("APP-01", "attestation", "unknown", "go-live")
ENDED: Final = Fault("NET-08", "certificates.installed", "unsatisfied", "transfer")
SILENT: Final = Fault("NET-06", "sensor.network", "unsatisfied", "go-live")
FIRST: Final = (SSH, PORT, BACKUP, STATED)
SECOND: Final = (ENDED, SILENT)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComplianceWorld]:
    """A center that looks at its checks every ten seconds, with people and sensors."""
    base = tmp_path_factory.mktemp("faults")
    root = made_root(base / "root")
    if why := unsound(root):
        pytest.skip(why)
    data, output = base / "center", base / "output"
    made = subprocess.run(
        [sys.executable, "-m", "soc_api.cli", "center", "init", "--data", str(data)],
        capture_output=True, text=True, check=True, env=environment(),
    )  # fmt: skip
    settings, ports = data / "center.toml", [free_port(), free_port()]
    text = settings.read_text("utf-8").replace("interval_seconds = 60", "interval_seconds = 10")
    for shipped, free in zip((8600, 8610), ports, strict=True):
        text = text.replace(f"port = {shipped}", f"port = {free}")
    settings.write_text(text, "utf-8")
    process = start(data, output, [])
    try:
        until(lambda: process.poll() is not None or "console   http" in output.read_text(), START_SECONDS_MAX)
        assert process.poll() is None, output.read_text()
        user, password = made.stdout.split()
        url = f"http://127.0.0.1:{ports[0]}/"
        center = RunningCenter(data, url, user, password, process, output, [])
        built = ComplianceWorld(center, base, root, f"127.0.0.1:{ports[1]}")
        try:
            yield built
        finally:
            built.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, output.read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def holds(world: ComplianceWorld, fault: Fault) -> bool:
    """The fault has turned its check: whatever else the check asks."""
    return world.facts(fault.check).get(fault.fact) == fault.state


def stands(world: ComplianceWorld, fault: Fault) -> bool:
    """The fact is as it should be."""
    return world.facts(fault.check).get(fault.fact) == "satisfied"


def is_well(world: ComplianceWorld, fault: Fault) -> bool:
    """Its check is 符合 in every respect."""
    return world.verdict(fault.check) == "符合"


def ordered(world: ComplianceWorld, fault: Fault, state: str) -> bool:
    """Its newest order is in this state, and no other is open."""
    states = world.orders(fault.check)
    return states[:1] == [state] and set(states[1:]) <= {"closed"}


def test_all_is_well_at_first(world: ComplianceWorld) -> None:
    world.network.start()
    world.host.start()
    world.restored()
    world.backup("成功")
    for fault in (SSH, PORT, BACKUP, *SECOND):
        until(partial(stands, world, fault), SECONDS_MAX, step=1)
        until(partial(is_well, world, fault), SECONDS_MAX, step=1)
        assert world.orders(fault.check) == []
    world.network.stop()  # the sixth fault: it shows a minute later
    world.state(STATEMENT)
    until(partial(is_well, world, STATED), 30)
    assert world.against("transfer") == []
    assert not {one.check for one in (*FIRST, *SECOND)} & set(world.against("go-live"))


def test_four_faults_turn_their_checks(world: ComplianceWorld) -> None:
    (world.root / "etc/ssh/sshd_config").write_text(WEAK_SSHD)
    world.listener = open_port()
    world.backup("失败")
    for fault in FIRST:  # the statement ends by itself
        until(partial(holds, world, fault), SECONDS_MAX, step=1)
        until(partial(ordered, world, fault, "issued"), 30)
        assert fault.check in world.against(fault.gate)
    assert world.against("transfer") == ["NET-08"]


def test_each_is_shown(world: ComplianceWorld, browser: Browser) -> None:
    show(world, browser, FIRST)


def test_they_go_when_mended(world: ComplianceWorld) -> None:
    (world.root / "etc/ssh/sshd_config").write_text(SSHD)
    assert world.listener is not None
    world.listener.close()
    world.backup("成功")
    world.state(LONG)
    mended(world, FIRST)
    assert world.against("transfer") == []


def test_a_certificate_ends_and_a_sensor_is_silent(world: ComplianceWorld) -> None:
    put_certificate(world.root, CERTIFICATE)
    for fault in SECOND:
        until(partial(holds, world, fault), SECONDS_MAX, step=1)
        until(partial(ordered, world, fault, "issued"), 30)
        assert fault.check in world.against(fault.gate)


def test_both_are_shown(world: ComplianceWorld, browser: Browser) -> None:
    show(world, browser, SECOND)


def test_both_go_when_mended(world: ComplianceWorld) -> None:
    put_certificate(world.root, timedelta(days=90))
    world.network.start()
    mended(world, SECOND)
    assert world.against("transfer") == []


def test_every_decision_is_in_the_ledger(world: ComplianceWorld) -> None:
    rows = world.officer.get("/gates/decisions", limit=500)["rows"]
    assert {row["allowed"] for row in rows if row["gate"] == "transfer"} == {True, False}

    def placed() -> bool:
        return all(row["leaf"] is not None for row in world.officer.get("/gates/decisions")["rows"])

    until(placed, 30)
    done = world.center.cli("evidence", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_byte_anywhere_in_stored_evidence_is_found_and_located(
    world: ComplianceWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    world.center.process.send_signal(signal.SIGTERM)
    assert world.center.process.wait(60) == 0
    data = world.center.data

    def verified() -> tuple[int, str]:
        code = main(["evidence", "verify", "--json", "--data", str(data)])
        return code, capsys.readouterr().out

    assert verified()[0] == 0
    files = [
        path for path in sorted((data / "evidence").rglob("*")) if path.is_file() and path.stat().st_size
    ]
    assert {"leaves.log", "payloads.log", "checkpoint", "hashes"} <= {path.name for path in files}
    for path in files:
        whole = path.read_bytes()
        changed = bytearray(whole)
        changed[len(whole) // 2] ^= 1
        path.write_bytes(changed)
        code, told = verified()
        path.write_bytes(whole)
        # The settings say whose checkpoint it should be: which of the two was changed nobody can know.
        named = "checkpoint" if path.name == "ledger.json" else path.name
        assert (code, named in told) == (1, True), told
    assert verified()[0] == 0


def mended(world: ComplianceWorld, faults: tuple[Fault, ...]) -> None:
    """Each fact stands again, its orders are closed, its check is no longer against the gate."""
    for fault in faults:
        until(partial(stands, world, fault), SECONDS_MAX, step=1)
    for fault in faults:
        until(partial(ordered, world, fault, "closed"), 30)
        until(partial(is_well, world, fault), 30)
        assert fault.check not in world.against(fault.gate)


def show(world: ComplianceWorld, browser: Browser, faults: tuple[Fault, ...]) -> None:
    """A person sees each of them in the console; screens are kept where SCREENS names a folder."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.add_cookies(
        [
            {"name": name, "value": value, "url": world.center.url}
            for name, value in world.officer.cookies().items()
        ]
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{world.center.url}checks")
    for fault in faults:
        row = page.locator(f"[data-testid=check-row][data-check={fault.check}]")
        expect(row).to_have_attribute("data-verdict", re.compile("不符合|部分符合|未知"))
        row.click()
        expect(page.get_by_test_id("check-reason").first).not_to_be_empty()
        if folder := os.environ.get("SCREENS"):
            page.wait_for_timeout(500)
            page.screenshot(path=Path(folder) / f"{fault.check}-{fault.fact}.png")
    context.close()
