"""Tokens of programs and of screens on the wall, and set-up by its own token."""

from datetime import timedelta
from typing import Annotated, Final

from fastapi import Path, Request, Response

from crypto.words import Refused, Words
from soc_api.account_bodies import (
    ApiTokenOrder,
    ApiTokenPage,
    ApiTokenRow,
    KioskLogin,
    KioskOrder,
    MadeToken,
    SetUpDone,
    SetUpOrder,
    SetUpState,
)
from soc_api.identity import Visit
from soc_api.permissions import allows
from soc_api.routes.accounts import Reach
from soc_api.routes.guard import KIOSK_COOKIE, Here, Visitor, conflicts, needs, people_here, router, source_of
from soc_api.routes.session import THROTTLED, throttle
from soc_api.set_up import Administrator
from soc_api.token_store import Token
from soc_api.tokens import VALID_MAX, Made
from soc_api.unit_scope import need_unit

tokens = router("tokens")

_REFUSES: Final = conflicts("Too many tokens are valid already")
TokenName = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


@tokens.get("/tokens", summary="Tokens", response_model=ApiTokenPage, openapi_extra=needs("tokens.read"))
def page(center: Here, visit: Visitor, scope: Reach) -> ApiTokenPage:
    """One's own, newest first; the security administrator and the auditor see those of everybody."""
    here = people_here(center).tokens
    all_of_them = allows(visit.account.role, "accounts.read")
    found = here.tokens(None if all_of_them else visit.account)
    rows = [_row(token, owner.username) for token, owner in found if scope.holds(token.unit)]
    return ApiTokenPage(rows=rows, lendable=list(here.lendable(visit.account)), days_max=VALID_MAX.days)


@tokens.post(
    "/tokens",
    summary="Make a token",
    response_model=MadeToken,
    responses=_REFUSES,
    openapi_extra=needs("tokens.make"),
)
def make(body: ApiTokenOrder, center: Here, visit: Visitor, scope: Reach) -> MadeToken:
    """For a program, sent as ``Authorization: Bearer``; its text is in this answer and nowhere else."""
    unit = body.unit or visit.account.unit
    need_unit(center, visit, scope, unit)
    valid, now = timedelta(days=body.days), center.clock()
    made = people_here(center).tokens.make(body.name, body.permissions, unit, body.source, valid, visit, now)
    return _made(made, visit)


@tokens.post(
    "/kiosks",
    summary="Make a kiosk token",
    response_model=MadeToken,
    responses=_REFUSES,
    openapi_extra=needs("kiosks.make"),
)
def make_kiosk(body: KioskOrder, center: Here, visit: Visitor, scope: Reach) -> MadeToken:
    """For a screen on the wall: it reads numbers, names nobody and changes nothing."""
    unit = body.unit or visit.account.unit
    need_unit(center, visit, scope, unit)
    valid, now = timedelta(days=body.days), center.clock()
    return _made(
        people_here(center).tokens.make_kiosk(body.name, unit, body.source, valid, visit, now), visit
    )


@tokens.delete(
    "/tokens/{token}",
    summary="Revoke a token",
    status_code=204,
    response_class=Response,
    responses=conflicts("It was revoked before"),
    openapi_extra=needs("tokens.read"),
)
def revoke(token: TokenName, center: Here, visit: Visitor, scope: Reach) -> Response:
    """One's own; the security administrator revokes those of everybody within the own units."""
    any_owner = allows(visit.account.role, "accounts.grant")
    here = people_here(center).tokens
    for found, _owner in here.tokens(None) if any_owner else ():
        if found.id == token:
            need_unit(center, visit, scope, found.unit)
    here.revoke(token, visit, center.clock(), any_owner=any_owner)
    return Response(status_code=204)


@tokens.post(
    "/session/kiosk",
    summary="Open a wall display",
    status_code=204,
    response_class=Response,
    responses=THROTTLED,
    openapi_extra=needs(None),
)
def kiosk(body: KioskLogin, request: Request, center: Here) -> Response:
    """Sets the cookie of a screen on the wall, which scripts cannot read."""
    now, source = center.clock(), source_of(request)
    throttle(request, source, now)
    visit = people_here(center).tokens.visit(body.token, source, now)
    if visit is None or visit.account.role != "wall_display":
        raise Refused(
            "token-refused",
            Words(
                "大屏令牌无效、已吊销、已过期或绑定在别的地址",
                "the kiosk token is wrong, over or bound elsewhere",
            ),
            Words("请由安全管理员重新签发", "ask the security administrator for a new one"),
            field="token",
        )
    response = Response(status_code=204)
    age = max(1, int((visit.expires - now).total_seconds()))
    secure = request.url.scheme == "https"
    response.set_cookie(
        KIOSK_COOKIE, body.token, max_age=age, path="/", httponly=True, samesite="strict", secure=secure
    )
    return response


@tokens.get("/setup", summary="Whether set-up is open", response_model=SetUpState, openapi_extra=needs(None))
def set_up_state(center: Here) -> SetUpState:
    """Whether the three administrators have still to be named, and the notice above the login."""
    people = people_here(center)
    return SetUpState(open=people.setup.is_open(center.clock()), banner=people.banner)


@tokens.post(
    "/setup",
    summary="Name the three administrators",
    response_model=SetUpDone,
    responses={**THROTTLED, **conflicts("Set-up is over")},
    openapi_extra=needs(None),
)
def set_up(body: SetUpOrder, request: Request, center: Here) -> SetUpDone:
    """Ends set-up: from here on accounts come from the administrators alone."""
    now, source = center.clock(), source_of(request)
    throttle(request, source, now)
    people = [Administrator(**one.model_dump()) for one in body.administrators]
    made = people_here(center).setup.finish(body.token, people, source, now)
    return SetUpDone.model_validate({"accounts": made}, from_attributes=True)


def _made(made: Made, visit: Visit) -> MadeToken:
    return MadeToken(token=_row(made.token, visit.account.username), text=made.text)


def _row(token: Token, owner: str) -> ApiTokenRow:
    return ApiTokenRow(
        id=token.id,
        kind=token.kind,
        name=token.name,
        owner=owner,
        permissions=list(token.permissions),
        unit=token.unit,
        source=token.source,
        made=token.made,
        expires=token.expires,
        revoked=token.revoked,
        used=token.used,
    )
