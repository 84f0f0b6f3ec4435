"""Tasks open when something is lacking, finish by themselves, and stay dismissed once somebody said why."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from compliance.registry import RegistryTask
from compliance.registry_task_store import RegistryTaskStore
from crypto.words import BadInput, Refused, Words
from detection.store.state import open_state

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def wanted(key: str, **given: object) -> RegistryTask:
    base = RegistryTask(
        kind="unregistered-asset",
        key=key,
        unit="320100",
        what=Words(f"登记 {key}", f"register {key}"),
        opened=NOW,
    )
    return msgspec.structs.replace(base, **given)


def test_the_life_of_a_task(tmp_path: Path) -> None:
    engine = open_state(f"sqlite:///{tmp_path / 'state.sqlite'}", create=True)
    store = RegistryTaskStore(engine)
    urgent = wanted("b", due=date(2026, 12, 1))
    assert store.reconcile([wanted("a"), urgent, wanted("c", unit="320200")], NOW) == (3, 0)
    assert store.reconcile([wanted("a"), urgent, wanted("c", unit="320200")], NOW) == (0, 0)
    assert [task.key for task in store.tasks()] == ["b", "a", "c"]
    assert [task.key for task in store.tasks(units=["320200"])] == ["c"]
    with pytest.raises(BadInput, match="registry-field"):
        store.dismiss(1, actor="user:a", reason=" 略 ", now=NOW)
    gone = store.dismiss(1, actor="user:a", reason="测试机,已隔离", now=NOW)
    assert (gone.state, gone.actor, gone.reason, gone.closed) == ("dismissed", "user:a", "测试机,已隔离", NOW)
    with pytest.raises(Refused, match="task-state"):
        store.dismiss(1, actor="user:a", reason="再说一次", now=NOW)
    with pytest.raises(Refused, match="task-not-found"):
        store.dismiss(9, actor="user:a", reason="再说一次", now=NOW)
    # a is dismissed and stays so, b says something new, c is mended
    told = msgspec.structs.replace(urgent, what=Words("还有 8 天", "in 8 days"))
    assert store.reconcile([wanted("a"), told], LATER) == (0, 1)
    assert [(task.key, task.what.zh) for task in store.tasks()] == [("b", "还有 8 天")]
    assert [task.state for task in store.tasks(state=None)] == ["open", "dismissed", "done"]
    # what comes back is opened again
    assert store.reconcile([told, wanted("c", opened=LATER)], LATER) == (1, 0)
    assert store.task(3).opened == LATER
    engine.dispose()
