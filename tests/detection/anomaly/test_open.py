"""Opening: shipped parameters, no PyOD before a model must be fitted."""

import subprocess
import sys
from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.anomaly.open import open_anomaly


def test_opening_does_not_import_pyod(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from detection.anomaly.open import open_anomaly;"
        f"open_anomaly(Path({str(tmp_path)!r})); sys.exit('pyod' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_wrong_parameter_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_text("window_seconds = 60\n")
    with pytest.raises(BadInput, match="parameters-malformed"):
        open_anomaly(tmp_path, path)
