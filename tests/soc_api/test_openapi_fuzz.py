"""The whole OpenAPI document tried with requests made from it: no server error, answers as described.

Each operation is asked as a role that may, in a center with every kind of object. schemathesis makes
the requests, valid ones and broken ones; they are the same at every run.
"""

from contextlib import suppress
from functools import cache
from typing import Any, Final

import pytest
import schemathesis
from filled_center import OWN, ROLES, fill, people
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema_rs import Draft202012Validator
from schemathesis import GenerationMode

from soc_api.app import API, openapi_document
from soc_api.permissions import allows

DOCUMENT: Final = openapi_document()
LEFT_OUT: Final = {"/stream", "/session", "/session/password"}  # they go on for ever, or end the session
EXAMPLES: Final = 1  # more of them find no more, and take minutes: 215 operations


@cache
def validator(path: str, method: str, status: str) -> Draft202012Validator | None:
    """What checks an answer's JSON; None where it is no JSON, KeyError where the answer is not described."""
    answers = DOCUMENT["paths"][path][method]["responses"]
    said = answers.get(status) or answers[status[0] + "XX"]
    content = said.get("content", {}).get("application/json")
    if content is None:
        return None
    return Draft202012Validator({**content["schema"], "components": DOCUMENT["components"]})


def role_of(permission: str) -> str:
    """A role that has the permission; the analyst for what is open to anybody."""
    if permission == "none":
        return "analyst"
    return next(role for role in ROLES if allows(role, permission))  # type: ignore[arg-type]


def troubles_of(own: dict[str, Any], operation: Any) -> set[str]:
    """What is wrong with the answers of one operation."""
    path, method = operation.path, operation.method
    permission = operation.definition.raw["x-permission"]
    found: set[str] = set()

    def ask(case: Any) -> None:
        request = case.as_transport_kwargs(base_url="http://center")
        request.pop("cookies", None)
        headers = {name: str(value) for name, value in request.pop("headers", {}).items()}
        headers = {k: v for k, v in headers.items() if k.lower() not in ("user-agent", "accept-encoding")}
        address = request.pop("url").removeprefix("http://center").removeprefix(API)
        if "data" in request:
            request["content"] = request.pop("data")
        client = own[role_of(permission)]
        answer = client(request.pop("method"), address, headers=headers, **request)
        told = f"{method} {path} {answer.status_code}"
        if answer.status_code >= 500:
            found.add(f"{told}: {answer.text[:200]}")
            return
        if answer.status_code == 405:  # an empty id is the address of something else
            return
        try:
            check = validator(path, method, str(answer.status_code))
        except KeyError:
            found.add(f"{told} is not described: {answer.text[:120]}")
            return
        if check is not None:
            found.update(f"{told}: {error.message[:200]}" for error in check.iter_errors(answer.json()))

    calm = settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    wrong = [GenerationMode.NEGATIVE] if operation.definition.raw.get("requestBody") else []
    for mode in (GenerationMode.POSITIVE, *wrong):
        with suppress(Unsatisfiable):  # some have nothing that could be wrong
            calm(given(case=operation.as_strategy(generation_mode=mode))(ask))()
    return found


@pytest.mark.slow
def test_no_request_breaks_the_center(world: Any) -> None:
    own = people(world, OWN)
    fill(world, own)
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    troubles: set[str] = set()
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.path.removeprefix(API) not in LEFT_OUT:
            troubles |= troubles_of(own, operation)
    assert not troubles, "\n".join(sorted(troubles))
