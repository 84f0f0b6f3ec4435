"""Every error answer is a ``Problem``: stable code, both languages, the field at fault; never a stack trace.

LiuheError            503, or the status its code has below
├── Refused           409; 404 where the code ends in -not-found
└── BadInput          422
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from crypto.words import BadInput, LiuheError, Refused, Words
from soc_api.bodies import Problem, Text

STATUSES: Final[dict[str, int]] = {
    "session-required": 401,
    "login-refused": 401,
    "password-expired": 401,
    "account-waits": 401,
    "second-factor-unbound": 401,
    "second-factor-code": 401,
    "second-factor-required": 403,
    "permission-missing": 403,
    "password-change-required": 403,
    "csrf": 403,
    "cross-site": 403,
    "unit-scope": 403,
    "admin-plane": 403,
    "login-locked": 429,
    "login-throttled": 429,
    "requests-throttled": 429,
    "token-throttled": 429,
    "token-refused": 401,
    "setup-token": 401,
    "stream-full": 429,
    "hunt-busy": 429,
}
RETRY_AFTER: Final = {"requests-throttled": "10"}
_FIELD_CHARS_MAX: Final = 200
_log: Final = logging.getLogger(__name__)


def install_errors(app: FastAPI) -> None:
    """Make every error of ``app`` a Problem."""
    app.add_exception_handler(LiuheError, _known)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)


def problem(status: int, code: str, what: Words, fix: Words, field: str = "") -> JSONResponse:
    """The answer itself."""
    body = Problem(code=code, message=text(what), fix=text(fix), field=field)
    headers = {"Cache-Control": "no-store"}
    if status == 429:
        headers["Retry-After"] = RETRY_AFTER.get(code, "60")
    return JSONResponse(body.model_dump(), status_code=status, headers=headers)


def text(words: Words) -> Text:
    """A sentence as the body carries it."""
    return Text(zh=words.zh, en=words.en)


def status_of(error: LiuheError) -> int:
    """The HTTP status of an error of ours."""
    if error.code in STATUSES:
        return STATUSES[error.code]
    if isinstance(error, Refused):
        return 404 if error.code.endswith("-not-found") else 409
    return 422 if isinstance(error, BadInput) else 503


def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LiuheError)
    status = status_of(error)
    if error.code == "audit-unwritable":
        center = request.app.state.center
        center.audit.refused(center.clock())
    if status == 503:
        _log.error("%s", error)
    return problem(status, error.code, error.what, error.fix, error.field)


def _malformed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    field = _field(first.get("loc", ()))
    reason = str(first.get("msg", ""))
    return problem(
        422,
        "request-malformed",
        Words(f"请求有误:{reason}", f"malformed request: {reason}"),
        Words("请对照 docs/reference/api.md 改正该字段", "correct that field, see docs/reference/api.md"),
        field,
    )


def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, what = _HTTP.get(
        error.status_code, ("request-refused", Words("请求无法处理", "the request cannot be served"))
    )
    fix = Words("请对照 docs/reference/api.md 检查请求", "check the request, see docs/reference/api.md")
    return problem(error.status_code, code, what, fix)


class NoTraces:
    """ASGI middleware: what nobody expected is logged in full and answered by one sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; an answer that has begun can only be cut off."""
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            _log.exception("unexpected %s at %s", type(error).__name__, scope["path"])
            await _unknown()(scope, receive, send)


def _unknown() -> JSONResponse:
    return problem(
        500,
        "internal",
        Words("中心内部出错,操作可能未完成", "the center failed, the action may not be done"),
        Words("请重试;若仍失败,请查看中心日志", "try again; if it fails again, see the center's log"),
    )


def _field(place: Sequence[Any]) -> str:
    """``body.new`` for ("body", "new"); an index becomes ``[3]``."""
    name = ""
    for part in place:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name[:_FIELD_CHARS_MAX]


_OTHER: Final = ("request-refused", Words("请求无法处理", "the request cannot be served"))
_HTTP: Final = {
    400: ("request-malformed", Words("请求体不是有效的 JSON", "the body is not valid JSON")),
    404: ("path-not-found", Words("没有这个地址", "there is nothing at this address")),
    405: ("method-not-allowed", Words("此地址不支持该方法", "this address does not take that method")),
    413: ("body-too-large", Words("请求体超出此地址的限额", "the body is larger than this address takes")),
    415: ("content-type", Words("请求体须为 application/json", "the body must be application/json")),
}
