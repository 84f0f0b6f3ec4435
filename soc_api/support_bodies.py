"""Bodies of the remote support channel."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from soc_api.bodies import Body


class SupportOrder(Body):
    """POST /api/v1/support: the ticket it is for, why, and for how long."""

    ticket: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{1,63}$")]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=4, max_length=500)]
    hours: int = Field(default=2, ge=1, le=8)


class SupportState(Body):
    """GET /api/v1/support: closed unless a ticket holds it open; ``port`` 0 where there is none."""

    port: int
    open: bool
    ticket: str
    until: datetime | None
