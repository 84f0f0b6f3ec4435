"""The rules a center runs: loaded from the product, said where one is wrong, recorded by digest."""

from pathlib import Path

import msgspec

from compliance.ledger import NewEvidence
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError
from detection.correlation.rule import Correlation
from detection.sigma.imported import DEFAULT, Speaking, current_folder, speaking
from detection.sigma.lists import read_lists
from detection.sigma.load import SHIPPED, load_all
from detection.sigma.rule import Rule
from rules import ROOT
from soc_api.folders import Folders
from soc_api.hunt_desk import OWN_RULES
from soc_api.settings import Settings


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Usable rules, and one sentence for each that is not."""

    rules: tuple[Rule, ...]
    correlations: tuple[Correlation, ...] = ()
    errors: tuple[LiuheError, ...]

    @property
    def digest(self) -> str:
        """SM3 over the digests of all rules and correlations by id: changes exactly when one does."""
        listed = sorted(f"{rule.id} {rule.digest}" for rule in (*self.rules, *self.correlations))
        return sm3_hex("\n".join(listed).encode())

    @property
    def versions(self) -> dict[str, str]:
        """The digest of the file of every rule and correlation, by id."""
        return {one.id: one.digest for one in (*self.rules, *self.correlations)}

    def evidence(self) -> NewEvidence:
        """The leaf that says which rules were in force."""
        every = (*self.rules, *self.correlations)
        listed = {rule.id: {"digest": rule.digest, "title": rule.title.zh} for rule in every}
        return NewEvidence(
            kind="rule-set",
            actor="system:center",
            subject=f"rule-set:{self.digest[:16]}",
            summary=(
                f"{len(self.rules)} rules, {len(self.correlations)} correlations, {len(self.errors)} unusable"
            ),
            payload=msgspec.json.encode(listed, order="sorted"),
        )


def center_rules(folders: Folders, settings: Settings) -> RuleSet:
    """What a center runs: the rules of the product, and of the release it took in those that may speak."""
    chosen = settings.detection
    return shipped_rules(
        cache=folders.run / "rules.bin",
        lists=folders.data / "lists",
        own=folders.data / OWN_RULES,
        imported=current_folder(folders.data / "rules" / "imported"),
        choice=Speaking(level=chosen.imported_level, status=chosen.imported_status),
    )


def shipped_rules(
    *folders: Path,
    cache: Path | None = None,
    lists: Path | None = None,
    own: Path | None = None,
    imported: Path | None = None,
    choice: Speaking = DEFAULT,
) -> RuleSet:
    """The rules and correlations of the folders, or those that came with the product.

    ``own`` is a folder of rules of this center, there or not: drafts that were accepted.
    ``cache`` keeps them translated for the next start; ``lists`` is a folder of lists of this estate, which
    rules with ``expand`` ask for, beside those shipped; ``imported`` is a release of rules of others, of
    which ``choice`` tells those that may speak.
    """
    shipped = [folder for name in ("sigma", "correlation") if (folder := ROOT / name).is_dir()]
    known, wrong = read_lists([SHIPPED, *([lists] if lists else [])])
    release = [imported / "rules"] if imported else []
    release += [own] if own is not None and own.is_dir() else []
    loaded = load_all([*(folders or shipped), *release], known, cache=cache)
    if imported:
        loaded = speaking(loaded, imported, choice)
    return RuleSet(rules=loaded.rules, correlations=loaded.correlations, errors=(*wrong, *loaded.errors))
