"""Conditions as one expression each: what the plain test says, several times as fast.

The expression is made of names only; fields and literals lie in a table beside it, so that no text of a rule
becomes code. It reads fields of one text or none; an event with several in one takes the plain test.
"""

from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, Final

from detection.condition import Always, And, Atom, Condition, Not, Or
from detection.evaluate import compiled, cost
from detection.facts import ABSENT, Facts, Several, Test, acceptance, leaf_test
from detection.matcher.clauses import longest_piece

HOT: Final = 48  # uses after which making the expression pays
_NEEDLES_ONE_BY_ONE: Final = 12
_DEPTH_MAX: Final = 60  # of the tree; the compiler counts parentheses
_QUICK: Final = frozenset({"equals", "contains", "startswith", "endswith"})
_OF_TWO: Final = {
    "field_equals": "text == other",
    "field_contains": "other in text",
    "field_startswith": "text.startswith(other)",
    "field_endswith": "text.endswith(other)",
}
_CODE: Final = """def test(facts):
    texts = facts.one
    try:
        return {}
    except Several:
        return plain(facts)
"""


def quick(condition: Condition) -> Test:
    """The condition as one function; equal to ``compiled`` on every event. Raises BadInput as it does."""
    plain = compiled(condition)
    table: dict[str, Any] = {"Several": Several, "plain": plain}
    try:
        code = _code(_expression(condition, table, 0))
    except (SyntaxError, RecursionError, MemoryError):
        return plain
    # a copy of its own: the interpreter adapts the code to the table it meets first
    return FunctionType(code.replace(), table, "test")


class Warming:
    """A plain test that puts an expression in its place once it is used often."""

    __slots__ = ("_condition", "_plain", "_replace", "_uses")

    def __init__(self, condition: Condition, replace: Callable[[Test], None]) -> None:
        self._condition = condition
        self._plain = compiled(condition)
        self._replace = replace
        self._uses = 0

    def __call__(self, facts: Facts) -> bool:
        """The verdict."""
        self._uses += 1
        if self._uses == HOT:
            self._replace(quick(self._condition))
        return self._plain(facts)


@lru_cache(maxsize=1024)
def _code(expression: str) -> CodeType:
    """The function's code; rules of one form share it."""
    whole = compile(_CODE.format(expression), "<condition>", "exec", dont_inherit=True)
    return next(one for one in whole.co_consts if isinstance(one, CodeType))


def _expression(condition: Condition, table: dict[str, Any], depth: int) -> str:
    if depth > _DEPTH_MAX:
        raise RecursionError
    if isinstance(condition, Always):
        return str(condition.value)
    if isinstance(condition, Not):
        return f"(not {_expression(condition.part, table, depth + 1)})"
    if isinstance(condition, And | Or):
        word = " and " if isinstance(condition, And) else " or "
        parts = sorted(condition.parts, key=cost)
        return f"({word.join(_expression(part, table, depth + 1) for part in parts)})"
    if isinstance(condition, Atom):
        known = _of_atom(condition, table)
        if known:
            return known
    return f"{_named(table, leaf_test(condition))}(facts)"


def _of_atom(atom: Atom, table: dict[str, Any]) -> str:
    """The expression on the field's one text; '' where the atom needs more than that."""
    if not atom.cased and atom.operator in _OF_TWO:
        return _of_fields(atom, table)
    values = tuple(dict.fromkeys(str(value).casefold() for value in atom.values))
    if atom.operator == "wildcard" and not atom.cased:
        # what stands between the stars is sought first: patterns cost more
        pieces = tuple(dict.fromkeys(map(longest_piece, values)))
        sought = _of_atom(Atom(atom.field, "contains", pieces), table)
        return f"({sought} and {_named(table, leaf_test(atom))}(facts))" if sought else ""
    if atom.cased or atom.operator not in _QUICK or not values or any(value in ABSENT for value in values):
        return ""
    text = f"texts[{_named(table, atom.field)}]"
    if atom.operator == "equals":
        if len(values) == 1:
            return f"({text} == {_named(table, values[0])})"
        return f"({text} in {_named(table, frozenset(values))})"
    if atom.operator != "contains":
        return f"{text}.{atom.operator}({_named(table, values)})"
    if len(values) > _NEEDLES_ONE_BY_ONE:
        return f"{_named(table, acceptance(atom))}({text})"
    first, *others = (_named(table, value) for value in values)
    if not others:
        return f"({first} in {text})"
    return f"({first} in (text := {text}) or {' or '.join(f'{one} in text' for one in others)})"


def _of_fields(atom: Atom, table: dict[str, Any]) -> str:
    """The expression on two fields of one text each; no text of an event is ``ABSENT`` itself."""
    absent = _named(table, ABSENT)
    tests = (
        f"((other := texts[{_named(table, str(name))}]) is not {absent} and {_OF_TWO[atom.operator]})"
        for name in atom.values
    )
    return f"((text := texts[{_named(table, atom.field)}]) is not {absent} and ({' or '.join(tests)}))"


def _named(table: dict[str, Any], value: object) -> str:
    name = f"v{len(table)}"
    table[name] = value
    return name
