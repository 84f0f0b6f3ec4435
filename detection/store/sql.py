"""Conditions as DuckDB SQL over sealed event files, with bound parameters only.

The SQL reads the column ``folded``: a map from field name to the list of its texts as the matcher folds them
(detection/store/event_file.py). Operators that need the text as written, numbers or addresses are not exact
there: for those the SQL keeps every row that could match, and the caller asks ``matches`` about each
(``exact`` says whether it must). A second expression keeps only rows that match for sure: numbers and
networks are nearly always decided by the two. tests/detection/store/test_sql.py proves it.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NamedTuple

from detection.condition import Always, And, Atom, Condition, Keyword, Not, Or
from detection.facts import number_of

Parameter = str | float | list[str]

_NEEDLES_MAX: Final = 64  # more texts to seek than this are left to the matcher
_TEXTS: Final = "folded[?]"
_EVERY_TEXT: Final = "flatten(map_values(folded))"
_TESTS: Final = {
    "contains": "contains(x, ?)",
    "startswith": "starts_with(x, ?)",
    "endswith": "ends_with(x, ?)",
    "wildcard": "x LIKE ? ESCAPE '\\'",
}
_COMPARE: Final = {"gt": ">=", "gte": ">=", "lt": "<=", "lte": "<="}  # doubles round, so equal may be more
_SIGNS: Final = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_DOUBLES_EXACT: Final = 2.0**53
# Digits few enough that two different ones are different doubles.
_PLAIN: Final = "length(x) <= 15 AND regexp_full_match(x, '[-+]?[0-9]+([.][0-9]+)?')"
_OCTET: Final = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
# What number_of may take for a number although the cast does not.
_NUMERIC: Final = "regexp_full_match(x, '[-+.0-9e]{1,40}')"


class Sql(NamedTuple):
    """A WHERE expression and its parameters in order; not ``exact``: it holds for more rows than asked.

    ``sure`` holds for fewer: no row it holds for needs the matcher. Of an exact one it is the same.
    """

    text: str
    parameters: list[Parameter]
    exact: bool
    sure_text: str = "FALSE"
    sure_parameters: Sequence[Parameter] = ()

    @property
    def sure(self) -> tuple[str, list[Parameter]]:
        """The expression of rows that match for sure, and its parameters."""
        if self.exact:
            return self.text, self.parameters
        return self.sure_text, list(self.sure_parameters)


def compiled_sql(condition: Condition) -> Sql:
    """The condition over the rows of an event file."""
    if isinstance(condition, Always):
        return Sql("TRUE" if condition.value else "FALSE", [], exact=True)
    if isinstance(condition, Not):
        inner = compiled_sql(condition.part)
        if inner.exact:
            return Sql(f"NOT ({inner.text})", inner.parameters, exact=True)
        text, parameters = inner.sure
        return Sql(f"NOT ({text})", parameters, False, f"NOT ({inner.text})", inner.parameters)
    if isinstance(condition, And):
        return _joined(" AND ", map(compiled_sql, condition.parts))
    if isinstance(condition, Or):
        return _joined(" OR ", map(compiled_sql, condition.parts))
    if isinstance(condition, Keyword):
        return _keyword(condition)
    return _atom(condition)


def _joined(word: str, parts: Iterable[Sql]) -> Sql:
    compiled = list(parts)
    return Sql(
        word.join(f"({part.text})" for part in compiled),
        [parameter for part in compiled for parameter in part.parameters],
        all(part.exact for part in compiled),
        word.join(f"({part.sure[0]})" for part in compiled),
        [parameter for part in compiled for parameter in part.sure[1]],
    )


def _keyword(leaf: Keyword) -> Sql:
    if leaf.operator == "regex":
        return _anything()
    if leaf.operator == "wildcard":
        patterns = [f"%{like_pattern(value.casefold())}%" for value in leaf.values]
        return (
            _some_text(_EVERY_TEXT, [], "wildcard", patterns, exact=True) if not leaf.cased else _anything()
        )
    needles = [value.casefold() for value in leaf.values]
    return _some_text(_EVERY_TEXT, [], "contains", needles, exact=not leaf.cased)


def _atom(leaf: Atom) -> Sql:
    name, operator = leaf.field, leaf.operator
    if operator == "exists":
        sign = "IS NULL" if leaf.values == (False,) else "IS NOT NULL"
        return Sql(f"{_TEXTS} {sign}", [name], exact=True)
    if operator == "null":
        text = f"coalesce(list_count({_TEXTS}) < len({_TEXTS}), TRUE)"
        return Sql(text, [name, name], exact=True)
    if operator in _COMPARE:
        return _numbers(leaf)
    if operator == "cidr":
        return _networks(leaf)
    values = [str(value).casefold() for value in leaf.values]
    if operator == "equals":
        return Sql(f"coalesce(list_has_any({_TEXTS}, ?::VARCHAR[]), FALSE)", [name, values], not leaf.cased)
    if operator in ("contains", "startswith", "endswith"):
        return _some_text(_TEXTS, [name], operator, values, exact=not leaf.cased)
    if operator == "wildcard" and not leaf.cased:
        return _some_text(_TEXTS, [name], operator, [like_pattern(value) for value in values], exact=True)
    return Sql(f"{_TEXTS} IS NOT NULL", [name], exact=False)


def _some_text(texts: str, names: list[Parameter], operator: str, values: list[str], *, exact: bool) -> Sql:
    """Some text of the list passes the operator's test with some value."""
    if len(values) > _NEEDLES_MAX:
        return _anything()
    tests = " OR ".join([_TESTS[operator]] * len(values)) or "FALSE"
    return Sql(_any(texts, tests), [*names, *values], exact)


