"""Tokens: a program acts with part of a person's rights, a screen on the wall reads numbers.

A token is ``lh_<id>_<secret>``, shown once. It lends what its maker may read and do in the queue, never what
an administrator does or a person signs for, and no more than the maker has at the time of the request. A
kiosk token reads what the wall display reads, from the first address it is used at, and nothing else.
"""

import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused, Words
from soc_api.accounts import ADMINISTRATORS
from soc_api.audit import Entry, entry, state_digest
from soc_api.identity import Visit
from soc_api.identity_store import Account
from soc_api.permissions import PERMISSIONS, Permission, allows, permissions_of
from soc_api.throttle import Throttle
from soc_api.token_store import Token, TokenStore

VALID_MAX: Final = timedelta(days=365)
PER_ACCOUNT_MAX: Final = 20
REQUESTS_PER_MINUTE_MAX: Final = 600
TOUCH_EVERY: Final = timedelta(minutes=1)
_SECRET_BYTES: Final = 32
_TEXT: Final = re.compile(r"lh_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_LENDABLE_VERBS: Final = ("read", "search", "act", "evaluate", "verify", "describe")
_NEVER: Final = ("tokens.read", "accounts.read", "audit.read")

LENDABLE: Final[tuple[Permission, ...]] = tuple(
    one for one in PERMISSIONS if one.rsplit(".", 1)[1] in _LENDABLE_VERBS and one not in _NEVER
)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A new token with its text, which is kept nowhere."""

    token: Token
    text: str


class Tokens:
    """Tokens over a ``TokenStore``."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self._throttle = Throttle(REQUESTS_PER_MINUTE_MAX)

    def make(
        self,
        name: str,
        permissions: Sequence[str],
        unit: str,
        source: str,
        valid: timedelta,
        visit: Visit,
        now: datetime,
    ) -> Made:
        """A token that lends some of the maker's permissions. Raises BadInput (token-scope), Refused."""
        account = visit.account
        lent = tuple(one for one in LENDABLE if one in permissions)
        wrong = sorted(set(permissions) - {one for one in lent if allows(account.role, one)})
        if wrong or not lent or account.role in ADMINISTRATORS:
            raise BadInput(
                "token-scope",
                Words(
                    f"令牌不能带有权限 {'、'.join(wrong) or '(空)'}",
                    f"a token cannot have {', '.join(wrong) or 'no permission at all'}",
                ),
                Words(
                    "只能从本人可借出的权限中选择,管理员与审批权限不可借出",
                    "choose among your own that can be lent; administrators' and approvals never can",
                ),
                field="permissions",
            )
        return self._keep("api", name, lent, unit, source, valid, visit, now)

    def make_kiosk(
        self, name: str, unit: str, source: str, valid: timedelta, visit: Visit, now: datetime
    ) -> Made:
        """A token for a screen on the wall."""
        lent = tuple(permissions_of("wall_display"))
        return self._keep("kiosk", name, lent, unit, source, valid, visit, now)

    def lendable(self, account: Account) -> list[Permission]:
        """What the account could put into a token."""
        if account.role in ADMINISTRATORS:
            return []
        return [one for one in LENDABLE if allows(account.role, one)]

    def revision(self) -> int:
        """Grows with every token made, bound or revoked."""
        return self._store.revision()

    def tokens(self, account: Account | None = None) -> Sequence[tuple[Token, Account]]:
        """One's own, or everybody's."""
        return self._store.tokens(None if account is None else account.id)

    def revoke(self, id_: str, visit: Visit, now: datetime, *, any_owner: bool) -> None:
        """End a token at once. Raises Refused (api-token-not-found)."""
        found = self._store.token(id_)
        own = found is not None and found[0].account == visit.account.id
        before = None if found is None else found[0]
        after = None if before is None else msgspec.structs.replace(before, revoked=now)
        said = _said(visit.actor, visit.source, now, "token.revoke", id_, before, after)
        if found is None or not (own or any_owner) or not self._store.revoke(id_, said):
            raise Refused(
                "api-token-not-found",
                Words("没有这个有效令牌", "there is no such valid token"),
                Words("请刷新列表", "reload the list"),
                field="token",
            )

    def visit(self, text: str, source: str, now: datetime) -> Visit | None:
        """The visit of a request with a token, or None where it opens nothing.

        Raises Refused (token-throttled) where it asks too often.
        """
        parts = _TEXT.fullmatch(text)
        found = None if parts is None else self._store.token(parts[1])
        if found is None or not hmac.compare_digest(sm3_hex(text.encode()), found[0].digest):
            return None
        token, account = found
        if not _usable(token, account, now) or not self._bound(token, source, now):
            return None
        if not self._throttle.admits(token.id, now):
            raise Refused(
                "token-throttled",
                Words("此令牌请求过于频繁", "this token asks too often"),
                Words("请一分钟后重试", "try again in a minute"),
            )
        if token.used is None or now - token.used >= TOUCH_EVERY:
            self._store.touch(token.id, now)
        return _visit(token, account, source)

    def alive(self, digest: str, now: datetime) -> bool:
        """Whether the token with this digest still opens anything."""
        return any(
            token.digest == digest and _usable(token, account, now) for token, account in self.tokens()
        )

    def _bound(self, token: Token, source: str, now: datetime) -> bool:
        if token.kind == "kiosk" and not token.source:
            said = _said(f"token:{token.id}", source, now, "token.bind", f"{token.id}/{source}")
            return self._store.bind(token.id, source, said)
        return token.source in ("", source)

    def _keep(
        self,
        kind: str,
        name: str,
        lent: tuple[str, ...],
        unit: str,
        source: str,
        valid: timedelta,
        visit: Visit,
        now: datetime,
    ) -> Made:
        if not timedelta(0) < valid <= VALID_MAX:
            raise BadInput(
                "token-validity",
                Words("有效期须在 1 年以内", "a token is valid for a year at most"),
                Words("请缩短有效期", "shorten it"),
                field="days",
            )
        if sum(_usable(one, owner, now) for one, owner in self.tokens(visit.account)) >= PER_ACCOUNT_MAX:
            raise Refused(
                "token-many",
                Words(
                    f"每个账号最多 {PER_ACCOUNT_MAX} 个有效令牌",
                    f"{PER_ACCOUNT_MAX} tokens are valid already",
                ),
                Words("请先吊销不用的令牌", "revoke those not in use first"),
            )
        id_ = secrets.token_hex(8)
        text = f"lh_{id_}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        token = Token(
            id=id_,
            digest=sm3_hex(text.encode()),
            account=visit.account.id,
            kind="kiosk" if kind == "kiosk" else "api",
            name=name.strip()[:64],
            permissions=lent,
            unit=unit,
            source=source,
            made=now,
            expires=now + valid,
            revoked=None,
            used=None,
        )
        about = f"{id_}/{kind}/{unit}: {' '.join(lent)}"
        self._store.add(token, _said(visit.actor, visit.source, now, "token.make", about, None, token))
        return Made(token=token, text=text)


