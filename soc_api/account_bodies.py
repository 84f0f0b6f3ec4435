"""Bodies of accounts, sessions, tokens and set-up."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from soc_api.bodies import Body, Role

Username = Annotated[str, Field(pattern=r"^[a-z][a-z0-9._-]{1,31}$")]
PersonName = Annotated[str, Field(min_length=1, max_length=64)]
Person = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s].*$")]
Unit = Annotated[str, Field(min_length=1, max_length=128)]
Address = Annotated[str, Field(max_length=64, pattern=r"^[0-9A-Fa-f.:]*$")]
Days = Annotated[int, Field(ge=1, le=365)]
AccountState = Literal["ungranted", "waiting", "locked", "disabled", "one-time", "active"]


class AccountRow(Body):
    """An account as the administrators see it; ``person`` is how the unit names its holder."""

    username: str
    display_name: str
    person: str
    role: Role | Literal[""]
    unit: str
    state: AccountState
    factor_bound: datetime | None
    password_changed: datetime | None
    created: datetime
    created_by: str
    sessions: int


class AccountPage(Body):
    """GET /api/v1/accounts, by name."""

    rows: list[AccountRow]


class AccountOrder(Body):
    """POST /api/v1/accounts: by the system administrator; role and unit are granted by another one."""

    username: Username
    display_name: PersonName
    person: Person


class GrantOrder(Body):
    """POST /api/v1/accounts/{username}/grant."""

    role: Role
    unit: Unit


class IssueOrder(Body):
    """POST /api/v1/accounts/{username}/issue; with ``unbind`` the device is lost too."""

    unbind: bool = False


class DisableOrder(Body):
    """POST /api/v1/accounts/{username}/disable."""

    reason: str = Field(min_length=2, max_length=200)


class IssuedPassword(Body):
    """A one-time password, shown once; it opens nothing before the security administrator agrees."""

    username: str
    one_time: str
    expires: datetime


class OpenSessionRow(Body):
    """A session that has not reached its end."""

    id: str
    username: str
    unit: str
    role: Role | Literal[""]
    source: str
    factor: str
    created: datetime
    seen: datetime
    expires: datetime


class OpenSessionPage(Body):
    """GET /api/v1/sessions, the latest first."""

    rows: list[OpenSessionRow]


class ApiTokenRow(Body):
    """A token without its text; ``source`` is the only address it is taken from, '' for any."""

    id: str
    kind: Literal["api", "kiosk"]
    name: str
    owner: str
    permissions: list[str]
    unit: str
    source: str
    made: datetime
    expires: datetime
    revoked: datetime | None
    used: datetime | None


class ApiTokenPage(Body):
    """GET /api/v1/tokens: one's own; administrators see all. ``lendable``: what a new one may have."""

    rows: list[ApiTokenRow]
    lendable: list[str]
    days_max: int


class ApiTokenOrder(Body):
    """POST /api/v1/tokens."""

    name: PersonName
    permissions: list[str] = Field(min_length=1, max_length=64)
    unit: str = Field(default="", max_length=128)  # '': one's own
    source: Address = ""
    days: Days = 90


class KioskOrder(Body):
    """POST /api/v1/kiosks: a screen on the wall; without ``source`` it stays where it is used first."""

    name: PersonName
    unit: str = Field(default="", max_length=128)
    source: Address = ""
    days: Days = 180


class MadeToken(Body):
    """A new token; ``text`` is shown once."""

    token: ApiTokenRow
    text: str


class KioskLogin(Body):
    """POST /api/v1/session/kiosk."""

    token: str = Field(min_length=1, max_length=128)


class SetUpState(Body):
    """GET /api/v1/setup: what the page before the login has to say."""

    open: bool
    banner: str


class SetUpPerson(Body):
    """One of the three administrators."""

    role: Literal["system_admin", "security_admin", "audit_admin"]
    username: Username
    display_name: PersonName
    person: Person


class SetUpOrder(Body):
    """POST /api/v1/setup: the token and the three people; it works once."""

    token: str = Field(min_length=1, max_length=128)
    administrators: list[SetUpPerson] = Field(min_length=3, max_length=3)


class SetUpDone(Body):
    """The three one-time passwords, shown once."""

    accounts: list[IssuedPassword]
