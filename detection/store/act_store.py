"""Acts on groups of the queue, one or a million: begun durably, done in chunks, resumed, undone.

An act is written down with every group it is meant for before anything changes; each chunk changes its
groups, their history and the act's own progress in one transaction, so a killed process goes on where it
stopped and nothing is done twice.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from crypto.words import Refused, Words
from detection.store.act import (
    TOLD,
    UNDO,
    Act,
    Decision,
    Place,
    Target,
    checked,
    decided,
    note_of,
    refusal,
)
from detection.store.act_tables import alert_act_items, alert_acts
from detection.store.alert_group import AlertGroup
from detection.store.entity_heat import settle
from detection.store.group_query import GroupFilter, Keys, bad_argument, narrowed
from detection.store.group_store import decide, group_of, group_row, settle_parents, tell, with_members
from detection.store.progress_store import bump
from detection.store.state import writing
from detection.store.tables import MERGED_ROWS, alert_groups, from_micros, micros

# Changed in one transaction: the pipeline waits so long; fewer would touch the pages of indexes oftener.
CHUNK_GROUPS: Final = 5_000
INLINE_GROUPS_MAX: Final = 200  # so few are done before the act is answered
ITEMS_MAX: Final = 500
RECENT_MAX: Final = 50
_ALONE: Final = frozenset({"note", "merge", "split"})  # acts that leave merged groups as they are
_DECIDED: Final = Decision.__struct_fields__

_C: Final = alert_groups.c
_I: Final = alert_act_items.c
_decisions: Final = msgspec.json.Decoder(tuple[Decision, Decision])
_acts: Final = msgspec.json.Decoder(Act)
_MARK: Final = (
    update(alert_act_items)
    .where(_I.act == bindparam("of"), _I.group_id == bindparam("about"))
    .values(state=bindparam("now"), code=bindparam("why"), change=bindparam("what"))
)


class ActRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An act and how far it is: ``done`` and ``refused`` of ``total`` groups."""

    id: int
    time: datetime
    actor: str
    act: Act
    state: str
    total: int
    done: int
    refused: int
    finished: datetime | None


class ActItem(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one group; ``code`` says why it was refused."""

    group: str
    state: str
    code: str


class AlertActs:
    """Acts over one state database; safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(
        self,
        act: Act,
        of: Sequence[str] | GroupFilter,
        actor: str,
        now: datetime,
        *,
        keys_of_system: Keys | None = None,
    ) -> ActRecord:
        """Write an act down; few groups are done at once, ``work`` does the others. Raises BadInput.

        ``of`` are ids of groups, or the filter whose every row is meant as it stands now.
        """
        act = checked(act, now)
        if not actor:
            raise bad_argument("actor", "", ("user:<name>",))
        with writing(self._engine) as connection:
            number = _written(connection, act, actor, now)
            if isinstance(of, GroupFilter):
                meant = select(literal(number), _C.id, literal("waiting")).where(
                    *narrowed(of, now, keys_of_system=keys_of_system)
                )
                names = ["act", "group_id", "state"]
                connection.execute(insert(alert_act_items).from_select(names, meant))
            elif of:
                items = [{"act": number, "group_id": one, "state": "waiting"} for one in dict.fromkeys(of)]
                connection.execute(insert(alert_act_items), items)
            total = _expanded(connection, number, act)
            if total <= INLINE_GROUPS_MAX:
                _advance(connection, _record(connection, number), now)
            return _record(connection, number)

    def single(self, act: Act, group: str, actor: str, now: datetime) -> tuple[AlertGroup, int]:
        """An act on one group: the group after it, and the act's number. Raises Refused, BadInput."""
        act = checked(act, now)
        if not actor:
            raise bad_argument("actor", "", ("user:<name>",))
        with writing(self._engine) as connection:
            before = group_row(connection, group)
            number = _written(connection, act, actor, now)
            item = {"act": number, "group_id": group, "state": "waiting"}
            connection.execute(insert(alert_act_items), [item])
            _expanded(connection, number, act)
            _advance(connection, _record(connection, number), now)
            code = connection.scalar(select(_I.code).where(_I.act == number, _I.group_id == group))
            if code:
                raise refusal(code, before["state"])
            (after,) = with_members(connection, [group_of(group_row(connection, group))])
            return after, number

    def work(self, now: datetime) -> bool:
        """Do one chunk of the oldest act that is not finished; False where there is none."""
        waiting = select(alert_acts.c.id).where(alert_acts.c.state.in_(("running", "undoing")))
        with self._engine.connect() as connection:
            number = connection.scalar(waiting.order_by(alert_acts.c.id).limit(1))
        if number is None:
            return False
        with writing(self._engine) as connection:
            record = _record(connection, number)
            if record.state == "running":
                _advance(connection, record, now)
            elif record.state == "undoing":
                _take_back(connection, record, now)
        return True

    def undo(self, number: int, actor: str, now: datetime) -> ActRecord:
        """Take back what an act changed, where nobody decided otherwise since. Raises Refused."""
        with writing(self._engine) as connection:
            record = _record(connection, number)
            if record.actor != actor:
                raise _not_found()
            over = record.finished is not None and now - record.finished > UNDO
            if record.state not in ("running", "done") or over:
                raise Refused(
                    "alert-undo",
                    Words("已超过撤销时限", "it is too late to undo this"),
                    Words("请用相反的操作更正", "do the opposite instead"),
                    field=str(number),
                )
            stopped = update(alert_act_items).where(_I.act == number, _I.state == "waiting")
            connection.execute(stopped.values(state="refused", code="alert-undone"))
            _set(connection, number, state="undoing", finished=None)
            if record.total <= INLINE_GROUPS_MAX:
                _take_back(connection, _record(connection, number), now)
            return _record(connection, number)

    def record(self, number: int) -> ActRecord:
        """One act. Raises Refused (act-not-found)."""
        with self._engine.connect() as connection:
            return _record(connection, number)

    def recent(self, actor: str, limit: int = RECENT_MAX) -> list[ActRecord]:
        """The newest acts of a person on more than one group, and what still runs."""
        query = select(alert_acts).where(alert_acts.c.actor == actor, alert_acts.c.total > 1)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(alert_acts.c.id.desc()).limit(limit)).mappings()
            return [_of(row) for row in rows]

    def items(
        self, number: int, *, state: str = "", after: str = "", limit: int = ITEMS_MAX
    ) -> list[ActItem]:
        """What became of each group, by id; ``after`` is the last one of the page before."""
        query = select(alert_act_items).where(_I.act == number, _I.group_id > after)
        if state:
            query = query.where(_I.state == state)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(_I.group_id).limit(min(limit, ITEMS_MAX))).mappings()
            return [ActItem(group=row["group_id"], state=row["state"], code=row["code"]) for row in rows]


