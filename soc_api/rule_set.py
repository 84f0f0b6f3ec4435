"""The rules a center runs: loaded from the product, said where one is wrong, recorded by digest."""

from pathlib import Path

import msgspec

from compliance.ledger import NewEvidence
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError
from detection.sigma.load import load_rules
from detection.sigma.rule import Rule
from rules import ROOT


class RuleSet(msgspec.Struct, frozen=True, kw_only=True):
    """Usable rules, and one sentence for each that is not."""

    rules: tuple[Rule, ...]
    errors: tuple[LiuheError, ...]

    @property
    def digest(self) -> str:
        """SM3 over the digests of all rules by id: changes exactly when a rule does."""
        listed = sorted(f"{rule.id} {rule.digest}" for rule in self.rules)
        return sm3_hex("\n".join(listed).encode())

    def evidence(self) -> NewEvidence:
        """The leaf that says which rules were in force."""
        listed = {rule.id: {"digest": rule.digest, "title": rule.title.zh} for rule in self.rules}
        return NewEvidence(
            kind="rule-set",
            actor="system:center",
            subject=f"rule-set:{self.digest[:16]}",
            summary=f"{len(self.rules)} rules, {len(self.errors)} unusable",
            payload=msgspec.json.encode(listed, order="sorted"),
        )


def shipped_rules(folder: Path = ROOT / "sigma") -> RuleSet:
    """The rules that came with the product."""
    rules, errors = load_rules([folder])
    return RuleSet(rules=tuple(rules), errors=tuple(errors))
