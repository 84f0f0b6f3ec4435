"""What people state of items, and what systems came to each day, in the state database."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, RowMapping, delete, insert, select, update

from compliance.grading import Statement
from compliance.registry import NOTE_CHARS_MAX, bad_field
from compliance.registry_log_store import append
from compliance.registry_store import read_system
from compliance.registry_tables import assessment_objects, item_statements, system_scores
from compliance.scoring import SystemScore
from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros

_SCORE: Final = msgspec.json.Decoder(SystemScore)
_REASON_CHARS_MIN: Final = 4
_OPEN: Final = ("proposed", "confirmed")


class GradingStore:
    """Statements and scores over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # --- statements

    def statements(self, system: str) -> Sequence[Statement]:
        """All statements of a system, newest first."""
        query = select(item_statements).where(item_statements.c.system == system)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(item_statements.c.number.desc())).mappings().all()
        return [_statement(row) for row in rows]

    def statement(self, number: int) -> Statement:
        """One statement. Raises Refused (statement-not-found)."""
        query = select(item_statements).where(item_statements.c.number == number)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Refused(
                "statement-not-found",
                Words("没有这条陈述", "there is no such statement"),
                Words("请核对编号", "check its number"),
                field=str(number),
            )
        return _statement(row)

    def propose(self, statement: Statement, now: datetime) -> Statement:
        """Add a statement; it counts once another person has confirmed it.

        Raises Refused (system-not-found, object-not-found), BadInput (registry-field).
        """
        _checked(statement, now)
        with writing(self._engine) as connection:
            system = read_system(connection, statement.system)
            place = (
                assessment_objects.c.system == statement.system,
                assessment_objects.c.id == statement.object,
            )
            if statement.object and connection.scalar(select(assessment_objects.c.id).where(*place)) is None:
                raise Refused(
                    "object-not-found",
                    Words("没有登记这个测评对象", "no such assessment object is registered"),
                    Words("请核对编号,或先登记", "check its id, or register it first"),
                    field=statement.object,
                )
            fresh = msgspec.structs.replace(statement, made=now, state="proposed")
            made = connection.execute(insert(item_statements).values(_values(fresh))).inserted_primary_key
            assert made is not None
            after = msgspec.structs.replace(fresh, number=made[0])
            _tell(connection, after, "statement.propose", system.unit, now, after.author)
        return after

    def review(self, number: int, *, confirm: bool, reviewer: str, note: str, now: datetime) -> Statement:
        """Confirm or refuse a statement; a confirmed one replaces those before it on the same place.

        Raises Refused (statement-not-found, statement-state, statement-own).
        """
        before = self.statement(number)
        if before.author == reviewer:
            raise Refused(
                "statement-own",
                Words("不能审核自己的陈述", "nobody reviews a statement of their own"),
                Words("请由另一人审核", "let another person review it"),
                field=str(number),
            )
        return self._decide(before, "confirmed" if confirm else "refused", reviewer, note, now)

    def withdraw(self, number: int, *, actor: str, note: str, now: datetime) -> Statement:
        """Take a statement back, confirmed or not. Raises Refused (statement-not-found, statement-state)."""
        return self._decide(self.statement(number), "withdrawn", actor, note, now)

    def _decide(self, before: Statement, state: Any, actor: str, note: str, now: datetime) -> Statement:
        after = msgspec.structs.replace(before, state=state, reviewer=actor, reviewed=now, review=note)
        allowed = _OPEN if state == "withdrawn" else _OPEN[:1]
        mine = item_statements.c.number == before.number
        with writing(self._engine) as connection:
            system = read_system(connection, before.system)
            values = {"state": state, "reviewer": actor, "reviewed": micros(now), "review": note}
            done = connection.execute(
                update(item_statements).where(mine, item_statements.c.state.in_(allowed)).values(values)
            )
            if not done.rowcount:
                raise Refused(
                    "statement-state",
                    Words("这条陈述已有处理结果", "this statement has been decided already"),
                    Words("请刷新后查看", "reload and look again"),
                    field=str(before.number),
                )
            if state == "confirmed":
                older = (
                    item_statements.c.system == before.system,
                    item_statements.c.item == before.item,
                    item_statements.c.object == before.object,
                    item_statements.c.state == "confirmed",
                    item_statements.c.number != before.number,
                )
                connection.execute(update(item_statements).where(*older).values(state="replaced"))
            _tell(connection, after, f"statement.{state}", system.unit, now, actor)
        return after

    # --- scores

    def keep(self, scores: Iterable[SystemScore]) -> None:
        """Keep scores as those of their day."""
        with writing(self._engine) as connection:
            for one in scores:
                day = one.time.date().isoformat()
                mine = system_scores.c.system == one.system, system_scores.c.day == day
                connection.execute(delete(system_scores).where(*mine))
                body = msgspec.json.encode(one, order="sorted").decode()
                values = {"system": one.system, "day": day, "time": micros(one.time), "body": body}
                connection.execute(insert(system_scores).values(values))

    def newest(self, system: str, before: datetime | None = None) -> SystemScore | None:
        """The last score of a system, or the last one before a moment."""
        query = select(system_scores.c.body).where(system_scores.c.system == system)
        if before is not None:
            query = query.where(system_scores.c.time < micros(before))
        with self._engine.connect() as connection:
            body = connection.scalar(query.order_by(system_scores.c.time.desc()).limit(1))
        return None if body is None else _SCORE.decode(body)

    def days(self, system: str, limit: int = 366) -> Sequence[SystemScore]:
        """One score a day, oldest first."""
        query = select(system_scores.c.body).where(system_scores.c.system == system)
        with self._engine.connect() as connection:
            bodies = connection.scalars(query.order_by(system_scores.c.day.desc()).limit(limit)).all()
        return [_SCORE.decode(body) for body in reversed(bodies)]


