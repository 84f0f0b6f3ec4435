"""Accounts, sessions and failed logins in the state database; every change commits with its audit line."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from crypto.words import Refused, Words
from detection.store.tables import from_micros, micros
from soc_api.audit import Entry
from soc_api.audit_store import append, recording
from soc_api.bodies import Role
from soc_api.passwords import PAST_KEPT
from soc_api.second_factor import FactorName
from soc_api.second_factor_store import forget, spend
from soc_api.tables import accounts, login_failures, passwords_past, sessions

REVISION: Final = "accounts"  # the counter that grows with every change of an account or its sessions
FAILED_NAMES_MAX: Final = 10_000  # names counted at a time; the oldest go first


_TOLD: Final = ("username", "display_name", "person", "role", "unit", "disabled", "waits", "must_change")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person's account as stored."""

    id: int
    username: str
    display_name: str
    role: Role
    unit: str
    password: str
    must_change: bool
    one_time_expires: datetime | None
    disabled: bool
    password_changed: datetime | None = None
    person: str = ""  # how the unit names the person; one has one account
    waits: bool = False  # for the security administrator to agree to a new one-time password
    created_by: str = ""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A session as stored; the token is known only by its digest."""

    token_digest: str
    source: str
    created: datetime
    seen: datetime
    expires: datetime
    factor: FactorName


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """Failed logins in a row under one typed name."""

    count: int
    last: datetime
    locked_until: datetime


class IdentityStore:
    """Accounts and sessions over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def account(self, username: str) -> Account | None:
        """The account of that exact name."""
        with self._engine.connect() as connection:
            row = (
                connection.execute(select(accounts).where(accounts.c.username == username)).mappings().first()
            )
        return None if row is None else account_of(row)

    def roles_held(self) -> list[str]:
        """The roles of accounts that are in use."""
        query = select(accounts.c.role).where(~accounts.c.disabled).distinct().order_by(accounts.c.role)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    def create(self, new: Account, now: datetime, said: Entry) -> None:
        """Add an account (its ``id`` is given here). Raises Refused (account-exists, person-taken)."""
        values = {
            "username": new.username,
            "display_name": new.display_name,
            "role": new.role,
            "unit": new.unit,
            "disabled": new.disabled,
            "created": micros(now),
            "person": new.person or None,
            "waits": new.waits,
            "created_by": new.created_by,
            **_credential(new.password, new.must_change, new.one_time_expires, now),
        }
        with recording(self._engine) as connection:
            if (
                connection.scalar(select(accounts.c.id).where(accounts.c.username == new.username))
                is not None
            ):
                raise _exists(new.username)
            taken = select(accounts.c.username).where(accounts.c.person == new.person)
            if new.person and (holder := connection.scalar(taken)) is not None:
                raise _taken(new.person, str(holder))
            connection.execute(insert(accounts).values(**values))
            append(connection, said, counts=REVISION)

    def failures(self, name_digest: str) -> Failures | None:
        """Failed logins in a row under a typed name."""
        with self._engine.connect() as connection:
            return _failures(connection, name_digest)

    def fail(self, name_digest: str, judge: Callable[[Failures | None], tuple[Failures, Entry]]) -> None:
        """Replace the count of a typed name by what ``judge`` makes of it, with the line that tells so.

        The count is read and written under one lock: attempts side by side are all counted.
        """
        with recording(self._engine) as connection:
            before = _failures(connection, name_digest)
            after, said = judge(before)
            values = {
                "count": after.count,
                "last": micros(after.last),
                "locked_until": micros(after.locked_until),
            }
            if before is None:
                _make_room(connection)
                connection.execute(insert(login_failures).values(name_digest=name_digest, **values))
            else:
                mine = login_failures.c.name_digest == name_digest
                connection.execute(update(login_failures).where(mine).values(**values))
            append(connection, said, counts=REVISION if after.locked_until > after.last else "")

    def open_session(
        self,
        account: Account,
        row: SessionRow,
        name_digest: str,
        step: int | None,
        said: Entry,
        *,
        sessions_max: int,
    ) -> bool:
        """Start a session, spend the code of ``step`` and forget the failures.

        False where the name was locked or the code was spent meanwhile.
        """
        with recording(self._engine) as connection:
            found = _failures(connection, name_digest)
            if found is not None and found.locked_until > row.created:
                return False
            if step is not None and not spend(connection, account.id, step):
                return False
            connection.execute(delete(login_failures).where(login_failures.c.name_digest == name_digest))
            connection.execute(delete(sessions).where(sessions.c.expires <= micros(row.created)))
            mine = select(sessions.c.token_digest).where(sessions.c.account == account.id)
            older = mine.order_by(sessions.c.created.desc()).offset(sessions_max - 1)
            for digest in connection.scalars(older).all():
                connection.execute(delete(sessions).where(sessions.c.token_digest == digest))
            connection.execute(
                insert(sessions).values(
                    token_digest=row.token_digest,
                    account=account.id,
                    source=row.source,
                    created=micros(row.created),
                    seen=micros(row.seen),
                    expires=micros(row.expires),
                    factor=row.factor,
                )
            )
            append(connection, said, counts=REVISION)
        return True

    def session(self, token_digest: str) -> tuple[Account, SessionRow] | None:
        """The session of a token's digest with its account."""
        query = (
            select(accounts, sessions.c.token_digest, sessions.c.source)
            .add_columns(
                sessions.c.created.label("session_created"),
                sessions.c.seen,
                sessions.c.expires,
                sessions.c.factor,
            )
            .join_from(sessions, accounts, sessions.c.account == accounts.c.id)
            .where(sessions.c.token_digest == token_digest)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else (account_of(row), _session(row))

    def touch(self, token_digest: str, now: datetime) -> None:
        """The person did something: the idle clock starts again."""
        with recording(self._engine) as connection:
            connection.execute(
                update(sessions).where(sessions.c.token_digest == token_digest).values(seen=micros(now))
            )

    def end_session(self, token_digest: str, said: Entry) -> None:
        """Forget a session; its token opens nothing from here on."""
        with recording(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.token_digest == token_digest))
            append(connection, said, counts=REVISION)

    def past_passwords(self, account: Account) -> list[str]:
        """The stored forms of the last passwords, the present one included."""
        query = select(passwords_past.c.password).where(passwords_past.c.account == account.id)
        with self._engine.connect() as connection:
            past = connection.scalars(query.order_by(passwords_past.c.id.desc()).limit(PAST_KEPT - 1)).all()
        return [account.password, *past]

    def set_password(
        self,
        account: Account,
        stored: str,
        *,
        expires: datetime | None,
        keep: str,
        now: datetime,
        said: Entry,
        unbind: bool = False,
        waits: bool = False,
    ) -> None:
        """Change the password and end all other sessions but the one with digest ``keep``.

        ``expires`` is given for a one-time password, which must then be changed at the first login;
        ``unbind`` takes the second factor away with the old password, ``waits`` says that it opens nothing
        before the security administrator agrees.
        """
        credential = _credential(stored, expires is not None, expires, now)
        others = delete(sessions).where(sessions.c.account == account.id, sessions.c.token_digest != keep)
        with recording(self._engine) as connection:
            connection.execute(
                insert(passwords_past).values(account=account.id, password=account.password, time=micros(now))
            )
            mine = update(accounts).where(accounts.c.id == account.id)
            connection.execute(mine.values(waits=waits, **credential))
            connection.execute(others)
            if unbind:
                forget(connection, account.id)
            append(connection, said, counts=REVISION)


