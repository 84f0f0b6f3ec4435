"""The guard before every route: session, CSRF token and permission, checked before a body is even read.

Deny by default: a ``GuardedRoute`` cannot be built without ``needs(...)``, and ``needs(None)`` (open to
anyone) is written only on login and health. The OpenAPI document shows it as ``x-permission``.
"""

import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from crypto.words import LiuheError, Refused, Words
from soc_api.audit import entry
from soc_api.bodies import Problem
from soc_api.context import Center
from soc_api.identity import Visit
from soc_api.pace import WINDOW, Pace
from soc_api.people import People
from soc_api.permissions import Permission, allows
from soc_api.routes.veil import VEILED, Veil
from soc_api.second_factor import required

COOKIE: Final = "liuhe_session"
KIOSK_COOKIE: Final = "liuhe_kiosk"  # of a screen on the wall
BEARER: Final = "bearer "
CSRF_HEADER: Final = "X-CSRF-Token"
# A console that refetches by itself says so: only what a person does keeps a session from going idle.
BACKGROUND_HEADER: Final = "X-Background"
UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

# How paths end that tell of people when names are revealed.
_TELLING: Final = ("/alerts/{group}", "/packets/{request}", "/pcap", "/files/{digest}", "/{form}", "/table")
_MARK: Final = "x-permission"
_OPEN: Final = "none"
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    400: {"model": Problem, "description": "The body is not valid JSON"},
    401: {"model": Problem, "description": "No session, or it is over"},
    403: {"model": Problem, "description": "The role lacks the permission, or the CSRF token is wrong"},
    404: {"model": Problem, "description": "There is nothing with the id that was given"},
    413: {"model": Problem, "description": "The body is larger than this address takes"},
    415: {"model": Problem, "description": "The body is of another type than this address takes"},
    422: {"model": Problem, "description": "A parameter or the body is wrong; field names it"},
    429: {"model": Problem, "description": "Too many requests; Retry-After says when to go on"},
    503: {"model": Problem, "description": "The center cannot do it now; nothing was done"},
}


def needs(permission: Permission | None) -> dict[str, str]:
    """``openapi_extra`` of a route: the permission it asks for, or None for anyone."""
    return {_MARK: permission or _OPEN}


class GuardedRoute(APIRoute):
    """A route that admits a request before anything else is done with it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's own work behind the guard."""
        work = super().get_route_handler()
        permission = permission_of(self)

        async def guarded(request: Request) -> Response:
            if permission is None:
                _refuse_cross_site(request)
                return await work(request)
            request.state.visit = await run_in_threadpool(admit, request, permission)
            veil = veil_of(request) if permission in VEILED else None
            if veil is None:
                return await work(request)
            if veil.revealed and self.path.endswith(_TELLING) and request.method == "GET":
                await run_in_threadpool(_names_read, request)
            await veil.lift(request)
            try:
                return await veil.answer(await work(request))
            except LiuheError as error:
                raise veil.error(error) from error

        return guarded


def _names_read(request: Request) -> None:
    """On record: what names people was read while names were revealed; searches have lines of their own."""
    center, visit = center_of(request), visit_of(request)
    center.audit.record(
        entry(
            time=center.clock(),
            actor=visit.actor,
            source=visit.source,
            action="names.read",
            about=request.url.path,
            result="accepted",
        )
    )


def permission_of(route: APIRoute) -> Permission | None:
    """What a route asks for. Raises RuntimeError where its author forgot to say."""
    named = (route.openapi_extra or {}).get(_MARK)
    if named is None:
        raise RuntimeError(f"{route.path} has no needs(...)")
    return None if named == _OPEN else named


def router(tag: str) -> APIRouter:
    """A router whose routes are all guarded and documented with their errors."""
    return APIRouter(route_class=GuardedRoute, tags=[tag], responses=_PROBLEMS)