def _checked(statement: Statement, now: datetime) -> None:
    if len(statement.reason.strip()) < _REASON_CHARS_MIN or len(statement.reason) > NOTE_CHARS_MAX:
        raise bad_field(
            "reason",
            f"须写明理由,{_REASON_CHARS_MIN}-{NOTE_CHARS_MAX} 个字符",
            f"is required, {_REASON_CHARS_MIN} to {NOTE_CHARS_MAX} characters",
        )
    if not statement.verdict and not statement.risk:
        raise bad_field("verdict", "须给出结论或缓解后的风险", "says neither a verdict nor a risk")
    if statement.risk and not statement.mitigation.strip():
        raise bad_field("mitigation", "降低风险须写明缓解措施", "is required where a risk is lowered")
    if len(statement.mitigation) > NOTE_CHARS_MAX:
        raise bad_field("mitigation", f"最多 {NOTE_CHARS_MAX} 个字符", f"takes {NOTE_CHARS_MAX} characters")
    if statement.valid_until is not None and statement.valid_until <= now:
        raise bad_field("valid_until", "须晚于现在", "is in the past")


def _tell(connection: Any, statement: Statement, action: str, unit: str, now: datetime, actor: str) -> None:
    append(
        connection,
        now=now,
        actor=actor,
        action=action,
        subject=f"statement:{statement.number}",
        unit=unit,
        body=statement,
    )


def _values(statement: Statement) -> dict[str, object]:
    values = msgspec.structs.asdict(statement)
    del values["number"]
    until = statement.valid_until
    return values | {
        "made": micros(statement.made),
        "valid_until": micros(until) if until else None,
        "reviewed": None,
    }


def _statement(row: RowMapping) -> Statement:
    until, reviewed = row["valid_until"], row["reviewed"]
    return Statement(
        **{
            **row,
            "made": from_micros(row["made"]),
            "valid_until": None if until is None else from_micros(until),
            "reviewed": None if reviewed is None else from_micros(reviewed),
        }
    )
