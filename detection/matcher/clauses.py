"""What must hold where a condition holds: sets of positive tests of which one at least is true.

A clause is necessary, not sufficient: an event that fails one of a condition's clauses cannot satisfy it. The
best clauses are those that few events pass; negations give none.
"""

import re
from typing import Final, NamedTuple

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or

CLAUSES_MAX: Final = 3  # kept of one condition; more cost bits and prune little
RARE: Final = 0.1  # below it a clause prunes so well that costly ones are not worth their test
_WILDCARD_SIGNS: Final = re.compile(r"\\[*?\\]|[*?]")
SHORT_CHARS: Final = 2
COMMON: Final = 0.5  # from it on a clause beside a rare one is not worth its test
# Share of events thought to pass a test, by operator; texts are judged by their length.
_SHARES: Final = {"equals": 0.01, "regex": 0.2, "cidr": 0.3, "exists": 0.9, "null": 0.9}
_COMPARED: Final = 0.5
# What stands in so many command lines and paths that its length says nothing.
_TYPICAL: Final = (
    '"c:\\windows\\system32\\cmd.exe" /c ',
    "c:\\program files\\",
    "c:\\users\\",
    "http://",
    ".exe -",
)
_TYPICAL_SHARE: Final = 0.4
_COSTLY: Final = 0.2  # operators from this share on are tested one by one

_EXACT: Final = frozenset({"equals", "contains", "startswith", "endswith", "exists", "null"})

Leaf = Atom | Keyword


class Clause(NamedTuple):
    """Tests of which one must hold; ``share`` is the part of events thought to pass."""

    share: float
    leaves: tuple[Leaf, ...]
    costly: bool = False


def clauses(condition: Condition, kind: type[Leaf]) -> list[Clause]:
    """The best clauses made of tests of one kind, rarest first; none where no such test is necessary."""
    kept = _clauses(condition, kind)[:CLAUSES_MAX]
    if kept and kept[0].share < RARE:
        kept = [kept[0], *(clause for clause in kept[1:] if not clause.costly and clause.share < COMMON)]
    return kept


def vetoes(condition: Condition) -> list[Atom]:
    """Tests of which none may hold where the condition holds, as far as their bits are exact."""
    if isinstance(condition, And):
        return [atom for part in condition.parts for atom in vetoes(part)]
    if not isinstance(condition, Not):
        return []
    parts = condition.part.parts if isinstance(condition.part, Or) else (condition.part,)
    return [
        part
        for part in parts
        if isinstance(part, Atom)
        and not part.cased
        and part.operator in _EXACT
        and not any("\0" in str(value) for value in part.values)
    ]


def is_short(atom: Atom) -> bool:
    """Whether the atom seeks a text so short that most values are tested in vain."""
    return atom.operator == "contains" and any(len(str(value)) <= SHORT_CHARS for value in atom.values)


def longest_piece(wildcard: str) -> str:
    """The longest text that stands in everything the wildcard text matches; '' where there is none."""
    pieces: list[str] = []
    current, last = "", 0
    for sign in _WILDCARD_SIGNS.finditer(wildcard):
        current += wildcard[last : sign.start()]
        last = sign.end()
        if len(sign[0]) == 2:
            current += sign[0][1]
        else:
            pieces.append(current)
            current = ""
    return max([*pieces, current + wildcard[last:]], key=len)


def _clauses(condition: Condition, kind: type[Leaf]) -> list[Clause]:
    if isinstance(condition, And):
        found = [clause for part in condition.parts for clause in _clauses(part, kind)]
        return sorted(found, key=_share)[: CLAUSES_MAX + 1]
    if isinstance(condition, Or):
        return _of_any([_clauses(part, kind) for part in condition.parts])
    if isinstance(condition, Not):
        return []
    if isinstance(condition, Always):
        return [] if condition.value else [Clause(0.0, ())]
    return _of_leaf(condition) if isinstance(condition, kind) else []


def _of_any(parts: list[list[Clause]]) -> list[Clause]:
    """One clause of each part, joined: whichever part holds, its clause does."""
    if not all(parts):
        return []
    found: list[Clause] = []
    for rank in range(min(CLAUSES_MAX, max(map(len, parts)))):
        chosen = [part[min(rank, len(part) - 1)] for part in parts]
        leaves = tuple(dict.fromkeys(leaf for clause in chosen for leaf in clause.leaves))
        found.append(
            Clause(sum(clause.share for clause in chosen), leaves, any(clause.costly for clause in chosen))
        )
    return sorted(found, key=_share)


def _of_leaf(leaf: Leaf) -> list[Clause]:
    if isinstance(leaf, Atom) and leaf.operator.startswith("field_"):
        return [Clause(_SHARES["exists"], (Atom(leaf.field, "exists", (True,)),), True)]
    if isinstance(leaf, Keyword) and leaf.operator == "regex":
        return []
    share = _SHARES.get(leaf.operator)
    costly = share is None or share >= _COSTLY
    if leaf.operator in ("contains", "startswith", "endswith", "wildcard"):
        texts = [str(value) for value in leaf.values]
        if leaf.operator == "wildcard":
            texts = [longest_piece(text) for text in texts]
        if isinstance(leaf, Keyword) and not all(texts):
            return []
        one_by_one = any(len(text) <= SHORT_CHARS for text in texts)
        return [Clause(sum(map(_share_of, texts)), (leaf,), one_by_one)]
    if share is None:
        share = _COMPARED
    elif leaf.operator in ("equals", "regex", "cidr"):
        share *= len(leaf.values)
    return [Clause(share, (leaf,), costly)]


def _share_of(text: str) -> float:
    folded = text.casefold()
    if any(folded in typical for typical in _TYPICAL):
        return max(_TYPICAL_SHARE, 0.6 ** len(text))
    return max(0.002, 0.6 ** len(text))


def _share(clause: Clause) -> float:
    return clause.share
