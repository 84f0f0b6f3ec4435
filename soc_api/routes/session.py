"""Login by two factors, the own session, logout, the own second factor and the own password."""

from datetime import datetime
from typing import Any, Final

from fastapi import Request, Response

from crypto.words import Refused, Words
from soc_api.bodies import Problem
from soc_api.context import Center
from soc_api.factor_qr import qr_image
from soc_api.identity import Visit
from soc_api.identity_bodies import (
    Challenge,
    ChallengeOrder,
    FactorCode,
    FactorOffer,
    FactorOrder,
    Login,
    PasswordChange,
    Session,
)
from soc_api.permissions import permissions_of
from soc_api.routes.guard import (
    COOKIE,
    KIOSK_COOKIE,
    Here,
    Visitor,
    conflicts,
    need_plane,
    needs,
    router,
    source_of,
)
from soc_api.second_factor import KeyProof
from soc_api.throttle import Throttle

session = router("session")

THROTTLED: Final[dict[int | str, dict[str, Any]]] = {
    429: {"model": Problem, "description": "The name is locked or the address tried too often"}
}


@session.post(
    "/session", summary="Log in", response_model=Session, responses=THROTTLED, openapi_extra=needs(None)
)
def log_in(body: Login, request: Request, response: Response, center: Here) -> Session:
    """Open a session: sets the cookie and returns what the console needs to begin."""
    source, now = source_of(request), center.clock()
    throttle(request, source, now)
    token, visit = center.identity.login(
        body.username,
        body.password,
        source,
        now,
        code=body.code,
        proof=None if body.proof is None else KeyProof(**body.proof.model_dump()),
    )
    try:
        need_plane(request, center, visit)
    except Refused:
        center.identity.logout(visit, now)
        raise
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
    if center.privacy is not None:
        center.privacy.hide(visit)
    response = Response(status_code=204)
    for name in (COOKIE, KIOSK_COOKIE):
        response.delete_cookie(
            name, path="/", httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
    return response


@session.post(
    "/session/password",
    summary="Change the own password",
    response_model=Session,
    responses=THROTTLED,
    openapi_extra=needs("session.own"),
)
def change_password(body: PasswordChange, center: Here, visit: Visitor) -> Session:
    """Change it and end all other sessions of this account; this one goes on with the same tokens."""
    center.identity.change_password(visit, body.old, body.new, center.clock())
    return _body(center, center.identity.refreshed(visit))


@session.post(
    "/session/challenge",
    summary="A challenge for the own key",
    response_model=Challenge,
    responses=THROTTLED,
    openapi_extra=needs(None),
)
def challenge(body: ChallengeOrder, request: Request, center: Here) -> Challenge:
    """A text to be signed by one's registered SM2 key and sent with the login in place of a code."""
    now = center.clock()
    throttle(request, source_of(request), now)
    return Challenge(challenge=center.identity.challenge(body.username, now))


@session.post(
    "/session/factor",
    summary="Begin to bind a device",
    response_model=FactorOffer,
    responses=conflicts("A device is bound already"),
    openapi_extra=needs("session.own"),
)
def offer_device(body: FactorOrder, center: Here, visit: Visitor) -> FactorOffer:
    """A fresh secret for the own device, in place of one that no code has proven yet."""
    made = center.identity.offer_device(visit, body.hash, center.clock())
    return FactorOffer(hash=made.hash, secret=made.secret, uri=made.uri, image=qr_image(made.uri))


@session.post(
    "/session/factor/code",
    summary="Bind the device",
    response_model=Session,
    responses={**THROTTLED, **conflicts("A device is bound already")},
    openapi_extra=needs("session.own"),
)
def bind_device(body: FactorCode, center: Here, visit: Visitor) -> Session:
    """The device shows the right code: from here on every login asks for one."""
    center.identity.bind_device(visit, body.code, center.clock())
    return _body(center, center.identity.refreshed(visit))


def throttle(request: Request, source: str, now: datetime) -> None:
    """Count an attempt of this address. Raises Refused (login-throttled)."""
    attempts: Throttle = request.app.state.throttle
    if not attempts.admits(source, now):
        raise _throttled()


def _body(center: Center, visit: Visit) -> Session:
    account = visit.account
    return Session(
        username=account.username,
        display_name=account.display_name,
        role=account.role,
        must_change_password=account.must_change,
        factor=visit.factor,
        permissions=[one for one in permissions_of(account.role) if visit.holds(one)],
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
