"""Exceptions in the state database: what was decided, what that held back, and the log the ledger reads.

``keep_withheld`` runs inside the pipeline's transaction, so that what is held back is counted exactly when
the batch it came in is durable.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update

from crypto.words import Refused, Words
from detection.alert import Alert
from detection.exceptions import Exemption, InForce, Withheld
from detection.store.exception_tables import exception_examples as examples
from detection.store.exception_tables import exception_hits as hits
from detection.store.exception_tables import exception_log as log
from detection.store.exception_tables import exceptions as table
from detection.store.progress_store import bump, counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros

EXAMPLES_MAX: Final = 100  # alerts kept of each exception, the last ones
IN_FORCE_MAX: Final = 2_000
HISTORY_MAX: Final = 200
FEED_MAX: Final = 500
DECISIONS: Final = "exceptions"  # counters
HITS: Final = "withheld"
_HOUR: Final = 3_600_000_000
_LATE: Final = timedelta(days=1)  # logs of planned work that come later than this are no longer covered

Action = Literal["asked", "approved", "refused", "ended"]

_encoder: Final = msgspec.json.Encoder(order="sorted")
_alerts: Final = msgspec.json.Decoder(Alert)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the log."""

    number: int
    exception: int
    time: datetime
    actor: str
    action: Action
    note: str
    body: str


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What an exception held back: ever, since a given time, and when last."""

    total: int = 0
    recent: int = 0
    last: datetime | None = None


class ExceptionStore:
    """Safe to share between threads and processes; ``protected`` names assets an approval is needed for."""

    def __init__(self, engine: Engine, protected: Callable[[], frozenset[str]] = frozenset) -> None:
        self._engine = engine
        self._protected = protected

    def revision(self) -> int:
        """Grows with every decision."""
        with self._engine.connect() as connection:
            return counter(connection, DECISIONS)

    def seen(self) -> int:
        """Grows with every decision and every batch in which something was held back."""
        with self._engine.connect() as connection:
            return counter(connection, DECISIONS) + counter(connection, HITS)

    def in_force(self, now: datetime) -> InForce:
        """What is active and not over, oldest first."""
        wanted = table.c.state == "active", table.c.expires > micros(now - _LATE)
        with self._engine.connect() as connection:
            revision = counter(connection, DECISIONS)
            rows = connection.execute(
                select(table).where(*wanted).order_by(table.c.id).limit(IN_FORCE_MAX)
            ).mappings()
            found = tuple(map(_exemption, rows))
        return InForce(
            revision=revision, exemptions=found, protected=self._protected() if found else frozenset()
        )

    def ask(self, one: Exemption, now: datetime) -> Exemption:
        """Keep a new exception; the one with its id. Durable on return."""
        values = msgspec.structs.asdict(one)
        del values["id"]
        with writing(self._engine) as connection:
            key = connection.execute(insert(table).values(_row(values))).inserted_primary_key
            assert key is not None
            kept = msgspec.structs.replace(one, id=int(key[0]))
            _tell(connection, kept, "asked", one.asked_by, one.reason, now)
        return kept

    def change(
        self,
        identifier: int,
        action: Action,
        actor: str,
        note: str,
        now: datetime,
        change: Callable[[Exemption], Exemption],
    ) -> Exemption:
        """Let ``change`` make the next state of it, which may refuse. Durable on return."""
        with writing(self._engine) as connection:
            after = change(_get(connection, identifier, lock=True))
            values = {
                "state": after.state,
                "decided": None if after.decided is None else micros(after.decided),
                "decided_by": after.decided_by,
                "note": after.note,
            }
            connection.execute(update(table).where(table.c.id == identifier).values(values))
            _tell(connection, after, action, actor, note, now)
        return after

    def get(self, identifier: int) -> Exemption:
        """One of them. Raises Refused (exception-not-found)."""
        with self._engine.connect() as connection:
            return _get(connection, identifier)

    def page(
        self, *, units: Collection[str] | None, before: int = 0, limit: int = 100, rule: str = ""
    ) -> list[Exemption]:
        """Newest first; ``before`` is the id of the last one shown."""
        query = select(table).order_by(table.c.id.desc()).limit(limit)
        if units is not None:
            query = query.where(table.c.unit.in_(units))
        if before:
            query = query.where(table.c.id < before)
        if rule:
            query = query.where(table.c.rules.contains(_encoder.encode(rule).decode(), autoescape=True))
        with self._engine.connect() as connection:
            return list(map(_exemption, connection.execute(query).mappings()))

    def history(self, identifier: int) -> list[Step]:
        """What was done to it, oldest first."""
        query = select(log).where(log.c.exception == identifier).order_by(log.c.number).limit(HISTORY_MAX)
        return self._steps(query)

    def since(self, number: int) -> list[Step]:
        """Lines of the log after ``number``."""
        return self._steps(select(log).where(log.c.number > number).order_by(log.c.number).limit(FEED_MAX))

    def held(self, identifiers: Collection[int], since: datetime) -> dict[int, Held]:
        """What each held back."""
        recent = func.sum(hits.c.count).filter(hits.c.hour >= micros(since) // _HOUR * _HOUR)
        query = (
            select(hits.c.exception, func.sum(hits.c.count), recent, func.max(hits.c.hour))
            .where(hits.c.exception.in_(identifiers))
            .group_by(hits.c.exception)
        )
        with self._engine.connect() as connection:
            return {
                int(one): Held(total=int(total), recent=int(some or 0), last=from_micros(int(last)))
                for one, total, some, last in connection.execute(query)
            }

    def held_per_hour(self, identifier: int, since: datetime) -> dict[datetime, int]:
        """Alerts held back by the hour, those without any left out."""
        query = select(hits.c.hour, hits.c.count).where(
            hits.c.exception == identifier, hits.c.hour >= micros(since) // _HOUR * _HOUR
        )
        with self._engine.connect() as connection:
            return {from_micros(int(hour)): int(count) for hour, count in connection.execute(query)}

    def held_since(self, since: datetime, units: Collection[str] | None = None) -> int:
        """How many alerts all of them held back since then, in these units."""
        query = select(func.sum(hits.c.count)).where(hits.c.hour >= micros(since) // _HOUR * _HOUR)
        if units is not None:
            query = query.join_from(hits, table, hits.c.exception == table.c.id).where(
                table.c.unit.in_(units)
            )
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def examples(self, identifier: int, limit: int = EXAMPLES_MAX) -> list[Alert]:
        """The last alerts it held back, newest first."""
        query = (
            select(examples.c.body)
            .where(examples.c.exception == identifier)
            .order_by(examples.c.time.desc(), examples.c.alert)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_alerts.decode(body) for body in connection.scalars(query)]

    def _steps(self, query: object) -> list[Step]:
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()  # type: ignore[call-overload]
        return [Step(**{**row, "time": from_micros(row["time"])}) for row in rows]


def keep_withheld(connection: Connection, withheld: Sequence[Withheld]) -> None:
    """Count what exceptions held back, by the hour of the alert, and keep the last of them whole."""
    if not withheld:
        return
    counted = Counter((one.exception, micros(one.alert.time) // _HOUR * _HOUR) for one in withheld)
    for (exception, hour), number in sorted(counted.items()):
        place = hits.c.exception == exception, hits.c.hour == hour
        more = connection.execute(update(hits).where(*place).values(count=hits.c.count + number))
        if not more.rowcount:
            connection.execute(insert(hits).values(exception=exception, hour=hour, count=number))
    for exception in sorted({one.exception for one in withheld}):
        _keep_examples(connection, exception, [one.alert for one in withheld if one.exception == exception])
    bump(connection, HITS)


def _keep_examples(connection: Connection, exception: int, alerts: Iterable[Alert]) -> None:
    newest = {one.id: one for one in sorted(alerts, key=lambda alert: (alert.time, alert.id))[-EXAMPLES_MAX:]}
    mine = examples.c.exception == exception
    connection.execute(delete(examples).where(mine, examples.c.alert.in_(newest)))
    rows = [
        {"exception": exception, "alert": one.id, "time": micros(one.time), "body": _encoder.encode(one)}
        for one in newest.values()
    ]
    connection.execute(insert(examples), rows)
    old = (
        select(examples.c.alert)
        .where(mine)
        .order_by(examples.c.time.desc(), examples.c.alert)
        .offset(EXAMPLES_MAX)
        .limit(EXAMPLES_MAX)
    )
    gone = list(connection.scalars(old))
    if gone:
        connection.execute(delete(examples).where(mine, examples.c.alert.in_(gone)))


def _get(connection: Connection, identifier: int, *, lock: bool = False) -> Exemption:
    query = select(table).where(table.c.id == identifier)
    found = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if found is None:
        raise Refused(
            "exception-not-found",
            Words("没有这条例外", "there is no such exception"),
            Words("请刷新列表后重试", "reload the list and try again"),
            field="id",
        )
    return _exemption(found)


def _tell(
    connection: Connection, one: Exemption, action: Action, actor: str, note: str, now: datetime
) -> None:
    connection.execute(
        insert(log).values(
            exception=one.id,
            time=micros(now),
            actor=actor,
            action=action,
            note=note,
            body=_encoder.encode(one).decode(),
        )
    )
    bump(connection, DECISIONS)


def _row(values: Mapping[str, object]) -> dict[str, object]:
    row = dict(values)
    for name in ("rules", "units", "expected"):
        row[name] = _encoder.encode(row[name]).decode()
    grave = row["grave"]
    assert isinstance(grave, tuple)
    row["grave"] = _encoder.encode([{"zh": one.zh, "en": one.en} for one in grave]).decode()
    for name in ("asked", "begins", "expires", "decided"):
        value = row[name]
        row[name] = micros(value) if isinstance(value, datetime) else None
    return row


def _exemption(row: RowMapping) -> Exemption:
    values = {name: row[name] for name in Exemption.__struct_fields__}
    for name in ("rules", "units"):
        values[name] = msgspec.json.decode(row[name], type=tuple[str, ...])
    values["expected"] = msgspec.json.decode(row["expected"], type=dict[str, int])
    values["grave"] = tuple(
        Words(one["zh"], one["en"]) for one in msgspec.json.decode(row["grave"], type=list[dict[str, str]])
    )
    for name in ("asked", "begins", "expires", "decided"):
        values[name] = None if row[name] is None else from_micros(row[name])
    return Exemption(**values)
