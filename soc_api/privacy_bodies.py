"""Bodies of who sees names."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from soc_api.bodies import Body, Role


class NamesState(Body):
    """GET /api/v1/names: whether this session sees names, why and until when; which roles always do."""

    shown: bool
    until: datetime | None
    reason: str
    roles: list[Role]
    fields: list[str]


class RevealOrder(Body):
    """POST /api/v1/names: what names are needed for, and for how long."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=500)]
    minutes: int = Field(default=10, ge=1, le=30)
