"""Bodies of changes that need a second person."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from soc_api.bodies import Body
from soc_api.change_store import Kind, State


class ConfigurationChange(Body):
    """A version: what it was and became, who asked, who agreed; a provisional one is undone at ``due``."""

    id: int
    kind: Kind
    about: str
    before: Any
    after: Any
    reason: str
    author: str
    time: datetime
    state: State
    due: datetime | None
    decider: str
    note: str
    decided: datetime | None


class ChangePage(Body):
    """GET /api/v1/changes, the newest first."""

    rows: list[ConfigurationChange]


class ChangeDecision(Body):
    """POST /api/v1/changes/{change}/decide: by another person than the author."""

    approve: bool
    note: Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=500)]
