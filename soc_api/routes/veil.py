"""Pseudonyms at the door: what a request says in them is read back, what an answer tells is hidden.

One place for every route about alerts and events, so that a new route cannot forget it. JSON answers and
lines of JSON are veiled; files of other kinds by the route that makes them (``Veil.row``).
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import msgspec
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from crypto.words import LiuheError, Refused, Words
from soc_api.identity import Visit
from soc_api.permissions import Permission
from soc_api.privacy import Privacy

VEILED: Final[frozenset[Permission]] = frozenset(
    {
        "overview.read",
        "inventory.read",
        "checks.read",
        "checks.evaluate",
        "orders.act",
        "orders.decide",
        "notices.read",
        "notices.draft",
        "notices.decide",
        "notices.answer",
        "alerts.read",
        "alerts.act",
        "events.search",
        "exceptions.ask",
        "exceptions.decide",
        "incidents.read",
        "incidents.act",
        "incidents.decide",
        "rules.read",
        "rules.decide",
        "packets.read",
    }
)
LINES: Final = "application/x-ndjson"
_BODY_BYTES_MAX: Final = 1 << 20  # a larger one is a file
_TOKEN: Final = re.compile(rb"p-[a-z2-7]{10}")


class Veil:
    """What one visitor sees."""

    def __init__(self, privacy: Privacy, visit: Visit, now: datetime) -> None:
        self.plain = privacy.shows(visit, now)
        self.revealed = self.plain and visit.account.role not in privacy.roles
        self._pseudonyms = privacy.pseudonyms
        self._asked: set[str] = set()  # names the request spoke of by pseudonyms, and what routes know

    def know(self, names: Iterable[str]) -> None:
        """Hide these too, wherever the answer tells them: a route knows who is meant by what it shows."""
        personal = self._pseudonyms.personal
        self._asked.update(name for name in names if personal.hides(name))

    def need_names(self) -> None:
        """Return where names are shown: what goes out is a file as it is. Raises Refused (names-hidden)."""
        if not self.plain:
            raise Refused(
                "names-hidden",
                Words("此文件按原样给出,可能含姓名", "this file goes out as it is and may name people"),
                Words(
                    "请先说明理由显示姓名(页面上方或 POST /names),再取一次",
                    "say why you need names (above the page, or POST /names), then take it again",
                ),
            )

    def document(self, value: Any) -> Any:
        """A decoded answer as the visitor may see it."""
        return value if self.plain else self._pseudonyms.veiled(value, self._asked)

    def row(self, cells: list[str], told: Mapping[str, Any]) -> list[str]:
        """Cells of a table, hiding the names the row's event tells."""
        if self.plain:
            return cells
        veiled: list[str] = self._pseudonyms.veiled({"event": told, "cells": cells}, self._asked)["cells"]
        return veiled

    def values(self, before: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Completions behind ``before``: after a personal field they are names."""
        field = self._pseudonyms.field_asked(before)
        if self.plain or not field:
            return items
        told = {"field": field, "rows": [item.get("insert", "").strip('"') for item in items], "items": items}
        found: list[dict[str, Any]] = self._pseudonyms.veiled(told, self._asked)["items"]
        return found

    def error(self, error: LiuheError) -> LiuheError:
        """What is wrong, without names that were asked for by pseudonyms."""
        if self.plain or not self._asked:
            return error
        hidden = self._pseudonyms.finder(self._asked).hidden
        what, fix = (Words(hidden(words.zh), hidden(words.en)) for words in (error.what, error.fix))
        return type(error)(error.code, what, fix, field=hidden(error.field))

    async def lift(self, request: Request) -> None:
        """Put names for the pseudonyms of a request: in its path, its query, and where its body asks."""
        read = self._pseudonyms.read_back
        given = request.scope.get("path_params", {})
        request.scope["path_params"] = {
            name: read(value, self._asked) if isinstance(value, str) else value
            for name, value in given.items()
        }
        query = request.scope.get("query_string", b"")
        if _TOKEN.search(query):
            request.scope["query_string"] = self._query(query.decode("latin-1")).encode("latin-1")
        if "json" in request.headers.get("content-type", ""):
            body = await request.body()
            if len(body) <= _BODY_BYTES_MAX and _TOKEN.search(body):
                try:
                    document = msgspec.json.decode(body)
                except msgspec.DecodeError:
                    return  # the route says what is wrong with it
                request._body = msgspec.json.encode(self._lifted(document))  # what the route reads

    def _query(self, text: str) -> str:
        pairs = parse_qsl(text, keep_blank_values=True)
        return urlencode([(name, self._pseudonyms.read_back(value, self._asked)) for name, value in pairs])

    def _lifted(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._pseudonyms.read_back(value, self._asked, placed=True)
        if isinstance(value, dict):
            return {name: self._lifted(inner) for name, inner in value.items()}
        return [self._lifted(inner) for inner in value] if isinstance(value, list) else value

    async def answer(self, response: Response) -> Response:
        """The answer as the visitor may see it."""
        if self.plain:
            return response
        if isinstance(response, StreamingResponse):
            if (response.media_type or "").startswith(LINES):
                response.body_iterator = self._lines(response.body_iterator)
            return response
        if response.headers.get("content-type", "") == "application/json" and response.body:
            body = await run_in_threadpool(self._bytes, bytes(response.body))
            if body != response.body:
                response.body = body
                response.headers["content-length"] = str(len(body))
        return response

    async def _lines(self, pieces: Any) -> AsyncIterator[bytes]:
        async for piece in pieces:
            data = piece.encode() if isinstance(piece, str) else bytes(piece)
            yield await run_in_threadpool(self._piece, data)

    def _piece(self, data: bytes) -> bytes:
        """Whole lines, as the streams of this API send them."""
        return b"".join(self._bytes(line) + b"\n" for line in data.splitlines() if line)

    def _bytes(self, data: bytes) -> bytes:
        before = msgspec.json.decode(data)
        after = self.document(before)
        return data if after is before else msgspec.json.encode(after)
