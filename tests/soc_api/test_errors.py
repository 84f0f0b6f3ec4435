"""Tests of soc_api.errors: each kind of error gets its status and names its field."""

from typing import Any

import pytest

from crypto.words import BadInput, LiuheError, Refused, Words
from soc_api.errors import status_of

SAID = Words("无", "none")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Refused("alert-state", SAID, SAID), 409),
        (Refused("alert-not-found", SAID, SAID), 404),
        (Refused("session-required", SAID, SAID), 401),
        (BadInput("report-month", SAID, SAID), 422),
        (LiuheError("ledger-disk", SAID, SAID), 503),
    ],
)
def test_errors_have_their_status(error: LiuheError, status: int) -> None:
    assert status_of(error) == status


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "x"}, "body.password"),
        ({"username": "x", "password": "y", "admin": True}, "body.admin"),
        ({"username": ["x"], "password": "y"}, "body.username"),
        ([], "body"),
    ],
)
def test_a_malformed_request_names_the_field(world: Any, body: Any, field: str) -> None:
    answer = world.client()("POST", "/session", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request-malformed")
    assert answer.json()["field"] == field
    assert answer.json()["message"]["zh"]


def test_a_body_that_is_not_json_is_a_problem(world: Any) -> None:
    client = world.client()
    for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded"):
        answer = client("POST", "/session", content=b"username=x", headers={"Content-Type": content_type})
        assert answer.status_code == 422
        assert answer.json()["code"] == "request-malformed"
