"""Which answers the OpenAPI document describes: asked about every answer the tests of the API get."""

import re
from functools import lru_cache

from soc_api.app import API, openapi_document

_PARAMETER = re.compile(r"\\\{\w+\\\}")
_ROUTES = [
    (method.upper(), re.compile(_PARAMETER.sub("[^/]+", re.escape(path))), frozenset(said["responses"]), path)
    for path, methods in openapi_document()["paths"].items()
    for method, said in methods.items()
]
# A literal path comes before one with a parameter in its place, as the router takes them.
_ROUTES.sort(key=lambda one: one[3].count("{"))


@lru_cache(maxsize=4_096)
def statuses(method: str, path: str) -> frozenset[str] | None:
    """The statuses a route may answer with; None where there is no such route."""
    whole = API + path.partition("?")[0]
    return next((said for verb, found, said, _ in _ROUTES if verb == method and found.fullmatch(whole)), None)


def undescribed(method: str, path: str, status: int) -> str:
    """What is wrong with an answer, '' where nothing is."""
    known = statuses(method, path)
    # 405 is an address without the method, 500 what tests make go wrong on purpose
    if known is None or str(status) in known or status in (405, 500):
        return ""
    return f"{method} {path} answered {status}, which its description leaves out: {sorted(known)}"
