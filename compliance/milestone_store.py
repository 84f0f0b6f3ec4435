"""The steps graded systems have taken: step, system after it and its log line are one change."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import Engine, RowMapping, insert, select

from compliance.grading_process import Process, Step, take
from compliance.registry import GradedSystem, Milestone
from compliance.registry_store import read_system, store_system
from compliance.registry_tables import milestones
from detection.store.state import writing
from detection.store.tables import from_micros, micros


class MilestoneStore:
    """Milestones over one state database; safe to share between threads."""

    def __init__(self, engine: Engine, process: Process) -> None:
        self._engine = engine
        self._process = process

    def of(self, system: str) -> Sequence[Milestone]:
        """All steps of a system, newest first."""
        return milestones_of(self._engine, system)

    def take(
        self, step: Step, milestone: Milestone, now: datetime, actor: str, *, grade: str = ""
    ) -> GradedSystem:
        """Take a step; ``grade`` is the new one of a grading.

        Raises Refused (system-not-found, step-refused, filing-early), BadInput (registry-field).
        """
        with writing(self._engine) as connection:
            before = read_system(connection, milestone.system)
            after = take(before, step, milestone, self._process, now.date(), grade=grade)
            told = msgspec.structs.replace(milestone, step=step, stage=after.stage, actor=actor, recorded=now)
            connection.execute(insert(milestones).values(_values(told)))
            return store_system(connection, after, f"system.{step}", now, actor)


def milestones_of(engine: Engine, system: str) -> Sequence[Milestone]:
    """All steps of a system, newest first."""
    query = select(milestones).where(milestones.c.system == system)
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(milestones.c.number.desc())).mappings().all()
    return [_milestone(row) for row in rows]


def _values(milestone: Milestone) -> dict[str, object]:
    values = msgspec.structs.asdict(milestone)
    del values["number"]
    until = milestone.valid_until
    assert milestone.recorded is not None
    return values | {
        "day": milestone.day.isoformat(),
        "valid_until": until.isoformat() if until else None,
        "recorded": micros(milestone.recorded),
    }


def _milestone(row: RowMapping) -> Milestone:
    until = row["valid_until"]
    return Milestone(
        **{
            **row,
            "day": date.fromisoformat(row["day"]),
            "valid_until": date.fromisoformat(until) if until else None,
            "recorded": from_micros(row["recorded"]),
        }
    )
