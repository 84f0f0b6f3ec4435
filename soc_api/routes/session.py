"""Login, the own session, logout and the change of the own password."""

from typing import Any, Final

from fastapi import Request, Response

from crypto.words import Refused, Words
from soc_api.bodies import Login, PasswordChange, Problem, Session
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.permissions import permissions_of
from soc_api.routes.guard import COOKIE, Here, Visitor, needs, router, source_of
from soc_api.throttle import Throttle

session = router("session")

_THROTTLED: Final[dict[int | str, dict[str, Any]]] = {
    429: {"model": Problem, "description": "The name is locked or the address tried too often"}
}


@session.post(
    "/session", summary="Log in", response_model=Session, responses=_THROTTLED, openapi_extra=needs(None)
)
def log_in(body: Login, request: Request, response: Response, center: Here) -> Session:
    """Open a session: sets the cookie and returns what the console needs to begin."""
    source, now = source_of(request), center.clock()
    throttle: Throttle = request.app.state.throttle
    if not throttle.admits(source, now):
        raise _throttled()
    token, visit = center.identity.login(body.username, body.password, source, now)
    # No max-age: the browser forgets it when closed; the center ends it after 8 hours at the latest.
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _body(center, visit)


@session.get(
    "/session", summary="The own session", response_model=Session, openapi_extra=needs("session.own")
)
def own_session(center: Here, visit: Visitor) -> Session:
    """Who is logged in, with which permissions, and the CSRF token."""
    return _body(center, visit)


@session.delete(
    "/session",
    summary="Log out",
    status_code=204,
    response_class=Response,
    openapi_extra=needs("session.own"),
)
def log_out(request: Request, center: Here, visit: Visitor) -> Response:
    """End the session at the center and in the browser."""
    center.identity.logout(visit, center.clock())
    response = Response(status_code=204)
    response.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
    )
    return response


@session.post(
    "/session/password",
    summary="Change the own password",
    response_model=Session,
    responses=_THROTTLED,
    openapi_extra=needs("session.own"),
)
def change_password(body: PasswordChange, center: Here, visit: Visitor) -> Session:
    """Change it and end all other sessions of this account; this one goes on with the same tokens."""
    center.identity.change_password(visit, body.old, body.new, center.clock())
    return _body(center, center.identity.refreshed(visit))


def _body(center: Center, visit: Visit) -> Session:
    account = visit.account
    return Session(
        username=account.username,
        display_name=account.display_name,
        role=account.role,
        must_change_password=account.must_change,
        permissions=list(permissions_of(account.role)),
        csrf=visit.csrf,
        expires=visit.expires,
        center=center.name,
        unit=account.unit,
    )


def _throttled() -> Refused:
    return Refused(
        "login-throttled",
        Words("此地址登录尝试过于频繁", "too many logins from this address"),
        Words("请一分钟后重试", "try again in a minute"),
    )