def _numbers(leaf: Atom) -> Sql:
    limits = [number for value in leaf.values if (number := number_of(value)) is not None]
    if len(limits) > _NEEDLES_MAX:
        return _anything()
    sign = _COMPARE[leaf.operator]
    tests = " OR ".join([f"coalesce(TRY_CAST(x AS DOUBLE) {sign} ?, {_NUMERIC})"] * len(limits)) or "FALSE"
    exactly = [float(limit) for limit in limits if abs(limit) < _DOUBLES_EXACT and limit == _short(limit)]
    sure = " OR ".join([f"(TRY_CAST(x AS DOUBLE) {_SIGNS[leaf.operator]} ? AND {_PLAIN})"] * len(exactly))
    return Sql(
        _any(_TEXTS, tests),
        [leaf.field, *map(_double, limits)],
        False,
        _any(_TEXTS, sure or "FALSE"),
        [leaf.field, *exactly],
    )


def _short(number: float) -> float:
    """The number with as many digits as a double surely tells apart."""
    return float(f"{number:.14g}")


def _networks(leaf: Atom) -> Sql:
    """IPv4 networks as one pattern each; what may be IPv6, or carries a zone, is left to the matcher."""
    networks = []
    for value in leaf.values:
        try:
            networks.append(ip_network(str(value), strict=False))
        except ValueError:
            return Sql(f"{_TEXTS} IS NOT NULL", [leaf.field], exact=False)
    fours = [one for one in networks if one.version == 4]
    if not fours or len(fours) > _NEEDLES_MAX:
        return Sql(f"{_TEXTS} IS NOT NULL", [leaf.field], exact=False)
    pattern = "|".join(map(_dotted, fours))
    sure = "regexp_full_match(x, ?)"
    maybe = f"{sure} OR contains(x, ':') OR contains(x, '%')"
    given: list[Parameter] = [leaf.field, pattern]
    return Sql(_any(_TEXTS, maybe), given, False, _any(_TEXTS, sure), given)


def _dotted(network: IPv4Network | IPv6Network) -> str:
    """A pattern of the addresses of an IPv4 network, as they are written."""
    whole, rest = divmod(network.prefixlen, 8)
    octets = list(network.network_address.packed)
    pieces = [str(octet) for octet in octets[:whole]]
    if whole < len(octets):
        last = range(octets[whole], octets[whole] + (1 << (8 - rest)))
        pieces.append(_OCTET if rest == 0 else f"({'|'.join(map(str, last))})")
    return r"\.".join([*pieces, *[_OCTET] * (4 - len(pieces))])


def _any(texts: str, tests: str) -> str:
    return f"coalesce(list_bool_or(list_transform({texts}, lambda x: {tests})), FALSE)"


def _anything() -> Sql:
    return Sql("TRUE", [], exact=False)


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def like_pattern(text: str) -> str:
    """A wildcard text (``*``, ``?``, backslash before a literal one) as a LIKE pattern with ESCAPE ``\\``."""
    pieces: list[str] = []
    escaped = False
    for character in text:
        if escaped or character not in "*?\\":
            # before anything but the three signs a backslash stands for itself, as in detection.pattern
            pieces.append("\\\\" if escaped and character not in "*?\\" else "")
            pieces.append(f"\\{character}" if character in "%_\\" else character)
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            pieces.append("%" if character == "*" else "_")
    if escaped:
        pieces.append("\\\\")
    return "".join(pieces)
