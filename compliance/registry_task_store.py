"""Tasks of the registry in the state database: open while something is lacking, done when it is not."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from compliance.registry import RegistryTask, bad_field, not_found
from compliance.registry_log_store import append
from compliance.registry_tables import registry_tasks as table
from compliance.registry_watch import day_of
from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros

_SYSTEM: Final = "system:registry"
_REASON_CHARS: Final = (4, 500)
State = Literal["open", "done", "dismissed"]


class RegistryTaskStore:
    """Tasks over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tasks(
        self, units: Iterable[str] | None = None, state: State | None = "open", limit: int = 500
    ) -> Sequence[RegistryTask]:
        """Tasks of these units (all without), most urgent first."""
        query = select(table)
        if units is not None:
            query = query.where(table.c.unit.in_(sorted(units)))
        if state is not None:
            query = query.where(table.c.state == state)
        query = query.order_by(table.c.due.is_(None), table.c.due, table.c.number).limit(limit)
        with self._engine.connect() as connection:
            return [_task(row) for row in connection.execute(query).mappings()]

    def task(self, number: int) -> RegistryTask:
        """One task. Raises Refused (task-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.number == number)).mappings().first()
        if row is None:
            raise not_found("task", str(number))
        return _task(row)

    def reconcile(self, wanted: Iterable[RegistryTask], now: datetime) -> tuple[int, int]:
        """Open what is wanted and not open, finish what is open and no longer wanted: (opened, finished).

        A dismissed task stays dismissed: somebody has said why.
        """
        due = {(task.kind, task.key): task for task in wanted}
        opened = finished = 0
        with self._engine.connect() as connection:
            rows = connection.execute(select(table)).mappings().all()
        known = {(row["kind"], row["key"]): row for row in rows}
        fresh = [task for key, task in due.items() if key not in known or known[key]["state"] == "done"]
        stale = [row for key, row in known.items() if row["state"] == "open" and key not in due]
        changed = [
            (known[key]["number"], task.what)
            for key, task in due.items()
            if key in known and known[key]["state"] == "open" and known[key]["what_zh"] != task.what.zh
        ]
        if not (fresh or stale or changed):
            return 0, 0
        with writing(self._engine) as connection:
            for task in fresh:
                values = _values(task)
                if (task.kind, task.key) in known:
                    mine = table.c.kind == task.kind, table.c.key == task.key
                    connection.execute(update(table).where(*mine).values(values))
                else:
                    connection.execute(insert(table).values(values))
                _tell(connection, task, "task.open", _SYSTEM, now)
                opened += 1
            for number, what in changed:
                mine_number = table.c.number == number
                connection.execute(update(table).where(mine_number).values(what_zh=what.zh, what_en=what.en))
            for row in stale:
                _close(connection, _task(row), "done", _SYSTEM, "", now)
                finished += 1
        return opened, finished

    def dismiss(self, number: int, *, actor: str, reason: str, now: datetime) -> RegistryTask:
        """Say why a task need not be done. Raises Refused (task-not-found, task-state), BadInput."""
        least, most = _REASON_CHARS
        if not least <= len(reason.strip()) <= most:
            raise bad_field(
                "reason", f"须写明理由,{least}-{most} 个字符", f"takes {least} to {most} characters"
            )
        task = self.task(number)
        if task.state != "open":
            raise Refused(
                "task-state",
                Words("这项任务已经结束", "this task is over already"),
                Words("请刷新后查看", "reload and look again"),
                field=str(number),
            )
        with writing(self._engine) as connection:
            _close(connection, task, "dismissed", actor, reason.strip(), now)
        return self.task(number)


def _close(
    connection: Connection, task: RegistryTask, state: State, actor: str, reason: str, now: datetime
) -> None:
    values = {"state": state, "closed": micros(now), "actor": actor, "reason": reason}
    connection.execute(update(table).where(table.c.number == task.number).values(values))
    _tell(connection, task, f"task.{state}", actor, now, reason)


def _tell(
    connection: Connection, task: RegistryTask, action: str, actor: str, now: datetime, reason: str = ""
) -> None:
    append(
        connection,
        now=now,
        actor=actor,
        action=action,
        subject=f"task:{task.kind}/{task.key}"[:256],
        unit=task.unit,
        body={"kind": task.kind, "key": task.key, "system": task.system, "reason": reason},
    )


def _values(task: RegistryTask) -> dict[str, object]:
    return {
        "kind": task.kind,
        "key": task.key,
        "unit": task.unit,
        "system": task.system,
        "what_zh": task.what.zh,
        "what_en": task.what.en,
        "opened": micros(task.opened),
        "due": task.due.isoformat() if task.due else None,
        "state": "open",
        "closed": None,
        "actor": "",
        "reason": "",
    }


def _task(row: RowMapping) -> RegistryTask:
    return RegistryTask(
        number=row["number"],
        kind=row["kind"],
        key=row["key"],
        unit=row["unit"],
        system=row["system"],
        what=Words(row["what_zh"], row["what_en"]),
        opened=from_micros(row["opened"]),
        due=day_of(row["due"]),
        state=row["state"],
        closed=None if row["closed"] is None else from_micros(row["closed"]),
        actor=row["actor"],
        reason=row["reason"],
    )