def _credential(stored: str, must_change: bool, expires: datetime | None, now: datetime) -> dict[str, Any]:
    return {
        "password": stored,
        "password_changed": micros(now),
        "must_change": must_change,
        "one_time_expires": None if expires is None else micros(expires),
    }


def _make_room(connection: Connection) -> None:
    surplus = select(login_failures.c.name_digest).order_by(login_failures.c.last.desc())
    for digest in connection.scalars(surplus.offset(FAILED_NAMES_MAX - 1)).all():
        connection.execute(delete(login_failures).where(login_failures.c.name_digest == digest))


def _failures(connection: Connection, name_digest: str) -> Failures | None:
    query = select(login_failures).where(login_failures.c.name_digest == name_digest)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    return Failures(
        count=row["count"], last=from_micros(row["last"]), locked_until=from_micros(row["locked_until"])
    )


def told_of(account: Account) -> dict[str, Any]:
    """What the audit log's digests of an account are made of: never its password."""
    return {name: value for name, value in msgspec.structs.asdict(account).items() if name in _TOLD}


def account_of(row: RowMapping) -> Account:
    """The account of a row of its table."""
    expires = row["one_time_expires"]
    return Account(
        id=row["id"],
        username=row["username"],
        display_name=row["display_name"],
        role=row["role"],
        unit=row["unit"],
        password=row["password"],
        must_change=row["must_change"],
        one_time_expires=None if expires is None else from_micros(expires),
        disabled=row["disabled"],
        password_changed=from_micros(row["password_changed"]),
        person=row["person"] or "",
        waits=row["waits"],
        created_by=row["created_by"],
    )


def _session(row: RowMapping) -> SessionRow:
    return SessionRow(
        token_digest=row["token_digest"],
        source=row["source"],
        created=from_micros(row["session_created"]),
        seen=from_micros(row["seen"]),
        expires=from_micros(row["expires"]),
        factor=row["factor"],
    )


def _exists(username: str) -> Refused:
    return Refused(
        "account-exists",
        Words(f"用户名 {username} 已被使用过", f"the user name {username} has been used already"),
        Words("请另选用户名,用户名不重复使用", "choose another one: user names are not given out twice"),
        field="username",
    )


def _taken(person: str, holder: str) -> Refused:
    return Refused(
        "person-taken",
        Words(f"{person} 已有账号 {holder}", f"{person} has the account {holder} already"),
        Words("一人只能有一个账号,角色互斥", "one person has one account: roles exclude each other"),
        field="person",
    )
