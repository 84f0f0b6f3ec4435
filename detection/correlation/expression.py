"""Conditions of extended temporal correlations: ``a and (b or c) and not d`` as plain alternatives.

``and`` binds tighter than ``or``, ``not`` tighter than both, words in any case. In an ordered correlation the
rules joined by ``and`` must occur in the order written.
"""

from typing import Final

from detection.correlation.rule import Alternative
from detection.sigma.errors import RuleError, malformed

EXPRESSION_CHARS_MAX: Final = 4_096
ALTERNATIVES_MAX: Final = 64
_DEPTH_MAX: Final = 16

_Literal = tuple[str, bool]  # the name of a rule, and whether it must occur
_Way = tuple[_Literal, ...]


def words_of(expression: str) -> list[str]:
    """Parentheses and words of the expression. Raises RuleError where it is too long."""
    if len(expression) > EXPRESSION_CHARS_MAX:
        raise malformed("condition 太长", "condition too long")
    return expression.replace("(", " ( ").replace(")", " ) ").split()


def names_in(expression: str) -> tuple[str, ...]:
    """The rules the expression names, in order of appearance."""
    known = {"and", "or", "not", "(", ")"}
    return tuple(dict.fromkeys(word for word in words_of(expression) if word.lower() not in known))


def alternatives_of(expression: str, names: tuple[str, ...]) -> tuple[Alternative, ...]:
    """The ways the expression may hold, by places in ``names``. Raises RuleError."""
    parser = _Parser(words_of(expression))
    ways = parser.either(negated=False, depth=0)
    if parser.rest():
        raise _unexpected(parser.rest()[0])
    found: dict[Alternative, None] = {}
    for way in ways:
        required = tuple(dict.fromkeys(names.index(name) for name, wanted in way if wanted))
        forbidden = tuple(sorted({names.index(name) for name, wanted in way if not wanted}))
        if set(required) & set(forbidden):
            continue  # a and not a
        if not required:
            raise malformed(
                "condition 至少要有一条必须出现的规则",
                "some rule must occur in every way the condition may hold",
            )
        found[Alternative(required, forbidden)] = None
    if not found:
        raise malformed("condition 永远不成立", "the condition can never hold")
    return tuple(found)


class _Parser:
    """Recursive descent, bounded in depth and in the number of alternatives."""

    def __init__(self, words: list[str]) -> None:
        self._words = words
        self._place = 0

    def rest(self) -> list[str]:
        return self._words[self._place :]

    def either(self, *, negated: bool, depth: int) -> list[_Way]:
        parts = [self._every(negated=negated, depth=depth)]
        while self._accept("or"):
            parts.append(self._every(negated=negated, depth=depth))
        return _joined(parts) if negated else _bounded([way for part in parts for way in part])

    def _every(self, *, negated: bool, depth: int) -> list[_Way]:
        parts = [self._one(negated=negated, depth=depth)]
        while self._accept("and"):
            parts.append(self._one(negated=negated, depth=depth))
        return _bounded([way for part in parts for way in part]) if negated else _joined(parts)

    def _one(self, *, negated: bool, depth: int) -> list[_Way]:
        if depth > _DEPTH_MAX:
            raise malformed("condition 嵌套太深", "condition nested too deep")
        if self._accept("not"):
            return self._one(negated=not negated, depth=depth + 1)
        if self._accept("("):
            ways = self.either(negated=negated, depth=depth + 1)
            if not self._accept(")"):
                raise _unexpected(self._words[self._place] if self.rest() else "")
            return ways
        word = self._words[self._place] if self.rest() else ""
        if word.lower() in ("", "and", "or", ")"):
            raise _unexpected(word)
        self._place += 1
        return [((word, not negated),)]

    def _accept(self, word: str) -> bool:
        if self.rest() and self._words[self._place].lower() == word:
            self._place += 1
            return True
        return False


def _joined(parts: list[list[_Way]]) -> list[_Way]:
    ways: list[_Way] = [()]
    for part in parts:
        ways = _bounded([(*before, *after) for before in ways for after in part])
    return ways


def _bounded(ways: list[_Way]) -> list[_Way]:
    if len(ways) > ALTERNATIVES_MAX:
        raise malformed(
            f"condition 展开后超过 {ALTERNATIVES_MAX} 种情形",
            f"the condition unfolds into more than {ALTERNATIVES_MAX} alternatives",
        )
    return ways


def _unexpected(word: str) -> RuleError:
    if not word:
        return malformed("condition 不完整", "the condition ends too early")
    return malformed(f"condition 里的 {word} 位置不对", f"{word!r} is out of place in the condition")
