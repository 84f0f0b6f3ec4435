"""Accounts and sessions for the administrators: one creates, another grants, the third watches."""

from typing import Annotated, Final

from fastapi import Depends, Path, Response

from soc_api.account_bodies import (
    AccountOrder,
    AccountPage,
    AccountRow,
    DisableOrder,
    GrantOrder,
    IssuedPassword,
    IssueOrder,
    OpenSessionPage,
    OpenSessionRow,
)
from soc_api.accounts import Accounts, Issued, Seen, session_unknown
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.routes.guard import Here, Visitor, conflicts, needs, people_here, router
from soc_api.unit_scope import UnitScope, need_unit, scope_of

accounts = router("accounts")

_REFUSES: Final = conflicts("It is the own account, the role excludes it, or the last administrator")
Name = Annotated[str, Path(pattern=r"^[a-z][a-z0-9._-]{1,31}$")]
SessionName = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


def within(center: Here, visit: Visitor) -> UnitScope:
    """The administrator's own part of the tree of units."""
    registry = center.registry
    if registry is None:
        return UnitScope(None)
    return scope_of(center, visit, registry.registry.tree)


Reach = Annotated[UnitScope, Depends(within)]


@accounts.get(
    "/accounts", summary="Accounts", response_model=AccountPage, openapi_extra=needs("accounts.read")
)
def page(center: Here, scope: Reach) -> AccountPage:
    """Every account of one's part of the tree, with its state, by name."""
    found = people_here(center).accounts.page(center.clock())
    return AccountPage(rows=[_row(one) for one in found if scope.holds(one.facts.account.unit)])


@accounts.post(
    "/accounts",
    summary="Create an account",
    response_model=IssuedPassword,
    responses=_REFUSES,
    openapi_extra=needs("accounts.create"),
)
def create(body: AccountOrder, center: Here, visit: Visitor) -> IssuedPassword:
    """Without a role: its one-time password opens nothing before the security administrator grants one."""
    made = people_here(center).accounts.create(
        body.username, body.display_name, body.person, visit, center.clock()
    )
    return _issued(made)


@accounts.post(
    "/accounts/{username}/issue",
    summary="Issue a one-time password again",
    response_model=IssuedPassword,
    responses=_REFUSES,
    openapi_extra=needs("accounts.create"),
)
def issue(username: Name, body: IssueOrder, center: Here, visit: Visitor, scope: Reach) -> IssuedPassword:
    """For a forgotten password or a lost device; the security administrator has to agree to it."""
    accounts_here = _of(center, visit, scope, username)
    return _issued(accounts_here.issue(username, body.unbind, visit, center.clock()))


@accounts.post(
    "/accounts/{username}/grant",
    summary="Grant role and unit",
    response_model=AccountRow,
    responses=_REFUSES,
    openapi_extra=needs("accounts.grant"),
)
def grant(username: Name, body: GrantOrder, center: Here, visit: Visitor, scope: Reach) -> AccountRow:
    """The three administrators' roles go to fresh accounts alone; a changed role ends the sessions."""
    accounts_here = _of(center, visit, scope, username)
    need_unit(center, visit, scope, body.unit)
    accounts_here.grant(username, body.role, body.unit, visit, center.clock())
    return _shown(center, username)


@accounts.post(
    "/accounts/{username}/release",
    summary="Agree to an issued password",
    response_model=AccountRow,
    responses=_REFUSES,
    openapi_extra=needs("accounts.grant"),
)
def release(username: Name, center: Here, visit: Visitor, scope: Reach) -> AccountRow:
    """What the system administrator issued may be used from now on."""
    _of(center, visit, scope, username).release(username, visit, center.clock())
    return _shown(center, username)


@accounts.post(
    "/accounts/{username}/disable",
    summary="Disable an account",
    response_model=AccountRow,
    responses=_REFUSES,
    openapi_extra=needs("accounts.grant"),
)
def disable(username: Name, body: DisableOrder, center: Here, visit: Visitor, scope: Reach) -> AccountRow:
    """It opens nothing any more; its sessions and tokens end now."""
    _of(center, visit, scope, username).disable(username, body.reason, visit, center.clock())
    return _shown(center, username)


@accounts.post(
    "/accounts/{username}/enable",
    summary="Enable an account",
    response_model=AccountRow,
    responses=_REFUSES,
    openapi_extra=needs("accounts.grant"),
)
def enable(username: Name, center: Here, visit: Visitor, scope: Reach) -> AccountRow:
    """Open it again, with the password and device it had."""
    _of(center, visit, scope, username).enable(username, visit, center.clock())
    return _shown(center, username)


@accounts.post(
    "/accounts/{username}/unlock",
    summary="Unlock a name",
    response_model=AccountRow,
    responses=_REFUSES,
    openapi_extra=needs("accounts.grant"),
)
def unlock(username: Name, center: Here, visit: Visitor, scope: Reach) -> AccountRow:
    """Forget its failed logins before the half hour is over."""
    _of(center, visit, scope, username).unlock(username, visit, center.clock())
    return _shown(center, username)


@accounts.get(
    "/sessions",
    summary="Open sessions",
    response_model=OpenSessionPage,
    openapi_extra=needs("accounts.read"),
)
def sessions(center: Here, scope: Reach) -> OpenSessionPage:
    """Who is logged in, from where, since when."""
    found = people_here(center).accounts.sessions(center.clock())
    rows = [one for one in found if scope.holds(one.unit)]
    return OpenSessionPage(rows=[OpenSessionRow.model_validate(one, from_attributes=True) for one in rows])


@accounts.delete(
    "/sessions/{session}",
    summary="End a session",
    status_code=204,
    response_class=Response,
    responses=_REFUSES,
    openapi_extra=needs("accounts.grant"),
)
def end_session(session: SessionName, center: Here, visit: Visitor, scope: Reach) -> Response:
    """Its cookie opens nothing from the next request on."""
    here, now = people_here(center).accounts, center.clock()
    if not any(one.id == session and scope.holds(one.unit) for one in here.sessions(now)):
        raise session_unknown()
    here.end_session(session, visit, now)
    return Response(status_code=204)


def _of(center: Center, visit: Visit, scope: UnitScope, username: str) -> Accounts:
    """The accounts, where this one is within reach. Raises Refused (account-not-found, unit-scope)."""
    here = people_here(center).accounts
    need_unit(center, visit, scope, here.account(username).account.unit)
    return here


def _shown(center: Center, username: str) -> AccountRow:
    found = people_here(center).accounts.page(center.clock())
    return next(_row(one) for one in found if one.facts.account.username == username)


def _issued(made: Issued) -> IssuedPassword:
    return IssuedPassword.model_validate(made, from_attributes=True)


def _row(seen: Seen) -> AccountRow:
    facts, account = seen.facts, seen.facts.account
    return AccountRow(
        username=account.username,
        display_name=account.display_name,
        person=account.person,
        role=account.role,
        unit=account.unit,
        state=seen.state,
        factor_bound=facts.bound,
        password_changed=None if account.must_change else account.password_changed,
        created=facts.created,
        created_by=account.created_by,
        sessions=facts.sessions,
    )
