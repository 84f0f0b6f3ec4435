"""``liuhe sensor spool`` says what lies there and ends with 1 where something is damaged."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sensors.commands import register
from sensors.event import LogSource, Observation
from sensors.segment_folder import segments_of
from sensors.segment_header import unpack_header
from sensors.settings import Settings, write_settings
from sensors.spool_core import SpoolCore

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 8 << 20}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_settings(tmp_path, Settings(id="web01", unit="u", kind="host", center=["127.0.0.1:9400"]))
    core = SpoolCore(
        tmp_path / "spool",
        sensor="web01",
        unit="u",
        quota_bytes=QUOTA,
        now=lambda: NOW,
        monotonic=lambda: 0.0,
    )
    core.take(Observation(time=NOW, logsource=LogSource(product="linux"), fields={"n": 1}))
    core.commit()
    core.close()
    return tmp_path


def run(data: Path, *options: str) -> int:
    parser = argparse.ArgumentParser()
    register(parser.add_subparsers())
    given = parser.parse_args(["sensor", "spool", "--data", str(data), *options])
    return int(given.run(given))


def test_it_shows_and_verifies(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data) == 0
    assert "bulk" in capsys.readouterr().out
    assert run(data, "--verify", "--json") == 0
    view = json.loads(capsys.readouterr().out)
    assert view["lanes"][2]["segments"][0]["events"] == 1
    (segment,) = segments_of(data / "spool" / "bulk")
    blob = bytearray(segment.path.read_bytes())
    blob[blob.index(b'"n":1')] ^= 1
    segment.path.write_bytes(blob)
    assert run(data, "--verify") == 1
    assert "missing" in capsys.readouterr().err


def test_it_rewrites_for_an_older_release(data: Path) -> None:
    assert run(data, "--rewrite") == 0
    (segment,) = segments_of(data / "spool" / "bulk")
    header = unpack_header(segment.path.read_bytes())
    assert header is not None
    assert header.version == 1
