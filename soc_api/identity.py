"""Who is asking: login by two factors, sessions, forced password change and the account of the first start.

No session is opened by a password alone but that of a one-time password, which binds the second factor,
changes the password and does nothing else. A login under an unknown name costs and answers as one with a
wrong password or a wrong code, locks included. A session is a
256-bit random token of which the center keeps only a digest; its CSRF token is derived from it, so neither
can be read back from the database.
"""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, cast

import msgspec

from crypto.otp import Hash
from crypto.words import Refused, Words
from soc_api.audit import OK, SYSTEM_SOURCE, Entry, entry, state_digest
from soc_api.bodies import Role
from soc_api.identity_refusals import locked, login_refused, malformed, one_time_expired, waits
from soc_api.identity_store import Account, Failures, IdentityStore, SessionRow, told_of
from soc_api.passwords import Cost, check_rules, hash_password, matches, one_time_password, used_before
from soc_api.permissions import ROLES
from soc_api.second_factor import FactorName, KeyProof, Offer, SecondFactors, required, unbound

IDLE_MAX: Final = timedelta(minutes=10)
SESSION_MAX: Final = timedelta(hours=8)
ONE_TIME_MAX: Final = timedelta(hours=24)
FAILURES_MAX: Final = 5  # in a row under one name
LOCKED_FOR: Final = timedelta(minutes=30)
TOUCH_EVERY: Final = timedelta(seconds=20)  # one write in that time is enough to keep the idle clock
# Screens on the wall have no hands; they still end after SESSION_MAX.
NEVER_IDLE: Final = frozenset[Role]({"wall_display"})

_TOKEN_BYTES: Final = 32
_TOKEN_CHARS_MAX: Final = 64
_USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")
_PAST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the center's own rules add: [people] of center.toml."""

    password_days: int = 90  # then it must be changed before anything else
    sessions_max: int = 5  # of one account at a time; the oldest ends


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A request's session: who, by which token digest, until when."""

    account: Account
    token_digest: str
    csrf: str
    source: str
    expires: datetime
    factor: FactorName
    granted: frozenset[str] | None = None  # what a token lends; None: everything its role has

    def holds(self, permission: str) -> bool:
        """Whether nothing but the role limits this permission; a token lends some only."""
        return self.granted is None or permission in self.granted

    @property
    def actor(self) -> str:
        """The person as the audit log and the evidence name them."""
        return f"user:{self.account.username}"