def _written(connection: Connection, act: Act, actor: str, now: datetime) -> int:
    made = connection.execute(
        insert(alert_acts).values(
            time=micros(now),
            actor=actor,
            action=act.action,
            arguments=msgspec.json.encode(act).decode(),
            state="running",
            total=0,
        )
    )
    key = made.inserted_primary_key
    assert key is not None
    return int(key[0])


def _expanded(connection: Connection, number: int, act: Act) -> int:
    """Let an act mean merged groups as well, and count what it means."""
    mine = select(_I.group_id).where(_I.act == number)
    if act.action not in _ALONE:
        known = exists().where(and_(_I.act == number, _I.group_id == _C.id))
        members = select(literal(number), _C.id, literal("waiting")).where(
            text(MERGED_ROWS), _C.parent.in_(mine), ~known
        )
        connection.execute(insert(alert_act_items).from_select(["act", "group_id", "state"], members))
    total = connection.scalar(select(func.count()).select_from(alert_act_items).where(_I.act == number)) or 0
    _set(connection, number, total=total)
    return total


def _advance(connection: Connection, record: ActRecord, now: datetime) -> None:
    """Do the next chunk of a running act."""
    chunk = _chunk(connection, record.id, "waiting")
    rows = _rows(connection, record.id, chunk)
    target = _target(connection, record.act)
    superseded = _superseded(connection, rows) if record.act.action == "reopen" else frozenset()
    until = micros(record.act.until) if record.act.action == "snooze" and record.act.until else 0
    changed: dict[str, Decision] = {}
    marks: list[dict[str, object]] = []
    told: list[tuple[str, datetime, str, str, str]] = []
    for group in chunk:
        row = rows.get(group)
        outcome: Decision | str = "alert-not-found"
        if row is not None:
            before = _decision(row)
            place = Place(id=group, unit=row["unit"], newest=group not in superseded, members=row["members"])
            outcome = decided(record.act, before, place, record.actor, until, target)
        if isinstance(outcome, str):
            marks.append(_mark(record.id, group, "refused", outcome, ""))
            continue
        if outcome != before:
            changed[group] = outcome
        marks.append(_mark(record.id, group, "done", "", msgspec.json.encode((before, outcome)).decode()))
        told.append((group, now, record.actor, TOLD[record.act.action], note_of(record.act)))
    _apply(connection, changed, rows, told)
    if marks:
        connection.execute(_MARK, marks)
    counted = Counter(str(mark["now"]) for mark in marks)
    done, refused = record.done + counted["done"], record.refused + counted["refused"]
    finished = done + refused >= record.total
    over = {"state": "done", "finished": micros(now)} if finished else {}
    _set(connection, record.id, done=done, refused=refused, **over)


