"""The self-assessment of graded systems: results per item and object, scores, and those of units together.

What a score says is a self-check (自查参考，不作为等级测评结论). Scores are kept by the day for trends;
results are worked out anew each time, so they are never older than what they rest on.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from compliance.asset_store import AssetStore
from compliance.catalogue import Catalogue, Item, load_catalogue
from compliance.checklist import Check
from compliance.grading import CheckVerdict, ItemResult, grade_items
from compliance.grading_store import GradingStore
from compliance.registry import GradedSystem
from compliance.registry_store import RegistryStore
from compliance.result_store import ObjectResult, ResultStore
from compliance.scoring import SystemScore, UnitScore, roll_up, score
from compliance.verdict_rule import VerdictRule, load_rule
from crypto.words import Words
from detection.store.state import Engine

_STALE: Final = Words("证据已过期,按未知计", "the evidence is stale and counts as unknown")


class Assessed(msgspec.Struct, frozen=True, kw_only=True):
    """A system with its items, their results and its score."""

    system: GradedSystem
    items: tuple[Item, ...]
    results: tuple[ItemResult, ...]
    score: SystemScore


class SelfAssessment:
    """Grading over one state database; safe to share between threads."""

    def __init__(self, engine: Engine, checks: Sequence[Check], grading: Path) -> None:
        """``grading`` is the folder rules/grading."""
        self.catalogue: Catalogue = load_catalogue(grading)
        self.rule: VerdictRule = load_rule(grading)
        self.checks = checks
        self._registry = RegistryStore(engine)
        self._assets = AssetStore(engine)
        self._store = GradingStore(engine)
        self._results = ResultStore(engine)

    def assess(self, system: GradedSystem, now: datetime) -> Assessed:
        """A system as it stands now."""
        items = self.catalogue.of(system)
        results = grade_items(
            items,
            catalogue=self.catalogue,
            objects=self._assets.objects(system.id),
            checks=self.checks,
            verdicts=[_verdict(one, now) for one in self._results.of_system(system.id)],
            statements=self._store.statements(system.id),
            now=now,
        )
        before = self._store.newest(system.id)
        found = score(system, items, results, rule=self.rule, before=before, now=now)
        return Assessed(system=system, items=items, results=results, score=found)

    def keep_scores(self, now: datetime) -> int:
        """Work out and keep the score of every system in use; how many there are. A job calls it."""
        scores = [self.assess(system, now).score for system in self._registry.systems()]
        self._store.keep(scores)
        return len(scores)

    def unit(self, unit: str, units: Iterable[str], before: datetime | None = None) -> UnitScore:
        """The last kept scores of the systems of ``units`` together, as of a moment."""
        systems = self._registry.systems(units)
        scores = [found for one in systems if (found := self._store.newest(one.id, before)) is not None]
        return roll_up(unit, scores, self.rule)


def _verdict(result: ObjectResult, now: datetime) -> CheckVerdict:
    verdict = result.at(now)
    return CheckVerdict(
        object=result.object,
        check=result.check,
        verdict=verdict,
        reason=result.reason if verdict == result.verdict else _STALE,
        stale_at=result.stale_at,
        leaf=result.leaf,
    )
