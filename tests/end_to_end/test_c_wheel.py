"""The wheel on another machine: all content inside, installed by itself, run from another folder."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from running_center import START_SECONDS_MAX, RunningCenter, free_port, until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = "center,sensor"  # not dissect: scapy must not be needed
UNREACHABLE = ("failed to fetch", "error sending request", "dns error", "connection refused", "timed out")
HELD = (
    r"soc_api/static/index\.html",
    r"soc_api/static/assets/[^/]+\.js",
    r"soc_api/static/assets/[^/]+\.css",
    r"soc_api/migrations/env\.py",
    r"soc_api/migrations/versions/[^/]+\.py",
    r"rules/checklist/[^/]+\.yaml",
    r"rules/sigma/.+\.yml",
    r"rules/anomaly/[^/]+\.toml",
    r"rules/mappings/[^/]+\.toml",
    r"rules/correlation/.+\.yml",
    r"rules/playbooks/drill\.toml",
    r"rules/playbooks/accounts\.toml",
    r"rules/grading/catalogue\.yaml",
    r"compliance/report/(document|chart|charts)\.typ",
    r"rules/inspection/[^/]+\.yaml",
    r"compliance/report/fonts/[^/]+\.otf",
    r"compliance/report/fonts/OFL\.txt",
    r"liuhe-[^/]+\.dist-info/licenses/LICENSE",
    r"liuhe-[^/]+\.dist-info/entry_points\.txt",
)
KEPT_OUT = re.compile(
    r"^(tests|web|bench|docs|var)/|/tests/|node_modules|__pycache__|\.(ts|vue|pyc|map)$|\.(sqlite|pem|key)$"
)


def uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run uv in the checkout; skips where there is none or where it cannot reach the registry."""
    program = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
    if not Path(program).exists():
        pytest.skip("uv is neither on the PATH nor in .tools: run make first")
    done = subprocess.run(
        [program, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False, env=clean()
    )
    if done.returncode and any(word in done.stderr.lower() for word in UNREACHABLE):
        pytest.skip(f"the package registry cannot be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return done


def clean() -> dict[str, str]:
    """The environment of a machine that has never seen this checkout."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    kept = {key: value for key, value in os.environ.items() if key not in dropped}
    return kept | {"LIUHE_LANG": "en", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as ``make wheel`` builds it."""
    if not (ROOT / "soc_api" / "static" / "index.html").exists():
        pytest.skip("the console is not built: make wheel builds it first")
    folder = tmp_path_factory.mktemp("wheel")
    uv("build", "--quiet", "--wheel", "--out-dir", str(folder))
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel and the versions of the lock."""
    folder = tmp_path_factory.mktemp("machine")
    locked = folder / "constraints.txt"
    uv(
        "export",
        "-q",
        "--frozen",
        "--all-extras",
        "--no-dev",
        "--no-emit-project",
        "--no-hashes",
        "-o",
        str(locked),
    )
    uv("venv", "--quiet", "--python", sys.executable, str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    wanted = f"liuhe[{EXTRAS}] @ {wheel.as_uri()}"
    uv("pip", "install", "--quiet", "--python", str(python), "--constraint", str(locked), wanted)
    return folder / "venv"


class Installed(RunningCenter):
    """A running center of the installed wheel."""

    def liuhe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the installed command from a folder that is not the checkout."""
        program = self.arguments[0]
        return subprocess.run(
            [program, *arguments],
            cwd=self.output.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=clean(),
        )


@pytest.fixture(scope="module")
def installed(venv: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The center, started from an empty folder."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    output, program = elsewhere / "output", str(venv / "bin" / "liuhe")
    ports = [free_port(), free_port()]
    command = [program, "center", "run", "--init", "--local-sensors", "--data", "data"]
    command += ["--console-port", str(ports[0]), "--ingest-port", str(ports[1])]
    with output.open("w") as file:
        process = subprocess.Popen(
            command, cwd=elsewhere, stdout=file, stderr=file, text=True, env=clean(), start_new_session=True
        )
    try:
        login = r"user (\S+)\s+password (\S+)"
        found = until(
            lambda: process.poll() is not None or re.search(login, output.read_text()), START_SECONDS_MAX
        )
        assert isinstance(found, re.Match), output.read_text()
        yield Installed(
            data=elsewhere / "data",
            url=f"http://127.0.0.1:{ports[0]}/",
            user=found[1],
            password=found[2],
            process=process,
            output=output,
            arguments=command,
        )
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_the_wheel_holds_all_content_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    absent = [pattern for pattern in HELD if not any(re.fullmatch(pattern, name) for name in names)]
    assert absent == []
    assert [name for name in names if KEPT_OUT.search(name)] == []
    tops = {name.partition("/")[0] for name in names}
    own = {"crypto", "sensors", "detection", "compliance", "soc_api", "rules"}
    assert {top for top in tops if not top.endswith(".dist-info")} == own


def test_every_shipped_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "crypto", "sensors", "detection", "compliance", "soc_api", "rules"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    existing = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    assert [name for name in existing if name not in names] == []


def test_the_code_that_runs_is_the_installed_one(venv: Path, tmp_path: Path) -> None:
    program = (
        "import importlib.util, rules, soc_api;"
        "print(soc_api.__file__, rules.ROOT, importlib.util.find_spec('scapy'))"
    )
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env=clean(),
    )
    code, rules, scapy = done.stdout.split()
    assert Path(code).is_relative_to(venv)
    assert Path(rules).is_relative_to(venv)
    assert scapy == "None"


def test_it_serves_health_and_the_console(installed: Installed) -> None:
    with urllib.request.urlopen(f"{installed.url}api/v1/health", timeout=5) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(installed.url, timeout=5) as answer:
        page = answer.read().decode()
    asset = re.search(r'src="\.?/?(assets/[^"]+\.js)"', page)
    assert asset is not None, page
    with urllib.request.urlopen(installed.url + asset[1], timeout=5) as answer:
        assert answer.status == 200
        assert "javascript" in answer.headers["content-type"]


def test_it_makes_the_monthly_report(installed: Installed) -> None:
    month = datetime.now(UTC).strftime("%Y-%m")
    done = installed.liuhe("report", "monthly", "--month", month, "--output", "made", "--data", "data")
    assert done.returncode == 0, done.stderr
    pdf, docx, xlsx = (installed.output.parent / line for line in done.stdout.splitlines())
    assert pdf.read_bytes().startswith(b"%PDF")
    assert docx.read_bytes().startswith(b"PK")
    assert xlsx.read_bytes().startswith(b"PK")


def test_its_own_rules_are_well_formed(installed: Installed, venv: Path) -> None:
    (rules,) = venv.glob("lib/python3*/site-packages/rules/sigma")
    done = installed.liuhe("rules", "check", str(rules))
    assert done.returncode == 0, done.stdout + done.stderr
    checked = installed.liuhe("center", "check", "--data", "data")
    assert checked.returncode == 0, checked.stdout


def test_its_sensors_say_what_they_lack_and_go_on(installed: Installed) -> None:
    def states(kind: str) -> dict[str, tuple[str, str]]:
        done = installed.liuhe("sensor", "status", "--json", "--data", f"data/sensors/{kind}")
        if done.returncode:
            return {}
        sources = json.loads(done.stdout).get("sources", [])
        return {one["name"]: (one["state"], json.dumps(one["detail"])) for one in sources}

    def settled(kind: str) -> dict[str, tuple[str, str]]:
        found = states(kind)
        return {} if any(state == "starting" for state, _ in found.values()) else found

    until(lambda: states("host").get("processes", ("", ""))[0] == "running", 60, step=1)
    network = until(lambda: settled("network"), 60, step=1)
    assert isinstance(network, dict)
    state, why = network["dissect"]
    assert state == "missing"
    assert "scapy" in why
    assert any(name.startswith("capture:") for name in network)


def test_it_stops_cleanly(installed: Installed) -> None:
    began = time.monotonic()
    done = installed.liuhe("center", "stop", "--data", "data")
    assert done.returncode == 0, done.stderr
    assert installed.process.wait(20) == 0, installed.output.read_text()
    assert time.monotonic() - began < 15
    assert "Traceback" not in installed.output.read_text()
    for log in (installed.data / "logs").iterdir():
        assert "Traceback" not in log.read_text(errors="replace"), log.name
