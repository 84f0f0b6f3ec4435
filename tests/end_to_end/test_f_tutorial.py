"""The tutorial's transfer between two centers does what the page says, line for line in a shell."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from running_center import environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 300.0


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl command here")
def test_the_transfer_of_the_tutorial(tmp_path: Path) -> None:
    page = (ROOT / "docs/tutorial.md").read_text("utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    first, *rest = blocks[0].splitlines()
    assert first.startswith("export PATH=")  # the checkout's commands, an empty folder
    script = "\n".join(["set -euo pipefail", *rest, *blocks[1:]])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment() | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert "六合" in said
    assert [line.split("\t")[1] for line in said if line.endswith(("approved", "sealed", "exported"))] == [
        "approved",
        "sealed",
        "exported",
    ]
    assert any(line.endswith("confirmed") for line in said)
    assert "certificates crl" in done.stdout
