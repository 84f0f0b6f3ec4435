"""The straightforward matcher of conditions, and why an event matched; correct before fast."""

from functools import lru_cache
from typing import Final

from detection.alert import Match
from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or, leaves
from detection.facts import READ_RAW, Facts, Test, acceptance, leaf_test
from sensors.event import Event, Value

_Found = dict[tuple[str, str], Value]


def compiled(condition: Condition) -> Test:
    """The condition as one function. Raises BadInput for a pattern or network that cannot be used."""
    if isinstance(condition, Always):
        always = condition.value
        return lambda _facts: always
    if isinstance(condition, Not):
        inner = compiled(condition.part)
        return lambda facts: not inner(facts)
    if isinstance(condition, And | Or):
        # whatever the order, the verdict is the same
        tests = tuple(compiled(part) for part in sorted(condition.parts, key=cost))
        return _every(tests) if isinstance(condition, And) else _some(tests)
    return leaf_test(condition)


_COSTS: Final = {"equals": 1, "exists": 1, "null": 1, "endswith": 2, "startswith": 2, "contains": 4}
_COST_OTHER: Final = 20  # regexes, networks, other fields
_COST_KEYWORD: Final = 500


def cost(condition: Condition) -> int:
    """About how long the condition takes to test, in units of one equality."""
    if isinstance(condition, Atom):
        return _COSTS.get(condition.operator, _COST_OTHER)
    return sum(cost(leaf) if isinstance(leaf, Atom) else _COST_KEYWORD for leaf in leaves(condition))


@lru_cache(maxsize=4096)
def _remembered(condition: Condition) -> Test:
    return compiled(condition)


def matches(condition: Condition, event: Event) -> bool:
    """Whether the event satisfies the condition."""
    return _remembered(condition)(Facts(event))


def explain(condition: Condition, event: Event) -> tuple[Match, ...]:
    """The fields that made the condition true; empty exactly when it is false.

    A condition true only because something is absent is explained by that absence ("not <selection>").
    """
    facts = Facts(event)
    if not _remembered(condition)(facts):
        return ()
    found: _Found = {}
    _holding(condition, facts, found)
    if not found:
        _absent(condition, facts, found)
    noted = found or {("", "always"): True}
    return tuple(
        Match(event=event.id, field=name, value=value, selection=selection)
        for (name, selection), value in noted.items()
    )


def _holding(condition: Condition, facts: Facts, found: _Found) -> None:
    """Note the leaves that hold in a condition that holds, negations left out."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            if isinstance(condition, And) or _remembered(part)(facts):
                _holding(part, facts, found)
    elif isinstance(condition, Atom):
        _note(condition.field, condition.selection, facts, found)
    elif isinstance(condition, Keyword):
        accepts = acceptance(condition)
        texts = facts.texts if condition.cased or condition.operator in READ_RAW else facts.folded
        for name in facts.names():
            if any(map(accepts, texts(name))):
                _note(name, condition.selection, facts, found)


def _absent(condition: Condition, facts: Facts, found: _Found) -> None:
    """Note what is absent in a condition that holds by negation only."""
    if isinstance(condition, And | Or):
        for part in condition.parts:
            if _remembered(part)(facts):
                _absent(part, facts, found)
    elif isinstance(condition, Not):
        for leaf in leaves(condition.part):
            if not isinstance(leaf, Always):
                name = leaf.field if isinstance(leaf, Atom) else ""
                _note(name, f"not {leaf.selection}".rstrip(), facts, found)


def _note(name: str, selection: str, facts: Facts, found: _Found) -> None:
    found[name, selection] = facts.value(name)


def _every(tests: tuple[Test, ...]) -> Test:
    def test(facts: Facts) -> bool:
        for part in tests:  # noqa: SIM110 - twice the speed of all()
            if not part(facts):
                return False
        return True

    return test


def _some(tests: tuple[Test, ...]) -> Test:
    def test(facts: Facts) -> bool:
        for part in tests:  # noqa: SIM110 - twice the speed of any()
            if part(facts):
                return True
        return False

    return test
