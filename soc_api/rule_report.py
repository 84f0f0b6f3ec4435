"""What the pipeline says of the rules it runs, and what was decided about them; plain values."""

from datetime import datetime

import msgspec

from detection.correlation.correlator import Counters


class Cost(msgspec.Struct, frozen=True):
    """What asking one rule costs: nanoseconds per event, and of how many events that is the mean."""

    nanoseconds: float
    events: int


class Unrouted(msgspec.Struct, frozen=True, kw_only=True):
    """Events of one log source that no rule was asked about."""

    product: str
    category: str
    service: str
    events: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The running rules; ``applied`` is the revision of decisions that are in force."""

    started: datetime
    applied: int
    digest: str
    rules: int
    correlations: int
    unknown_to_all: bool
    events: int
    costs: dict[str, Cost]
    unrouted: tuple[Unrouted, ...]
    unrouted_events: int
    counters: Counters


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A report and when it was made."""

    time: datetime
    report: Report


class Decided(msgspec.Struct, frozen=True):
    """Which rules are switched off as of a revision; 0 before any decision."""

    revision: int
    disabled: frozenset[str]


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a rule's history: a version was loaded, or it is gone, or somebody decided."""

    time: datetime
    kind: str  # loaded, removed, enabled, disabled
    digest: str = ""
    actor: str = ""
    reason: str = ""
