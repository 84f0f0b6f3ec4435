"""Set-up: while it is open, the machine's people may make accounts; it ends with three administrators.

A token ends it: random, kept as a digest, good for 24 hours and once. Whoever holds it names the three
administrators, three people with an account each, and from then on accounts come from them alone.
"""

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused, Words
from soc_api.accounts import ADMINISTRATORS, Issued
from soc_api.audit import SYSTEM_SOURCE, entry
from soc_api.bodies import Role
from soc_api.identity import ONE_TIME_MAX, Identity
from soc_api.set_up_store import Opened, SetUpStore

OPEN_FOR: Final = timedelta(hours=24)
_SECRET_BYTES: Final = 24


class Administrator(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three as set-up names them."""

    role: Role
    username: str
    display_name: str
    person: str


class SetUp:
    """Set-up over a ``SetUpStore``; ``unit`` is the center's own."""

    def __init__(self, store: SetUpStore, identity: Identity, unit: str) -> None:
        self._store = store
        self._identity = identity
        self._unit = unit

    def begin(self, now: datetime) -> None:
        """A center that was just made is being set up."""
        self._store.begin(Opened(opened=now, expires=now + OPEN_FOR, digest="", ended=None))

    def is_open(self, now: datetime) -> bool:
        """Whether the machine's own people may make accounts."""
        found = self._store.opened()
        return found is not None and found.ended is None and now < found.expires

    def token(self, now: datetime, actor: str) -> str:
        """A fresh token in place of an earlier one, and 24 hours more. Raises Refused (setup-over)."""
        found = self._store.opened()
        if found is None or found.ended is not None:
            raise over()
        text = f"setup_{secrets.token_urlsafe(_SECRET_BYTES)}"
        changed = msgspec.structs.replace(found, digest=sm3_hex(text.encode()), expires=now + OPEN_FOR)
        said = entry(time=now, actor=actor, source=SYSTEM_SOURCE, action="setup.token", about="setup")
        self._store.change(changed, said)
        return text

    def finish(self, token: str, people: Sequence[Administrator], source: str, now: datetime) -> list[Issued]:
        """Make the three administrators; set-up is over. Raises Refused (setup-token, …), BadInput."""
        _check(people)
        found = self._store.opened()
        right = (
            found is not None and found.digest and hmac.compare_digest(sm3_hex(token.encode()), found.digest)
        )
        if found is None or not right or found.ended is not None or now >= found.expires:
            raise Refused(
                "setup-token",
                Words("初始化令牌无效、已用过或已过期", "the set-up token is wrong, used or over"),
                Words(
                    "请在中心主机上运行 liuhe center setup", "run liuhe center setup on the center's machine"
                ),
                field="token",
            )
        said = entry(time=now, actor="system:setup", source=source, action="setup.end", about="setup")
        for one in people:
            if self._identity.must_change(one.username) is not None:
                raise _bad("username", Words(f"用户名 {one.username} 已用过", f"{one.username} is taken"))
        # The token is spent first: what fails after it is mended by the machine's root, never tried twice.
        if not self._store.end(now, said):
            raise over()
        return [self._made(one, source, now) for one in people]

    def _made(self, one: Administrator, source: str, now: datetime) -> Issued:
        password = self._identity.create_account(
            one.username,
            one.display_name,
            one.role,
            self._unit,
            now,
            actor="system:setup",
            source=source,
            person=one.person.strip(),
        )
        return Issued(username=one.username, one_time=password, expires=now + ONE_TIME_MAX)


def over() -> Refused:
    """The answer once the three administrators are there."""
    return Refused(
        "setup-over",
        Words("初始化已结束,不能再由命令行建账号", "set-up is over: the command line makes no accounts"),
        Words(
            "请由系统管理员建账号、安全管理员授权",
            "the system administrator creates accounts, the security administrator grants them",
        ),
    )


def _check(people: Sequence[Administrator]) -> None:
    names, persons = {one.username for one in people}, {one.person.strip() for one in people}
    if sorted(one.role for one in people) != sorted(ADMINISTRATORS) or len(names) < len(people):
        raise _bad(
            "administrators", Words("三员各须一个账号", "each administrator needs an account of its own")
        )
    if len(persons) < len(people) or "" in persons:
        raise _bad("person", Words("三员须是三个人", "the three administrators are three people"))


def _bad(field: str, what: Words) -> BadInput:
    return BadInput("setup-people", what, Words("请改正后重试", "correct it and try again"), field=field)
