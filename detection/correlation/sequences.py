"""Choices of rules in their order, for ordered correlations that need only some of them."""

from itertools import combinations
from math import comb

from detection.correlation.expression import ALTERNATIVES_MAX
from detection.correlation.rule import Alternative


def ordered_choices(rules: int, least: int) -> tuple[Alternative, ...] | None:
    """Every choice of ``least`` out of ``rules`` in their order; None where there is none or too many."""
    if least > rules or comb(rules, least) > ALTERNATIVES_MAX:
        return None
    return tuple(Alternative(places) for places in combinations(range(rules), least))
