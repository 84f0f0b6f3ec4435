"""A spool folder is shown as it is, whole or damaged, while its sensor runs and after."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sensors import spool_core
from sensors.event import LogSource, Observation
from sensors.segment_folder import segments_of
from sensors.segment_seal import NO_KEYS, Keys
from sensors.spool_core import SpoolCore
from sensors.spool_view import UNREADABLE, SegmentView, view_spool

NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUOTA = {"alerts": 8 << 20, "flows": 8 << 20, "bulk": 1 << 20}


def filled(folder: Path, keys: Keys = NO_KEYS) -> SpoolCore:
    core = SpoolCore(
        folder, sensor="web01", unit="u", quota_bytes=QUOTA, keys=keys, now=lambda: NOW, monotonic=lambda: 0.0
    )
    for n in range(300):
        core.take(
            Observation(time=NOW, logsource=LogSource(product="linux"), fields={"pad": "x" * 1000, "n": n})
        )
        core.commit()
    return core


@pytest.mark.parametrize("keys", [NO_KEYS, Keys([bytes(16)], sealing=True)])
def test_a_whole_spool_has_no_problems(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_core, "PACK_BEHIND", 1)
    core = filled(tmp_path, keys)
    while core.pack():
        continue
    quick = view_spool(tmp_path, keys, verify=False)
    view = view_spool(tmp_path, keys, verify=True)
    core.close()
    assert view.problems == quick.problems == []
    bulk = view.lanes[2]
    assert (bulk.name, bulk.first, bulk.last) == ("bulk", 1, 300)
    assert sum(one.events or 0 for one in bulk.segments) == 300
    assert {one.link for one in bulk.segments[:-1]} == {"whole"}
    assert [one.packed for one in bulk.segments][:2] == [False, True]
    assert {one.key for one in bulk.segments} == {keys.current.hex() if keys is not NO_KEYS else ""}
    assert {one.link for one in quick.lanes[2].segments} == {""}
    assert bulk.segments[0].created == NOW


def test_every_damage_is_one_line(tmp_path: Path) -> None:
    filled(tmp_path).close()
    paths = [segment.path for segment in segments_of(tmp_path / "bulk")]
    blob = bytearray(paths[0].read_bytes())
    blob[blob.index(b'"n":7')] ^= 1
    paths[0].write_bytes(blob)
    paths[1].write_bytes(paths[1].read_bytes()[:-10])
    paths[2].write_bytes(b"")
    assert len(paths) == 3
    view = view_spool(tmp_path, NO_KEYS, verify=True)
    segments: list[SegmentView] = view.lanes[2].segments
    assert [(loss.first, loss.last) for loss in segments[0].losses] == [(8, 8)]
    assert len(segments[1].losses) == 1
    assert segments[1].losses[0].last == segments[2].first - 1
    assert [(loss.first, loss.last) for loss in view.lanes[2].losses] == [(segments[2].first, 300)]
    assert len(view.problems) == 4
    paths[1].write_bytes(b"x" * 300)
    view = view_spool(tmp_path, NO_KEYS, verify=False)
    assert view.lanes[2].segments[1].losses[0].reason == UNREADABLE
    assert view_spool(tmp_path / "absent", NO_KEYS, verify=True).problems == []
