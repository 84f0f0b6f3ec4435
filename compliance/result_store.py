"""The newest verdict per graded system, object and check, as rows others join and count."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Engine, RowMapping, delete, insert, select

from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.enforcement_tables import object_results as table
from compliance.evaluation import Verdict, by_object
from crypto.words import Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros


class ObjectResult(msgspec.Struct, frozen=True, kw_only=True):
    """One check on one object of a graded system; ``object`` '' is the system as a whole."""

    system: str
    object: str
    check: str
    verdict: Verdict
    reason: Words
    evaluated: datetime
    stale_at: datetime | None
    leaf: int

    def at(self, now: datetime) -> Verdict:
        """The verdict as it counts at ``now``."""
        return "未知" if self.stale_at is not None and now > self.stale_at else self.verdict


class ResultStore:
    """Object results over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, system: str, checks: Mapping[str, Check], kept: Mapping[str, Kept]) -> None:
        """Replace the results of a system by those of its newest evaluations."""
        rows = [
            {
                "system": system,
                "object": one.object,
                "check": name,
                "verdict": one.verdict,
                "reason_zh": one.reason.zh,
                "reason_en": one.reason.en,
                "evaluated": micros(newest.evaluation.evaluated),
                "stale_at": None if one.stale_at is None else micros(one.stale_at),
                "leaf": newest.leaf,
            }
            for name, newest in kept.items()
            if name in checks
            for one in by_object(checks[name], newest.evaluation)
        ]
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.system == system))
            if rows:
                connection.execute(insert(table), rows)

    def ran_out(self, now: datetime) -> bool:
        """Whether a verdict stands on evidence that is over by now: then it is time to evaluate anew."""
        query = select(table.c.system).where(table.c.stale_at < micros(now), table.c.verdict != "未知")
        with self._engine.connect() as connection:
            return connection.scalar(query.limit(1)) is not None

    def of_system(self, system: str) -> Sequence[ObjectResult]:
        """All results of a system by check, then object."""
        query = select(table).where(table.c.system == system).order_by(table.c.check, table.c.object)
        with self._engine.connect() as connection:
            return [_result(row) for row in connection.execute(query).mappings()]


def _result(row: RowMapping) -> ObjectResult:
    return ObjectResult(
        system=row["system"],
        object=row["object"],
        check=row["check"],
        verdict=row["verdict"],
        reason=Words(row["reason_zh"], row["reason_en"]),
        evaluated=from_micros(row["evaluated"]),
        stale_at=None if row["stale_at"] is None else from_micros(row["stale_at"]),
        leaf=row["leaf"],
    )
