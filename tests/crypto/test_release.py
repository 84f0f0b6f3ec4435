"""The release by the installer's folder is the one the standard library names."""

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from crypto.release import release


def test_it_is_the_installed_one() -> None:
    release.cache_clear()
    assert release() == version("liuhe")


def test_without_a_folder_the_library_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release.cache_clear()
    monkeypatch.setattr(sys, "path", [str(tmp_path / "absent")])
    monkeypatch.setattr("importlib.metadata.version", lambda name: f"{name} 9")
    assert release() == "liuhe 9"
    release.cache_clear()


def test_the_folder_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release.cache_clear()
    (tmp_path / "liuhe-1.2.3.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert release() == "1.2.3"
    release.cache_clear()
