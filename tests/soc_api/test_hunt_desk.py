"""An accepted draft is a file beside the center's rules, also where the center died before it was written."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soc_api.hunt_desk import OWN_RULES, HuntDesk

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def test_accepting_writes_the_rule(world: Any, tmp_path: Path) -> None:
    desk = HuntDesk(world.engine, tmp_path)
    store = desk.store
    first = store.save_draft("r1", "t", "title: 张三\n", author="user:a", unit="u", now=NOW)
    second = store.save_draft("r2", "t", "no", author="user:a", unit="u", now=NOW)
    desk.accept(first.id, decider="user:b", reason="good", now=NOW)
    desk.refuse(second.id, decider="user:b", reason="noisy", now=NOW)
    (file,) = (tmp_path / OWN_RULES).iterdir()
    assert (file.name, file.read_text("utf-8")) == ("r1.yml", "title: 张三\n")
    assert desk.write_missing() == 0
    file.unlink()
    assert (desk.write_missing(), file.exists()) == (1, True)
