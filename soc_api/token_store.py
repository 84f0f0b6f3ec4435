"""Tokens of programs and wall displays in the state database; of each only a digest is kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec
from sqlalchemy import Engine, insert, select, update

from detection.store.progress_store import counter
from detection.store.state import writing
from detection.store.tables import from_micros, micros
from soc_api.audit import Entry
from soc_api.audit_store import append, recording
from soc_api.identity_store import Account, account_of
from soc_api.identity_tables import api_tokens
from soc_api.tables import accounts

REVISION: Final = "tokens"  # the counter that grows with every token made, bound or revoked
Kind = Literal["api", "kiosk"]


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as stored; ``source`` is the only address it is taken from, '' for any."""

    id: str
    digest: str
    account: int
    kind: Kind
    name: str
    permissions: tuple[str, ...]
    unit: str
    source: str
    made: datetime
    expires: datetime
    revoked: datetime | None
    used: datetime | None


class TokenStore:
    """Tokens over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, new: Token, said: Entry) -> None:
        """Keep a token."""
        values = {
            **msgspec.structs.asdict(new),
            "permissions": " ".join(new.permissions),
            "made": micros(new.made),
            "expires": micros(new.expires),
            "revoked": None,
            "used": None,
        }
        with recording(self._engine) as connection:
            connection.execute(insert(api_tokens).values(values))
            append(connection, said, counts=REVISION)

    def token(self, id_: str) -> tuple[Token, Account] | None:
        """The token of that id with the account whose rights it lends."""
        for found in self._where(api_tokens.c.id == id_):
            return found
        return None

    def tokens(self, account: int | None = None) -> Sequence[tuple[Token, Account]]:
        """The tokens of one account, or all, newest first."""
        return self._where(api_tokens.c.account == account if account is not None else None)

    def revoke(self, id_: str, said: Entry) -> bool:
        """Take no request of it any more; False where it was revoked before."""
        with recording(self._engine) as connection:
            mine = update(api_tokens).where(api_tokens.c.id == id_, api_tokens.c.revoked.is_(None))
            if not connection.execute(mine.values(revoked=micros(said.time))).rowcount:
                return False
            append(connection, said, counts=REVISION)
        return True

    def bind(self, id_: str, source: str, said: Entry) -> bool:
        """Take it from this address alone from now on; False where another was first."""
        with recording(self._engine) as connection:
            free = update(api_tokens).where(api_tokens.c.id == id_, api_tokens.c.source == "")
            if not connection.execute(free.values(source=source)).rowcount:
                return False
            append(connection, said, counts=REVISION)
        return True

    def revision(self) -> int:
        """Grows with every token made, bound or revoked."""
        with self._engine.connect() as connection:
            return counter(connection, REVISION)

    def touch(self, id_: str, now: datetime) -> None:
        """It was used just now."""
        with writing(self._engine) as connection:
            connection.execute(update(api_tokens).where(api_tokens.c.id == id_).values(used=micros(now)))

    def _where(self, condition: object | None) -> list[tuple[Token, Account]]:
        names = [column.label(f"token_{column.name}") for column in api_tokens.c]
        query = select(accounts, *names).join(accounts, api_tokens.c.account == accounts.c.id)
        if condition is not None:
            query = query.where(condition)  # type: ignore[arg-type]
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(api_tokens.c.made.desc())).mappings().all()
        found = []
        for row in rows:
            told = {column.name: row[f"token_{column.name}"] for column in api_tokens.c}
            told |= {"permissions": tuple(told["permissions"].split())}
            told |= {
                name: None if told[name] is None else from_micros(told[name])
                for name in ("made", "expires", "revoked", "used")
            }
            found.append((Token(**told), account_of(row)))
        return found
