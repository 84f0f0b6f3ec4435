"""Acts with models: a line each, read from any place on, up to the first damaged one."""

from datetime import UTC, datetime
from pathlib import Path

from detection.anomaly.model_acts import Act, acts_in, last_acts, tell

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_acts_are_told_in_order_and_read_from_either_end(tmp_path: Path) -> None:
    assert acts_in(tmp_path, 0) == []
    assert last_acts(tmp_path, 5) == (0, [])
    made = [
        Act(act="made", kind="host", version=number, manifest_sm3="", time=NOW, actor="user:sec")
        for number in range(1, 6)
    ]
    for act in made:
        tell(tmp_path, act)
    assert acts_in(tmp_path, 3) == made[3:]
    assert acts_in(tmp_path, 0, most=2) == made[:2]
    assert last_acts(tmp_path, 2) == (3, made[3:])


def test_a_line_of_before_there_were_actors_is_read_and_a_damaged_one_ends_them(tmp_path: Path) -> None:
    old = b'{"act":"made","kind":"host","version":1,"manifest_sm3":"","time":"2026-01-01T00:00:00Z","why":""}'
    (tmp_path / "acts.ndjson").write_bytes(old + b"\n{\n" + old + b"\n")
    assert [one.actor for one in acts_in(tmp_path, 0)] == [""]