def _take_back(connection: Connection, record: ActRecord, now: datetime) -> None:
    """Restore the next chunk of an act that is undone; what was decided otherwise since stays."""
    chunk = _chunk(connection, record.id, "done")
    rows = _rows(connection, record.id, chunk)
    changed: dict[str, Decision] = {}
    marks: list[dict[str, object]] = []
    told: list[tuple[str, datetime, str, str, str]] = []
    for group, change in chunk.items():
        before, after = _decisions.decode(change)
        untouched = group in rows and _decision(rows[group]) == after
        if untouched:
            if before != after:
                changed[group] = before
            told.append((group, now, record.actor, "undone", TOLD[record.act.action]))
            marks.append(_mark(record.id, group, "undone", "", change))
        else:
            marks.append(_mark(record.id, group, "refused", "alert-changed", change))
    _apply(connection, changed, rows, told)
    if marks:
        connection.execute(_MARK, marks)
    if len(chunk) < CHUNK_GROUPS:
        _set(connection, record.id, state="undone", finished=micros(now))


def _apply(
    connection: Connection,
    changed: Mapping[str, Decision],
    rows: Mapping[str, RowMapping],
    told: Sequence[tuple[str, datetime, str, str, str]],
) -> None:
    if not told:
        return
    revision = bump(connection, "alerts")
    after = {one: msgspec.structs.asdict(new).items() for one, new in changed.items()}
    decide(
        connection,
        {one: {name: new for name, new in some if new != rows[one][name]} for one, some in after.items()},
        revision,
    )
    judged = [rows[one] for one, new in changed.items() if new.classification != rows[one]["classification"]]
    settle(connection, [(row["unit"], row["entity_key"]) for row in judged])
    tell(connection, told)
    parents = {after.parent for after in changed.values()} | {rows[group]["parent"] for group in changed}
    moved = {group for group, after in changed.items() if after.parent != rows[group]["parent"]}
    if moved:
        settle_parents(connection, sorted(parents - {""}), revision)


def _chunk(connection: Connection, number: int, state: str) -> dict[str, str]:
    query = select(_I.group_id, _I.change).where(_I.act == number, _I.state == state)
    query = query.order_by(_I.group_id).limit(CHUNK_GROUPS)
    return {row.group_id: row.change for row in connection.execute(query)}


def _rows(connection: Connection, number: int, chunk: Mapping[str, str]) -> dict[str, RowMapping]:
    """The groups of a chunk, locked until commit."""
    if not chunk:
        return {}
    names = ("id", "key", "generation", "unit", "entity_key", "members", *_DECIDED)
    # The ids of a chunk are neighbours among the act's own items: no list of thousands of parameters.
    mine = select(_I.group_id).where(_I.act == number, _I.group_id.between(min(chunk), max(chunk)))
    query = select(*(_C[name] for name in names)).where(_C.id.in_(mine)).with_for_update()
    return {row["id"]: row for row in connection.execute(query).mappings()}


def _superseded(connection: Connection, rows: Mapping[str, RowMapping]) -> frozenset[str]:
    """Those of the groups that have a younger instance."""
    found = set()
    for group, row in rows.items():
        younger = exists().where(and_(_C.key == row["key"], _C.generation > row["generation"]))
        if connection.scalar(select(case((younger, 1), else_=0))):
            found.add(group)
    return frozenset(found)


def _target(connection: Connection, act: Act) -> Target | None:
    if act.action != "merge":
        return None
    query = select(_C.id, _C.unit, _C.parent, _C.state).where(_C.id == act.into)
    row = connection.execute(query).mappings().first()
    return Target(**row) if row else None


def _decision(row: RowMapping) -> Decision:
    return Decision(*(row[name] for name in _DECIDED))


def _mark(act: int, group: str, state: str, code: str, change: str) -> dict[str, object]:
    return {"of": act, "about": group, "now": state, "why": code, "what": change}


def _set(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(alert_acts).where(alert_acts.c.id == number).values(**values))


def _record(connection: Connection, number: int) -> ActRecord:
    row = connection.execute(select(alert_acts).where(alert_acts.c.id == number)).mappings().first()
    if row is None:
        raise _not_found()
    return _of(row)


def _of(row: RowMapping) -> ActRecord:
    return ActRecord(
        id=row["id"],
        time=from_micros(row["time"]),
        actor=row["actor"],
        act=_acts.decode(row["arguments"]),
        state=row["state"],
        total=row["total"],
        done=row["done"],
        refused=row["refused"],
        finished=from_micros(row["finished"]) if row["finished"] is not None else None,
    )


def _not_found() -> Refused:
    return Refused(
        "act-not-found",
        Words("没有这项操作,或不是您做的", "there is no such act, or it is not yours"),
        Words("请刷新后重试", "reload and try again"),
    )
