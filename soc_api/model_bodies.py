"""Bodies of the models' routes."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from soc_api.bodies import Body, Text

ModelRole = Literal["champion", "challenger", "before", ""]


class ModelVersion(Body):
    """A version on disk; ``why`` says what is wrong with one that is refused."""

    version: int
    role: ModelRole
    good: bool
    why: Text | None
    rows: int
    learned_from: datetime | None
    learned_until: datetime | None
    manifest_sm3: str


class ModelShare(Body):
    """Windows counted since the last judgement; ``times`` 1 in 100 came more often than it should."""

    windows: int
    times: float


class ModelKind(Body):
    """The models of a kind of entity, or of one peer group of it."""

    kind: str
    name: Text
    learned: int
    needed: int
    champion: int
    challenger: int
    back: int  # the version one step back; 0 where there is none
    speaks: ModelShare | None
    trial: ModelShare | None
    trial_windows: int
    drift_windows: int
    outside: float  # of the last lesson: share of windows beyond trusted change, for which it was not taken
    refitted: datetime | None
    versions: list[ModelVersion]


class ModelAct(Body):
    """What was done with a version; ``leaf`` is its record in the ledger, null for the next seconds."""

    act: Literal["made", "trial", "promoted", "rejected", "rolled-back", "refused"]
    kind: str
    name: Text
    version: int
    time: datetime
    actor: str
    why: str
    manifest_sm3: str
    leaf: int | None


class RankerState(Body):
    """What ranks entities by closings: its newest version, or how many closings there are."""

    version: int
    labels: int
    needed: int
    odd: int


class ModelPage(Body):
    """GET /api/v1/models: kinds with their versions, and the newest acts first."""

    kinds: list[ModelKind]
    acts: list[ModelAct]
    ranker: RankerState
    key: str


class ModelDecision(Body):
    """POST /api/v1/models/{model}/roll-back: the reason is mandatory."""

    reason: str = Field(min_length=2, max_length=200)
