"""Decisions of gates, overrides and the release switch over one state database; each change is an act."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from compliance.acts_store import Act, add_act, canonical, next_number
from compliance.enforcement_tables import acts, gate_decisions, gate_overrides, gate_releases
from compliance.gate import GateDecision, GateName, Override, Release
from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros

PAGE_MAX: Final = 500
_decision: Final = msgspec.json.Decoder(GateDecision)
_override: Final = msgspec.json.Decoder(Override)


class KeptDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision with its number and its leaf, None while a job has not placed it."""

    id: int
    decision: GateDecision
    leaf: int | None


class GateStore:
    """Gates over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, decision: GateDecision) -> int:
        """Keep a decision; its number."""
        with writing(self._engine) as connection:
            number = next_number(connection, gate_decisions.c.id)
            answer = "allowed" if decision.allowed else "refused"
            act = Act(
                kind="decision",
                time=decision.time,
                actor=decision.decider,
                subject=f"decision:{number}",
                summary=f"{decision.gate} {decision.action} {decision.system} {answer}: {decision.reason.zh}",
                payload=canonical(decision),
            )
            values = {
                "id": number,
                "time": micros(decision.time),
                "gate": decision.gate,
                "system": decision.system,
                "action": decision.action,
                "about": decision.about[:256],
                "allowed": decision.allowed,
                "ground": decision.ruling,
                "decider": decision.decider,
                "act": add_act(connection, act),
                "body": canonical(decision).decode(),
            }
            connection.execute(insert(gate_decisions).values(values))
        return number

    def decisions(self, *, system: str = "", before: int = 0, limit: int = 100) -> list[KeptDecision]:
        """Decisions, newest first."""
        joined = gate_decisions.join(acts, acts.c.id == gate_decisions.c.act)
        query = select(gate_decisions.c.id, gate_decisions.c.body, acts.c.leaf).select_from(joined)
        if system:
            query = query.where(gate_decisions.c.system == system)
        if before:
            query = query.where(gate_decisions.c.id < before)
        query = query.order_by(gate_decisions.c.id.desc()).limit(max(1, min(limit, PAGE_MAX)))
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [KeptDecision(id=row.id, decision=_decision.decode(row.body), leaf=row.leaf) for row in rows]

    def ask_override(self, override: Override) -> Override:
        """Keep an override one person asks for."""
        with writing(self._engine) as connection:
            asked = msgspec.structs.replace(override, id=next_number(connection, gate_overrides.c.id))
            connection.execute(insert(gate_overrides).values(_override_row(asked)))
            _override_act(connection, asked, asked.asked_by, asked.asked)
        return asked

    def decide_override(self, decided: Override, was: str, actor: str, now: datetime) -> Override:
        """Approve, refuse or end an override that is ``was``. Raises Refused (override-state)."""
        with writing(self._engine) as connection:
            place = (gate_overrides.c.id == decided.id, gate_overrides.c.state == was)
            done = connection.execute(update(gate_overrides).where(*place).values(_override_row(decided)))
            if not done.rowcount:
                raise Refused(
                    "override-state",
                    Words("该授权的状态已变化", "the override is in another state by now"),
                    Words("请刷新后重试", "reload and try again"),
                    field=str(decided.id),
                )
            _override_act(connection, decided, actor, now)
        return decided

    def override(self, number: int) -> Override:
        """One override. Raises Refused (override-not-found)."""
        with self._engine.connect() as connection:
            body = connection.scalar(select(gate_overrides.c.body).where(gate_overrides.c.id == number))
        if body is None:
            raise Refused(
                "override-not-found",
                Words(f"没有编号为 {number} 的放行授权", f"there is no override {number}"),
                Words("请从列表中选择", "choose one from the list"),
                field=str(number),
            )
        return _override.decode(body)

    def overrides(self, limit: int = 100) -> list[Override]:
        """Overrides, newest first."""
        query = select(gate_overrides.c.body).order_by(gate_overrides.c.id.desc())
        with self._engine.connect() as connection:
            return [_override.decode(body) for body in connection.scalars(query.limit(min(limit, PAGE_MAX)))]

    def approved(self, gate: GateName, system: str, now: datetime) -> Sequence[Override]:
        """Overrides that hold."""
        query = select(gate_overrides.c.body).where(
            gate_overrides.c.gate == gate,
            gate_overrides.c.system == system,
            gate_overrides.c.state == "approved",
            gate_overrides.c.expires > micros(now),
        )
        with self._engine.connect() as connection:
            return [_override.decode(body) for body in connection.scalars(query)]

    def switch(self, release: Release) -> Release:
        """Open every gate until a time, or end that."""
        with writing(self._engine) as connection:
            kept = msgspec.structs.replace(release, id=next_number(connection, gate_releases.c.id))
            values = msgspec.structs.asdict(kept) | {"time": micros(kept.time), "until": micros(kept.until)}
            connection.execute(insert(gate_releases).values(values))
            word = "released" if kept.released else "closed again"
            act = Act(
                kind="decision",
                time=kept.time,
                actor=kept.actor,
                subject=f"release:{kept.id}",
                summary=f"gates {word} until {kept.until.isoformat()}: {kept.reason}",
                payload=canonical(kept),
            )
            add_act(connection, act)
        return kept

    def release(self) -> Release | None:
        """What the switch says, whether it still holds or not; None where it was never touched."""
        query = select(gate_releases).order_by(gate_releases.c.id.desc()).limit(1)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _release(row)


def _override_row(override: Override) -> dict[str, object]:
    return {
        "id": override.id,
        "gate": override.gate,
        "system": override.system,
        "state": override.state,
        "asked_by": override.asked_by,
        "asked": micros(override.asked),
        "decided_by": override.decided_by,
        "decided": None if override.decided is None else micros(override.decided),
        "expires": micros(override.expires),
        "body": canonical(override).decode(),
    }


def _override_act(connection: Connection, override: Override, actor: str, now: datetime) -> None:
    act = Act(
        kind="decision",
        time=now,
        actor=actor,
        subject=f"override:{override.id}/{override.state}",
        summary=f"{override.gate} {override.system} {override.state}: {', '.join(override.checks)}",
        payload=canonical(override),
    )
    add_act(connection, act)


def _release(row: RowMapping) -> Release:
    times = {"time": from_micros(row["time"]), "until": from_micros(row["until"])}
    return Release(**(dict(row) | times))
