"""Second factors in the state database; a code is spent in the transaction that opens the session."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from crypto.otp import Hash
from detection.store.tables import from_micros, micros
from soc_api.audit import Entry
from soc_api.audit_store import append, recording
from soc_api.identity_tables import second_factors
from soc_api.tables import sessions


class Factor(msgspec.Struct, frozen=True, kw_only=True):
    """The device of an account as stored; ``secret`` is sealed."""

    account: int
    hash: Hash
    secret: str
    made: datetime
    bound: datetime | None
    last_step: int


class FactorStore:
    """Second factors over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def factor(self, account: int) -> Factor | None:
        """What the account has, bound or waiting for its first code."""
        query = select(second_factors).where(second_factors.c.account == account)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        bound = None if row["bound"] is None else from_micros(row["bound"])
        return Factor(**(dict(row) | {"made": from_micros(row["made"]), "bound": bound}))

    def offer(self, new: Factor, said: Entry) -> bool:
        """Keep a device that is not bound yet in place of another such; False where one is bound."""
        with recording(self._engine) as connection:
            forgotten = delete(second_factors).where(second_factors.c.account == new.account)
            connection.execute(forgotten.where(second_factors.c.bound.is_(None)))
            taken = select(second_factors.c.account).where(second_factors.c.account == new.account)
            if connection.scalar(taken) is not None:
                return False
            values = msgspec.structs.asdict(new) | {"made": micros(new.made), "bound": None}
            connection.execute(insert(second_factors).values(values))
            append(connection, said)
        return True

    def bind(self, account: int, step: int, token_digest: str, now: datetime, said: Entry) -> bool:
        """The device has proven itself: it is the account's, and its code counts for the session."""
        mine = second_factors.c.account == account
        with recording(self._engine) as connection:
            waiting = update(second_factors).where(mine, second_factors.c.bound.is_(None))
            if not connection.execute(waiting.values(bound=micros(now), last_step=step)).rowcount:
                return False
            own = update(sessions).where(sessions.c.token_digest == token_digest)
            connection.execute(own.values(factor="otp"))
            append(connection, said, counts="accounts")
        return True


def spend(connection: Connection, account: int, step: int) -> bool:
    """Whether the code of ``step`` was still good; from here on it is not."""
    mine = second_factors.c.account == account
    spent = update(second_factors).where(mine, second_factors.c.last_step < step).values(last_step=step)
    return bool(connection.execute(spent).rowcount)


def forget(connection: Connection, account: int) -> None:
    """Take the device from the account."""
    connection.execute(delete(second_factors).where(second_factors.c.account == account))
