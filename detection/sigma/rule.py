"""One detection rule as the product uses it, whatever file it came from."""

from typing import Final, Literal

import msgspec

from crypto.words import Words
from detection.alert import Claim, Severity
from detection.condition import Condition
from sensors.event import LogSource

EntityKind = Literal["host", "source", "user"]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What rules and correlations say about themselves."""

    id: str
    path: str
    line: int
    title: Words
    description: Words
    level: Severity
    name: str = ""  # by which correlations may refer to it
    status: str = ""
    author: str = ""
    attack: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()  # of ATT&CK, as ``detection.sigma.tactics`` names them
    clauses: tuple[str, ...] = ()
    reason: Words | None = None
    falsepositives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    drill: bool = False
    digest: str = ""  # SHA-256 of the file the rule stands in, and of the lists it was filled from
    credit: str = ""  # whose rule it is, where its licence asks every message to say so

    def claim(self) -> Claim:
        """What every alert of this rule says."""
        return Claim(
            rule=self.id,
            detector="sigma",
            title=self.title,
            severity=self.level,
            attack=self.attack,
            clauses=self.clauses,
        )


class Rule(Heading, frozen=True, kw_only=True):
    """A Sigma rule, parsed and translated. Constructed only by ``detection.sigma.load``."""

    logsource: LogSource
    condition: Condition
    entity: EntityKind
    needs: tuple[str, ...] = ()  # lists it asks for that are missing; while there are any it matches nothing


# Sigma's one category that stands for others: what Sysmon tells of the registry
_NARROWER: Final = {
    "registry_event": frozenset({"registry_add", "registry_delete", "registry_rename", "registry_set"})
}


def routes(rule: LogSource, event: LogSource) -> bool:
    """Whether a rule's log source takes events of that one: each key it gives equals the event's."""
    return (
        (not rule.product or rule.product == event.product)
        and (
            not rule.category
            or rule.category == event.category
            or event.category in _NARROWER.get(rule.category, ())
        )
        and (not rule.service or rule.service == event.service)
    )
