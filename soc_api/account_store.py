"""What the administrators see of accounts and sessions, and change; every change commits with its line."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from crypto.words import Refused, Words
from detection.store.progress_store import bump, counter
from detection.store.tables import from_micros, micros
from soc_api.audit import Entry
from soc_api.audit_store import append, recording
from soc_api.identity_store import REVISION, Account, account_of
from soc_api.identity_tables import api_tokens, second_factors
from soc_api.tables import accounts, login_failures, sessions
from soc_api.token_store import REVISION as TOKENS


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An account with what stands around it."""

    account: Account
    created: datetime
    bound: datetime | None  # since when it has a device
    sessions: int  # that have not ended


class OpenSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session as the administrators see it; ``id`` is the beginning of its token's digest."""

    id: str
    username: str
    unit: str
    role: str
    source: str
    factor: str
    created: datetime
    seen: datetime
    expires: datetime


class AccountStore:
    """Accounts over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def facts(self, now: datetime) -> list[AccountFacts]:
        """Every account there ever was, by name."""
        alive = (
            select(sessions.c.account, func.count().label("open"))
            .where(sessions.c.expires > micros(now))
            .group_by(sessions.c.account)
            .subquery()
        )
        query = (
            select(accounts, second_factors.c.bound, alive.c.open)
            .outerjoin(second_factors, second_factors.c.account == accounts.c.id)
            .outerjoin(alive, alive.c.account == accounts.c.id)
            .order_by(accounts.c.username)
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            AccountFacts(
                account=account_of(row),
                created=from_micros(row["created"]),
                bound=None if row["bound"] is None else from_micros(row["bound"]),
                sessions=row["open"] or 0,
            )
            for row in rows
        ]

    def locked(self, digests: Sequence[str], now: datetime) -> set[str]:
        """Which of these digests of names are locked."""
        query = select(login_failures.c.name_digest).where(
            login_failures.c.name_digest.in_(list(digests)), login_failures.c.locked_until > micros(now)
        )
        with self._engine.connect() as connection:
            return set(connection.scalars(query))

    def revision(self) -> int:
        """Grows with every change of an account, its device or its sessions."""
        with self._engine.connect() as connection:
            return counter(connection, REVISION)

    def in_use(self, role: str) -> int:
        """How many accounts of a role can still be used."""
        query = select(func.count()).select_from(accounts)
        query = query.where(accounts.c.role == role, ~accounts.c.disabled, ~accounts.c.waits)
        with self._engine.connect() as connection:
            return int(connection.scalar(query) or 0)

    def change(self, account: Account, values: Mapping[str, Any], said: Entry, *, evict: bool) -> None:
        """Change columns of an account; ``evict`` ends its sessions and tokens.

        Raises Refused (roles-exclusive).
        """
        mine = update(accounts).where(accounts.c.id == account.id)
        with recording(self._engine) as connection:
            try:
                connection.execute(mine.values(**values))
            except IntegrityError as error:
                raise exclusive() from error
            if evict:
                connection.execute(delete(sessions).where(sessions.c.account == account.id))
                own = update(api_tokens).where(
                    api_tokens.c.account == account.id, api_tokens.c.revoked.is_(None)
                )
                connection.execute(own.values(revoked=micros(said.time)))
                bump(connection, TOKENS)
            append(connection, said, counts=REVISION)

    def unlock(self, name_digest: str, said: Entry) -> None:
        """Forget the failures of a name."""
        with recording(self._engine) as connection:
            connection.execute(delete(login_failures).where(login_failures.c.name_digest == name_digest))
            append(connection, said, counts=REVISION)

    def open_sessions(self, now: datetime) -> list[OpenSession]:
        """Sessions that have not reached their end, the latest first."""
        query = (
            select(sessions, accounts.c.username, accounts.c.unit, accounts.c.role)
            .join(accounts, sessions.c.account == accounts.c.id)
            .where(sessions.c.expires > micros(now))
            .order_by(sessions.c.seen.desc())
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            OpenSession(
                id=row["token_digest"][:16],
                username=row["username"],
                unit=row["unit"],
                role=row["role"],
                source=row["source"],
                factor=row["factor"],
                created=from_micros(row["created"]),
                seen=from_micros(row["seen"]),
                expires=from_micros(row["expires"]),
            )
            for row in rows
        ]

    def end_session(self, session: str, said: Entry) -> None:
        """End the session whose digest begins so."""
        with recording(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.token_digest.startswith(session)))
            append(connection, said, counts=REVISION)


def exclusive() -> Refused:
    """The refusal of a role that excludes the one the person has."""
    return Refused(
        "roles-exclusive",
        Words("三员角色互斥且不可更换", "administrators' roles exclude all others and are kept"),
        Words(
            "系统、安全、审计管理员须为新账号,一人一号",
            "the three administrators have fresh accounts, each a person of its own",
        ),
        field="role",
    )
