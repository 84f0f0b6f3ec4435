"""``liuhe rules import``: what changed on stdout or in words, an exit code, a center asked for."""

import json
import zipfile
from pathlib import Path

import pytest

from detection.commands import main

RULE = """title: Evil Word
id: 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c11
author: Ada
status: test
logsource: {product: linux, category: process_creation}
detection:
    sel: {CommandLine|contains: evil}
    condition: sel
level: high
"""


def archive(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in files.items():
            made.writestr(f"rules/{name}.yml", text)
    return path


def test_a_release_is_imported_and_what_changed_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "center.toml").write_text("")
    path = archive(tmp_path / "r.zip", a=RULE, bad="title: [")
    assert main(["rules", "import", str(path), "--data", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "Evil Word — Ada" in err
    assert "rules/rules/bad.yml:" in err
    assert "DRL-1.1" in err
    path = archive(tmp_path / "r.zip", a=RULE.replace("evil", "worse"))
    assert main(["rules", "import", str(path), "--data", str(tmp_path), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["change"], row["author"], row["licence"]) == ("changed", "Ada", "DRL-1.1")


def test_without_a_center_or_an_archive_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = archive(tmp_path / "r.zip", a=RULE)
    assert main(["rules", "import", str(path), "--data", str(tmp_path / "none")]) == 3
    (tmp_path / "center.toml").write_text("")
    assert main(["rules", "import", str(tmp_path / "center.toml"), "--data", str(tmp_path)]) == 2
    assert "center.toml" in capsys.readouterr().err
    assert not (tmp_path / "rules").exists()
