"""What the routes ask of the compliance side: ``ComplianceService`` and the values it returns.

Every value has exactly the attributes of the body of the same name in bodies.py, so a route translates it
by reading its attributes: a frozen ``msgspec.Struct`` fits, a ``Text`` is a ``crypto.words.Words``, a list
may be a tuple, a time is aware UTC. Nothing here imports FastAPI or pydantic.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from crypto.words import Words


class CheckRowValue(Protocol):
    """bodies.CheckRow: one check with its verdict; ``leaf`` is the ledger index of its last evaluation."""

    @property
    def id(self) -> str: ...
    @property
    def layer(self) -> str: ...
    @property
    def title(self) -> Words: ...
    @property
    def severity(self) -> str: ...
    @property
    def clauses(self) -> Sequence[str]: ...
    @property
    def method(self) -> str: ...
    @property
    def verdict(self) -> str: ...
    @property
    def reason(self) -> Words: ...
    @property
    def evaluated(self) -> datetime | None: ...
    @property
    def stale_at(self) -> datetime | None: ...
    @property
    def leaf(self) -> int | None: ...


class CheckEvidenceValue(Protocol):
    """bodies.CheckEvidence: the probe result behind a verdict, with its raw text."""

    @property
    def event(self) -> str: ...
    @property
    def time(self) -> datetime: ...
    @property
    def host(self) -> str: ...
    @property
    def probe(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def raw(self) -> str: ...
    @property
    def values(self) -> Mapping[str, Any]: ...
    @property
    def satisfied(self) -> bool: ...


class CheckDetailValue(Protocol):
    """bodies.CheckDetail; ``history`` newest first, 50 at most."""

    @property
    def check(self) -> CheckRowValue: ...
    @property
    def condition(self) -> str: ...
    @property
    def evidence(self) -> Sequence[CheckEvidenceValue]: ...
    @property
    def remedy(self) -> Words: ...
    @property
    def history(self) -> Sequence[CheckRowValue]: ...


class LayerSummaryValue(Protocol):
    """bodies.LayerSummary: the six layers in their order, verdict -> number of checks."""

    @property
    def layer(self) -> str: ...
    @property
    def counts(self) -> Mapping[str, int]: ...


class CheckPageValue(Protocol):
    """bodies.CheckPage: the registered system with all its checks."""

    @property
    def system(self) -> str: ...
    @property
    def system_name(self) -> str: ...
    @property
    def grade(self) -> str: ...
    @property
    def layers(self) -> Sequence[LayerSummaryValue]: ...
    @property
    def checks(self) -> Sequence[CheckRowValue]: ...
    @property
    def disclaimer(self) -> Words: ...


class ComplianceService(Protocol):
    """The compliance side as the API sees it. Called from several threads at a time; calls may take seconds.

    What cannot be done raises the errors of crypto.words: Refused with a code ending in ``-not-found`` for
    an id that is not there (answered 404), other Refused (409), BadInput naming the field (422), LiuheError
    (503).
    """

    def check_page(self, now: datetime, system: str = "") -> CheckPageValue:
        """All checks of a system, '' the first, with the verdict valid at ``now``.

        Evidence past its freshness counts as 未知. Raises Refused (system-not-found).
        """

    def check_detail(self, check: str, now: datetime, system: str = "") -> CheckDetailValue:
        """One check with the evidence behind it. Raises Refused (check-not-found, system-not-found)."""

    def evaluate(self, actor: str, now: datetime, system: str = "") -> CheckPageValue:
        """Evaluate every check of every system, add the leaves, return the page of ``system`` after it."""

    def note_ledger(self, ok: bool) -> None:
        """What recomputing the whole evidence has just said."""

    def revision(self) -> int:
        """A number that changes whenever the page of checks would look different.

        Asked about three times a second: one cheap read, no evaluation.
        """
