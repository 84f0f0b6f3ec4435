"""Kept rules: the same rules as without, never stale, and a damaged file is only slow."""

import os
from pathlib import Path

import msgspec
import pytest

from detection.sigma import load
from detection.sigma.load import load_all
from rules import ROOT

RULES = [ROOT / "sigma"]


def test_kept_rules_are_the_same_and_are_not_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "state" / "rules.bin"
    first = load_all(RULES, cache=cache)
    assert first == load_all(RULES)
    assert cache.stat().st_mode & 0o777 == 0o600
    written = cache.stat().st_mtime_ns
    monkeypatch.setattr(load, "parse_documents", None)
    assert load_all(RULES, cache=cache) == first
    assert cache.stat().st_mtime_ns == written


def copied(folder: Path) -> Path:
    source = next((ROOT / "sigma").rglob("*.yml"))
    path = folder / "rule.yml"
    path.write_bytes(source.read_bytes())
    return path


def test_a_changed_file_other_lists_and_a_vanished_file_count(tmp_path: Path) -> None:
    path, cache = copied(tmp_path), tmp_path / "rules.bin"
    before = load_all([path], {}, cache=cache)
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    after = load_all([path], {}, cache=cache)
    assert after.rules[0].digest != before.rules[0].digest
    assert load_all([path], {"x": ("y",)}, cache=cache) == after
    path.write_text("broken: [", encoding="utf-8")
    assert load_all([path], {}, cache=cache).errors
    assert load_all([path], {}, cache=cache).errors
    path.unlink()
    assert load_all([path], {}, cache=cache).rules == ()


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x93" * 2_000, msgspec.msgpack.encode({"maker": "x", "files": {}})]
)
def test_a_damaged_file_is_left_aside(tmp_path: Path, data: bytes) -> None:
    path, cache = copied(tmp_path), tmp_path / "rules.bin"
    cache.write_bytes(data)
    wanted = load_all([path])
    assert load_all([path], cache=cache) == wanted
    assert load_all([path], cache=cache) == wanted


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    path = copied(tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert load_all([path], cache=closed / "rules.bin") == load_all([path])