def _usable(token: Token, account: Account, now: datetime) -> bool:
    owned = not account.disabled and not account.waits
    return owned and token.revoked is None and now < token.expires


def _visit(token: Token, account: Account, source: str) -> Visit:
    """The visit of a token: its unit and permissions, its name beside the address in every audit line."""
    changes: dict[str, object] = {"unit": token.unit, "must_change": False}
    if token.kind == "kiosk":
        # Nobody stands behind a screen: no person's name goes out with it.
        changes |= {"role": "wall_display", "username": f"kiosk-{token.id}", "display_name": token.name}
    return Visit(
        account=msgspec.structs.replace(account, **changes),
        token_digest=token.digest,
        csrf="",
        source=f"{source} token:{token.id}"[:64],
        expires=token.expires,
        factor="otp",  # its maker had two
        granted=frozenset(token.permissions),
    )


def _said(
    actor: str,
    source: str,
    now: datetime,
    action: str,
    about: str,
    before: Token | None = None,
    after: Token | None = None,
) -> Entry:
    states = [state_digest(None if one is None else _told(one)) for one in (before, after)]
    return entry(
        time=now, actor=actor, source=source, action=action, about=about, before=states[0], after=states[1]
    )


def _told(token: Token) -> dict[str, object]:
    """What the audit log's digests of a token are made of: nothing that opens anything, and no use of it."""
    told = msgspec.structs.asdict(token)
    return {name: value for name, value in told.items() if name not in ("digest", "used")}