class Identity:
    """Logins and sessions over an ``IdentityStore``; ``cost`` is that of new password hashes."""

    def __init__(
        self,
        store: IdentityStore,
        factors: SecondFactors,
        *,
        policy: Policy | None = None,
        cost: Cost | None = None,
    ) -> None:
        self._store = store
        self._policy = policy or Policy()
        self._factors = factors
        self._cost = cost or Cost()
        # An unknown name is checked against this one, so that it takes as long as a known one.
        self._nobody = hash_password(secrets.token_urlsafe(_TOKEN_BYTES), self._cost)

    def create_account(
        self,
        username: str,
        display_name: str,
        role: Role | Literal[""],
        unit: str,
        now: datetime,
        *,
        actor: str = "system:center",
        source: str = SYSTEM_SOURCE,
        person: str = "",
    ) -> str:
        """Add an account and return its one-time password, which is kept nowhere.

        Without a role it waits for the security administrator: nobody can log in with it.

        It opens the console for 24 hours, as often as needed, until the person has chosen a password: nothing
        but the session routes answers before that. Raises BadInput (account-malformed) or Refused
        (account-exists).
        """
        _check_account(username, role)
        password = one_time_password()
        new = Account(
            id=0,
            username=username,
            display_name=display_name.strip()[:128] or username,
            role=cast("Role", role),
            unit=unit,
            password=hash_password(password, self._cost),
            must_change=True,
            one_time_expires=now + ONE_TIME_MAX,
            disabled=False,
            person=person,
            waits=not role,
            created_by=actor,
        )
        about = f"{username}/{role}" if role else username
        after = state_digest(told_of(new))
        self._store.create(new, now, _said(now, actor, source, "account.create", about, after=after))
        return password

    def reset_password(
        self,
        username: str,
        now: datetime,
        *,
        actor: str = "system:center",
        source: str = SYSTEM_SOURCE,
        unbind: bool = True,
        waits: bool = False,
    ) -> str:
        """A new one-time password for an account; ends its sessions. Raises Refused (account-not-found).

        The second factor is taken away too unless ``unbind`` says otherwise: then its codes are still asked.
        With ``waits`` the password opens nothing before the security administrator agrees.
        """
        account = self._store.account(username)
        if account is None:
            raise Refused(
                "account-not-found",
                Words(f"没有账号 {username}", f"there is no account {username}"),
                Words("请核对用户名", "check the user name"),
                field="username",
            )
        password = one_time_password()
        said = _said(now, actor, source, "account.reset", username)
        stored = hash_password(password, self._cost)
        self._store.set_password(
            account,
            stored,
            expires=now + ONE_TIME_MAX,
            keep="",
            now=now,
            said=said,
            unbind=unbind,
            waits=waits,
        )
        return password

    def must_change(self, username: str) -> bool | None:
        """Whether the account still has its one-time password; None where there is no such account."""
        account = self._store.account(username)
        return None if account is None else account.must_change

    def login(
        self,
        username: str,
        password: str,
        source: str,
        now: datetime,
        *,
        code: str = "",
        proof: KeyProof | None = None,
    ) -> tuple[str, Visit]:
        """A new session: its token, for the cookie alone, and the visit.

        ``code`` is what the bound device shows, ``proof`` a signed challenge in its place. Raises Refused
        (login-refused, login-locked, password-expired, account-waits, second-factor-unbound).
        """
        digest = _digest(f"name:{username}")
        self._refuse_locked(digest, now)
        account = self._store.account(username)
        right = matches(password, self._nobody if account is None else account.password)
        proven = proof is not None and self._factors.proven(username, proof, now)
        has_device = account is not None and self._factors.bound(account.id) is not None
        step = self._factors.step(account.id, code, now) if account is not None and has_device else None
        second = proven or step is not None or not (has_device or proof)
        if account is None or not right or not second or account.disabled:
            self._fail(digest, account, source, now)
            raise login_refused(FAILURES_MAX)
        if account.one_time_expires is not None and account.one_time_expires <= now:
            self._fail(digest, account, source, now)
            raise one_time_expired()
        if account.waits or not account.role:
            self._fail(digest, account, source, now)
            raise waits()
        factor: FactorName = "key" if proven else "otp" if has_device else ""
        if not factor and not account.must_change:
            self._fail(digest, account, source, now)
            raise unbound()
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        row = SessionRow(
            token_digest=_digest(token),
            source=source,
            created=now,
            seen=now,
            expires=now + SESSION_MAX,
            factor=factor,
        )
        said = _said(
            now, f"user:{username}", source, "session.login", f"{account.role}/{factor or 'one-time'}"
        )
        spent, most = None if proven else step, self._policy.sessions_max
        if not self._store.open_session(account, row, digest, spent, said, sessions_max=most):
            raise locked()
        return token, _visit(self._aged(account, now), row, token, source)

    def challenge(self, username: str, now: datetime) -> str:
        """A text to be signed by the key of ``username``; unknown names get one too."""
        return self._factors.challenge(username, now)

    def offer_device(self, visit: Visit, hash_name: Hash, now: datetime) -> Offer:
        """A secret for the visitor's device. Raises Refused (second-factor-bound)."""
        said = _said(now, visit.actor, visit.source, "factor.offer", f"{visit.account.username}/{hash_name}")
        return self._factors.offer(visit.account.id, visit.account.username, hash_name, now, said)

    def bind_device(self, visit: Visit, code: str, now: datetime) -> None:
        """The visitor's device shows ``code``; wrong ones are counted as failed logins.

        Raises Refused (second-factor-code, second-factor-bound, login-locked).
        """
        account = visit.account
        digest = _digest(f"name:{account.username}")
        self._refuse_locked(digest, now)
        said = _said(now, visit.actor, visit.source, "factor.bind", account.username)
        try:
            self._factors.bind(account.id, code, visit.token_digest, now, said)
        except Refused as error:
            if error.code == "second-factor-code":
                self._fail(digest, account, visit.source, now, action="factor.bind")
            raise

    def visit(self, token: str, source: str, now: datetime, *, active: bool) -> Visit | None:
        """The session of a token, or None where it is unknown or over.

        ``active`` says that a person did something: only that puts off the idle end.
        """
        if not 0 < len(token) <= _TOKEN_CHARS_MAX:
            return None
        digest = _digest(token)
        row = self._live(digest, now)
        if row is None:
            return None
        account, session = row
        if active and now - session.seen >= TOUCH_EVERY:
            self._store.touch(digest, now)
        return _visit(self._aged(account, now), session, token, source)

    def alive(self, token_digest: str, now: datetime) -> bool:
        """Whether a session still opens anything; looking does not keep it alive."""
        return self._live(token_digest, now) is not None

    def logout(self, visit: Visit, now: datetime) -> None:
        """End the session at the center, whatever the browser keeps."""
        said = _said(now, visit.actor, visit.source, "session.logout", "session")
        self._store.end_session(visit.token_digest, said)

    def change_password(self, visit: Visit, old: str, new: str, now: datetime) -> None:
        """Change the visitor's password and end their other sessions.

        Raises Refused (login-refused, login-locked) for a wrong old one, BadInput (password-weak) for
        the new one.
        """
        account = visit.account
        if not visit.factor:
            raise required()  # else a lost page would leave an account with a password and nothing else
        digest = _digest(f"name:{account.username}")
        self._refuse_locked(digest, now)
        if not matches(old, account.password):
            self._fail(digest, account, visit.source, now, action="session.password")
            raise login_refused(FAILURES_MAX)
        check_rules(new, username=account.username, display_name=account.display_name)
        if any(matches(new, stored) for stored in self._store.past_passwords(account)):
            raise used_before()
        said = entry(
            time=now,
            actor=visit.actor,
            source=visit.source,
            action="session.password",
            about=account.username,
        )
        stored = hash_password(new, self._cost)
        self._store.set_password(account, stored, expires=None, keep=visit.token_digest, now=now, said=said)

    def refreshed(self, visit: Visit) -> Visit:
        """The visit with its account and second factor as stored now."""
        found = self._store.session(visit.token_digest)
        if found is None:
            return visit
        return msgspec.structs.replace(visit, account=found[0], factor=found[1].factor)

    def _aged(self, account: Account, now: datetime) -> Account:
        """The account, which must change a password that is too old."""
        since = account.password_changed
        if since is None or now - since < timedelta(days=self._policy.password_days):
            return account
        return msgspec.structs.replace(account, must_change=True)

    def _live(self, digest: str, now: datetime) -> tuple[Account, SessionRow] | None:
        found = self._store.session(digest)
        if found is None:
            return None
        account, session = found
        idle = now - session.seen > IDLE_MAX and account.role not in NEVER_IDLE
        over = idle or now >= session.expires
        return None if over or account.disabled or account.waits else found

    def _refuse_locked(self, digest: str, now: datetime) -> None:
        found = self._store.failures(digest)
        if found is not None and found.locked_until > now:
            raise locked()

    def _fail(
        self, digest: str, account: Account | None, source: str, now: datetime, action: str = "session.login"
    ) -> None:
        # A name nobody has may be a password typed into the wrong field: it is told by its digest only.
        actor = f"unknown:{digest[:12]}" if account is None else f"user:{account.username}"

        def judge(before: Failures | None) -> tuple[Failures, Entry]:
            after = _counted(before, now)
            result = "failed: locked" if after.locked_until > now else "failed"
            said = _said(now, actor, source, action, "session", result)
            return after, said

        self._store.fail(digest, judge)


