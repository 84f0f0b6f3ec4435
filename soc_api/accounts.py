"""Accounts in the hands of two administrators: one creates them, the other grants role and unit.

The system administrator creates an account and issues its one-time password; neither opens anything before
the security administrator has granted the role, or agreed to a password that was issued again. Nobody acts
on the own account, and the last of each administrator stays. The auditor sees every line.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

from crypto.words import Refused, Words
from soc_api.account_store import AccountFacts, AccountStore, OpenSession, exclusive
from soc_api.audit import Entry, entry, state_digest
from soc_api.bodies import Role
from soc_api.identity import ONE_TIME_MAX, Identity, Visit
from soc_api.identity_store import Account, told_of

ADMINISTRATORS: Final[tuple[Role, ...]] = ("system_admin", "security_admin", "audit_admin")

_NEVER: Final = datetime(9000, 1, 1, tzinfo=UTC)  # sessions are not counted where nobody asks

State = Literal["ungranted", "waiting", "locked", "disabled", "one-time", "active"]


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time password, shown to the system administrator once and kept nowhere."""

    username: str
    one_time: str
    expires: datetime


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """An account as the administrators see it."""

    facts: AccountFacts
    state: State


class Accounts:
    """The administrators' acts over an ``AccountStore``; logins themselves are ``Identity``'s."""

    def __init__(self, store: AccountStore, identity: Identity) -> None:
        self._store = store
        self._identity = identity

    def revision(self) -> int:
        """Grows with every change of an account, its device or its sessions."""
        return self._store.revision()

    def page(self, now: datetime) -> list[Seen]:
        """All accounts with their states."""
        facts = self._store.facts(now)
        digests = {name_digest(one.account.username): one for one in facts}
        locked = self._store.locked(list(digests), now)
        return [Seen(facts=one, state=_state(one, digest in locked)) for digest, one in digests.items()]

    def create(self, username: str, display_name: str, person: str, visit: Visit, now: datetime) -> Issued:
        """An account without a role, of the creator's unit. Raises BadInput, Refused (account-exists, …)."""
        password = self._identity.create_account(
            username,
            display_name,
            "",
            visit.account.unit,
            now,
            actor=visit.actor,
            source=visit.source,
            person=person.strip(),
        )
        return Issued(username=username, one_time=password, expires=now + ONE_TIME_MAX)

    def issue(self, username: str, unbind: bool, visit: Visit, now: datetime) -> Issued:
        """A new one-time password; it opens nothing before the security administrator agrees."""
        self._other(username, visit)
        password = self._identity.reset_password(
            username, now, actor=visit.actor, source=visit.source, unbind=unbind, waits=True
        )
        return Issued(username=username, one_time=password, expires=now + ONE_TIME_MAX)

    def grant(self, username: str, role: Role, unit: str, visit: Visit, now: datetime) -> None:
        """Give the account its role and unit. Raises Refused (account-self, roles-exclusive)."""
        account = self._other(username, visit).account
        changed = account.role != role
        if changed and bool(account.role) and (role in ADMINISTRATORS or account.role in ADMINISTRATORS):
            raise exclusive()
        about = f"{username}/{role}/{unit}"
        evict = bool(account.role) and (changed or account.unit != unit)
        values = {"role": role, "unit": unit, "waits": False}
        said = _said(visit, now, "account.grant", about, account, values)
        self._store.change(account, values, said, evict=evict)

    def release(self, username: str, visit: Visit, now: datetime) -> None:
        """Agree to the one-time password that was issued. Raises Refused (account-ungranted, …)."""
        account = self._other(username, visit).account
        if not account.role:
            raise Refused(
                "account-ungranted",
                Words("此账号尚未授予角色", "the account has no role yet"),
                Words("请先授予角色与单位", "grant its role and unit first"),
                field="role",
            )
        self._change(username, {"waits": False}, visit, now, "account.release")

    def disable(self, username: str, reason: str, visit: Visit, now: datetime) -> None:
        """Close the account and end its sessions and tokens. Raises Refused (administrator-last)."""
        account = self._other(username, visit).account
        if account.role in ADMINISTRATORS and not account.disabled and self._store.in_use(account.role) < 2:
            raise Refused(
                "administrator-last",
                Words(
                    "这是该管理员角色最后一个可用账号", "it is the last usable account of this administrator"
                ),
                Words("请先增设一名同角色管理员", "add another administrator of this role first"),
                field="username",
            )
        values = {"disabled": True}
        said = _said(visit, now, "account.disable", f"{username}: {reason}", account, values)
        self._store.change(account, values, said, evict=True)

    def enable(self, username: str, visit: Visit, now: datetime) -> None:
        """Open the account again."""
        self._change(username, {"disabled": False}, visit, now, "account.enable")

    def unlock(self, username: str, visit: Visit, now: datetime) -> None:
        """Forget the failed logins of the name (P-03)."""
        self._other(username, visit)
        self._store.unlock(name_digest(username), _said(visit, now, "account.unlock", username))

    def account(self, username: str) -> AccountFacts:
        """The account of a name. Raises Refused (account-not-found)."""
        for one in self._store.facts(_NEVER):
            if one.account.username == username:
                return one
        raise Refused(
            "account-not-found",
            Words(f"没有账号 {username}", f"there is no account {username}"),
            Words("请核对用户名", "check the user name"),
            field="username",
        )

    def sessions(self, now: datetime) -> Sequence[OpenSession]:
        """Every open session."""
        return self._store.open_sessions(now)

    def end_session(self, session: str, visit: Visit, now: datetime) -> None:
        """End somebody's session. Raises Refused (session-not-found)."""
        for one in self._store.open_sessions(now):
            if one.id == session:
                said = _said(visit, now, "session.end", f"{one.username}/{one.id}")
                self._store.end_session(session, said)
                return
        raise session_unknown()

    def _change(
        self, username: str, values: dict[str, Any], visit: Visit, now: datetime, action: str
    ) -> None:
        account = self._other(username, visit).account
        said = _said(visit, now, action, username, account, values)
        self._store.change(account, values, said, evict=False)

    def _other(self, username: str, visit: Visit) -> AccountFacts:
        """Somebody else's account. Raises Refused (account-self, account-not-found)."""
        if username == visit.account.username:
            raise Refused(
                "account-self",
                Words("不能办理自己的账号", "nobody acts on the own account"),
                Words("请由另一名管理员办理", "ask another administrator"),
                field="username",
            )
        return self.account(username)