def conflicts(reason: str) -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that may refuse: 404 for an unknown id, 409 for ``reason``."""
    return {
        404: {"model": Problem, "description": "There is nothing with this id"},
        409: {"model": Problem, "description": reason},
    }


def center_of(request: Request) -> Center:
    """The center behind the application."""
    center = request.app.state.center
    assert isinstance(center, Center)
    return center


def visit_of(request: Request) -> Visit:
    """The admitted visit."""
    visit = request.state.visit
    assert isinstance(visit, Visit)
    return visit


def veil_of(request: Request) -> Veil | None:
    """What hides names from the visitor; None where the center hides none."""
    veil = getattr(request.state, "veil", None)
    center = center_of(request)
    if veil is None and center.privacy is not None:
        veil = request.state.veil = Veil(center.privacy, visit_of(request), center.clock())
    assert veil is None or isinstance(veil, Veil)
    return veil


Here = Annotated[Center, Depends(center_of)]
Visitor = Annotated[Visit, Depends(visit_of)]
Veiled = Annotated[Veil | None, Depends(veil_of)]


def source_of(request: Request) -> str:
    """The network address of the other end; no header is believed about it.

    What comes through the support channel is its caller's, though the channel's own end is local.
    """
    if request.client is None:
        return "unknown"
    support = center_of(request).support
    outside = None if support is None else support.caller((request.client.host, request.client.port))
    return (outside or request.client.host)[:64]


def admit(request: Request, permission: Permission) -> Visit:
    """The visit of a request that may go on. Raises Refused (401 or 403); a missing permission is audited."""
    center, now = center_of(request), center_of(request).clock()
    given = request.headers.get("Authorization", "")
    visit = _by_token(request, center, given) if given else _by_cookie(request, center, permission)
    if visit is None:
        raise _no_session()
    pace: Pace = request.app.state.pace
    if not pace.admits(visit.actor, now):
        raise _too_fast()
    need_plane(request, center, visit)
    if permission != "session.own":
        if not visit.factor:
            raise required()
        if visit.account.must_change:
            raise _change_first()
    if not allows(visit.account.role, permission) or not visit.holds(permission):
        center.audit.record(
            entry(
                time=now,
                actor=visit.actor,
                source=visit.source,
                action="access.denied",
                about=f"{request.method} {request.url.path}",
                result=f"refused: {permission}",
            )
        )
        raise _no_permission(permission)
    return visit


def need_plane(request: Request, center: Center, visit: Visit) -> None:
    """Return where the visitor may act from where they are. Raises Refused (admin-plane), audited."""
    if center.people is None:
        return
    server = request.scope.get("server") or ("", None)
    try:
        center.people.plane.check(visit, source_of(request), server[1])
    except Refused:
        center.audit.record(
            entry(
                time=center.clock(),
                actor=visit.actor,
                source=visit.source,
                action="access.denied",
                about=f"{request.method} {request.url.path}",
                result="refused: admin-plane",
            )
        )
        raise


def people_here(center: Center) -> People:
    """Accounts, tokens and set-up of the center."""
    assert center.people is not None
    return center.people


def _by_token(request: Request, center: Center, given: str) -> Visit | None:
    """A program's request: no cookie counts beside the token, and no browser sends one by itself."""
    if center.people is None or not given.lower().startswith(BEARER):
        return None
    text = given[len(BEARER) :].strip()
    return center.people.tokens.visit(text, source_of(request), center.clock())


def _by_cookie(request: Request, center: Center, permission: Permission) -> Visit | None:
    """A browser's request. Raises Refused (cross-site, csrf) for a change that another page asked for."""
    now = center.clock()
    active = BACKGROUND_HEADER not in request.headers and permission != "stream.read"
    token = request.cookies.get(COOKIE, "")
    visit = center.identity.visit(token, source_of(request), now, active=active)
    if visit is None:
        return _by_kiosk(request, center)
    if request.method in UNSAFE:
        _refuse_cross_site(request)
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), visit.csrf.encode()):
            raise _bad_csrf()
    return visit


def _by_kiosk(request: Request, center: Center) -> Visit | None:
    """A screen on the wall reads and does nothing else."""
    text = request.cookies.get(KIOSK_COOKIE, "")
    if not text or center.people is None or request.method not in ("GET", "HEAD"):
        return None
    return center.people.tokens.visit(text, source_of(request), center.clock())


def _refuse_cross_site(request: Request) -> None:
    """Browsers say where a request comes from; one from another site changes nothing, login included."""
    origin = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method in UNSAFE and origin not in ("same-origin", "none"):
        raise Refused(
            "cross-site",
            Words("请求来自其他网站,已拒绝", "the request comes from another site and is refused"),
            Words("请在控制台页面内操作", "act within the console's own page"),
        )


def _no_session() -> Refused:
    return Refused(
        "session-required",
        Words("未登录或会话已结束", "not logged in, or the session is over"),
        Words("请重新登录", "log in again"),
    )


def _too_fast() -> Refused:
    return Refused(
        "requests-throttled",
        Words("此账号的请求过于频繁", "this account asks too often"),
        Words(f"请在 {WINDOW.seconds} 秒后继续", f"go on in {WINDOW.seconds} seconds"),
    )


def _bad_csrf() -> Refused:
    return Refused(
        "csrf",
        Words("请求缺少有效的防跨站令牌", "the request lacks a valid anti-forgery token"),
        Words("请刷新页面后重试", "reload the page and try again"),
        field=CSRF_HEADER,
    )


def _change_first() -> Refused:
    return Refused(
        "password-change-required",
        Words("须先更换一次性口令", "the one-time password must be changed first"),
        Words("请设置自己的口令", "choose a password of your own"),
    )


def _no_permission(permission: Permission) -> Refused:
    return Refused(
        "permission-missing",
        Words(f"当前角色没有权限 {permission}", f"this role lacks the permission {permission}"),
        Words("请由有权限的人员操作", "ask somebody whose role has it"),
        field=permission,
    )
