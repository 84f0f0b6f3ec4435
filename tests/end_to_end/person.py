"""A person at the center's API: an account of a role, logged in, with what people hand in."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from browsing import PASSWORD
from playwright.sync_api import Browser, Page

from crypto.otp import code_at, secret_of
from running_center import RunningCenter

_SECONDS_MAX: Final = 30.0


class Person:
    """An account of ``role``, logged in for the first time."""

    def __init__(self, center: RunningCenter, name: str, role: str, unit: str = "") -> None:
        """``unit`` is the one it belongs to, the center's own where none is given."""
        self.name = name
        self._url = center.url
        where = ["--unit", unit] if unit else []
        one_time = center.cli("center", "account", name, "--role", role, *where).stdout.split()[1]
        self._client = httpx.Client(base_url=f"{center.url}api/v1", timeout=_SECONDS_MAX)
        self._csrf = (
            self._client.post("/session", json={"username": name, "password": one_time})
            .raise_for_status()
            .json()["csrf"]
        )
        secret = self.post("/session/factor", json={})["secret"]
        self.post("/session/factor/code", json={"code": code_at(secret_of(secret), datetime.now(UTC))})
        self.post("/session/password", json={"old": one_time, "new": PASSWORD})

    def get(self, path: str, **parameters: Any) -> Any:
        """The answer's body. Raises httpx.HTTPStatusError."""
        return self._client.get(path, params=parameters).raise_for_status().json()

    def post(self, path: str, **given: Any) -> Any:
        """The answer's body. Raises httpx.HTTPStatusError with what the center said."""
        answer = self._client.post(path, headers={"X-CSRF-Token": self._csrf}, **given)
        assert answer.is_success, answer.text
        return answer.json()

    def put(self, path: str, **given: Any) -> Any:
        """The answer's body. Raises httpx.HTTPStatusError with what the center said."""
        answer = self._client.put(path, headers={"X-CSRF-Token": self._csrf}, **given)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def attach(self, name: str, data: bytes) -> str:
        """Hand in a file; its SM3."""
        return str(self.post("/attachments", params={"name": name}, content=data)["sm3"])

    def bring(self, kind: str, text: str) -> None:
        """Import a document."""
        self.post("/documents", params={"kind": kind, "name": f"{kind}.csv"}, content=text.encode())

    def cookies(self) -> dict[str, str]:
        """What a browser needs to be this person."""
        return dict(self._client.cookies)

    def page(self, browser: Browser, path: str = "") -> Page:
        """A browser's page in which this person is logged in, at ``path`` of the console."""
        context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        context.add_cookies(
            [{"name": name, "value": value, "url": self._url} for name, value in self.cookies().items()]
        )
        shown = context.new_page()
        shown.set_default_timeout(20_000)
        shown.goto(self._url + path)
        return shown

    def close(self) -> None:
        """Leave, without logging out."""
        self._client.close()


def people(center: RunningCenter, roles: Mapping[str, tuple[str, str]]) -> dict[str, Person]:
    """People by name, who come in at the same time: each with a role and a unit ('' the center's own)."""
    with ThreadPoolExecutor(max_workers=4) as pool:
        made = pool.map(lambda one: Person(center, one[0], *one[1]), roles.items())
        return {person.name: person for person in made}