def name_digest(username: str) -> str:
    """How the count of failed logins knows a name."""
    return hashlib.sha256(f"name:{username}".encode("utf-8", "surrogatepass")).hexdigest()


def session_unknown() -> Refused:
    """The answer to a session that is not there."""
    return Refused(
        "session-not-found",
        Words("没有这个会话,或已结束", "there is no such session, or it is over"),
        Words("请刷新列表", "reload the list"),
        field="session",
    )


def _state(one: AccountFacts, locked: bool) -> State:
    account = one.account
    found: list[tuple[bool, State]] = [
        (account.disabled, "disabled"),
        (not account.role, "ungranted"),
        (account.waits, "waiting"),
        (locked, "locked"),
        (account.must_change, "one-time"),
    ]
    return next((state for holds, state in found if holds), "active")


def _said(
    visit: Visit,
    now: datetime,
    action: str,
    about: str,
    account: Account | None = None,
    values: Mapping[str, Any] | None = None,
) -> Entry:
    """A line; of an account that gets other ``values`` with its digests before and after."""
    states = ("", "")
    if account is not None:
        after = msgspec.structs.replace(account, **(values or {}))
        states = state_digest(told_of(account)), state_digest(told_of(after))
    return entry(
        time=now,
        actor=visit.actor,
        source=visit.source,
        action=action,
        about=about,
        before=states[0],
        after=states[1],
    )