def _said(
    now: datetime,
    actor: str,
    source: str,
    action: str,
    about: str,
    result: str = OK,
    after: str = "",
) -> Entry:
    return entry(time=now, actor=actor, source=source, action=action, about=about, result=result, after=after)


def _check_account(username: str, role: str) -> None:
    if not _USERNAME.fullmatch(username):
        reason = Words(
            "用户名须为 2-32 位小写字母、数字或 . _ -,以字母开头",
            "a user name is 2-32 lower-case letters, digits or . _ -, and begins with a letter",
        )
        raise malformed("username", reason)
    if role and role not in ROLES:
        raise malformed("role", Words(f"没有角色 {role}", f"there is no role {role}"))


def csrf_of(token: str) -> str:
    """What X-CSRF-Token must say in a session with this token."""
    return hmac.new(token.encode(), b"liuhe csrf 1", hashlib.sha256).hexdigest()


def _counted(before: Failures | None, now: datetime) -> Failures:
    """One failure more; a row of failures ends by a lock that has passed or by LOCKED_FOR without one."""
    in_a_row = before is not None and now - before.last <= LOCKED_FOR and before.count < FAILURES_MAX
    count = before.count + 1 if before is not None and in_a_row else 1
    return Failures(count=count, last=now, locked_until=now + LOCKED_FOR if count >= FAILURES_MAX else _PAST)


def _visit(account: Account, session: SessionRow, token: str, source: str) -> Visit:
    return Visit(
        account=account,
        token_digest=session.token_digest,
        csrf=csrf_of(token),
        source=source,
        expires=session.expires,
        factor=session.factor,
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
