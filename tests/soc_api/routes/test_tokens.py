"""Tests of soc_api.routes.tokens that are not about what a token lends."""

from typing import Any

import pytest

from soc_api.throttle import ATTEMPTS_MAX


@pytest.mark.parametrize("path", ["/setup", "/session/kiosk"])
def test_tokens_cannot_be_tried_at_speed(world: Any, path: str) -> None:
    client = world.client()
    person = {"display_name": "某人"}
    roles = ("system_admin", "security_admin", "audit_admin")
    people = [person | {"role": role, "username": role[:3], "person": role} for role in roles]
    body = {"token": "x", "administrators": people} if path == "/setup" else {"token": "x"}
    codes = [client("POST", path, json=body).status_code for _ in range(ATTEMPTS_MAX + 1)]
    assert codes == [401] * ATTEMPTS_MAX + [429]


def test_other_sites_open_nothing(world: Any) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = world.client()("POST", "/session/kiosk", json={"token": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "cross-site")
