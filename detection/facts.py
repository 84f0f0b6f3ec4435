"""One event as conditions see it: its values as text, and one test for every leaf of the language.

Normalisation (docs/reference/normalisation.md): booleans are ``true``/``false``, numbers decimal text, a list
matches if any element does, text is compared by Unicode case folding unless ``cased``. A missing field, null
and '' are three things: ``exists`` is true of null, ``null`` is true of missing and null, '' only equals ''.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from math import isfinite
from operator import ge, gt, le, lt
from typing import Final, Protocol

from crypto.words import BadInput, Words
from detection.condition import Atom, Keyword
from detection.literals import AnyLiteral
from detection.pattern import Pattern, wildcard
from sensors.event import Scalar, Value

NUMBER_CHARS_MAX: Final = 40  # a longer text is no number anybody compares
NUMBER_BITS_MAX: Final = 1024  # a longer integer is written in hexadecimal
_NEEDLES_ONE_BY_ONE: Final = 8  # more sought texts than this are sought at once
_NUMBER_ALPHABET: Final = frozenset("0123456789+-.eE")
_COMPARE: Final = {"gt": gt, "gte": ge, "lt": lt, "lte": le}

# Operators that read the text as written; what ``acceptance`` gives for the others takes folded text.
READ_RAW: Final = frozenset({"regex", "cidr", "minute", "hour", "day", "week", "month", "year"})
_PARTS: Final = frozenset({"minute", "hour", "day", "week", "month", "year"})
_TIME_CHARS_MAX: Final = 64
ABSENT: Final = "\uffff"  # no text but itself and '' stands in it
_MILLISECONDS_FROM: Final = 1e11  # a larger number of seconds lies after the year 5000

Accepts = Callable[[str], bool]
Test = Callable[["Facts"], bool]


class Valued(Protocol):
    """What conditions read: an Event, or a record on its way to become one."""

    @property
    def native(self) -> Mapping[str, Value]:
        """The source's own names."""
        ...

    @property
    def fields(self) -> Mapping[str, Value]:
        """ECS names."""
        ...


class Several(Exception):
    """A field holds several texts, where one was looked for."""


class OneText(dict[str, str]):
    """The folded text of each field asked of an event; ``ABSENT`` where it has none, Several where many."""

    __slots__ = ("_event",)

    def __init__(self, event: Valued) -> None:
        super().__init__()
        self._event = event

    def __missing__(self, name: str) -> str:
        native = self._event.native
        value = native[name] if name in native else self._event.fields.get(name)
        if type(value) is str:
            text = value.casefold()
        else:
            texts = texts_of(value)
            if len(texts) > 1:
                raise Several
            text = texts[0].casefold() if texts else ABSENT
        self[name] = text
        return text


class Facts:
    """One event seen by many conditions: its texts are made and folded once."""

    __slots__ = ("_folded", "_texts", "event", "one")

    def __init__(self, event: Valued) -> None:
        self.event = event
        self.one = OneText(event)
        self._texts: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}

    def value(self, name: str) -> Value:
        """The field's value, by the source's own name first; None if it is missing."""
        native = self.event.native
        return native[name] if name in native else self.event.fields.get(name)

    def texts(self, name: str) -> tuple[str, ...]:
        """The field's values as text, nulls left out; () if it is missing."""
        known = self._texts.get(name)
        if known is None:
            known = self._texts[name] = texts_of(self.value(name))
        return known

    def folded(self, name: str) -> tuple[str, ...]:
        """``texts`` by case folding."""
        known = self._folded.get(name)
        if known is None:
            value = self.value(name)
            if type(value) is str:  # nearly always; the rest below makes the same of it
                known = (value.casefold(),)
            else:
                known = tuple([text.casefold() for text in self.texts(name)])
            self._folded[name] = known
        return known

    def names(self) -> list[str]:
        """Every field of the event, the source's own names first."""
        return [*self.event.native, *(name for name in self.event.fields if name not in self.event.native)]


def text_of(value: Scalar) -> str | None:
    """The value as text for comparison; None for null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Python refuses to write out thousands of digits, and no rule compares them
        return str(value) if value.bit_length() <= NUMBER_BITS_MAX else hex(value)
    if not isfinite(value):
        return str(value)
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def texts_of(value: Value) -> tuple[str, ...]:
    """All elements of a value as text, nulls left out."""
    if isinstance(value, str):
        return (value,)
    elements = value if isinstance(value, list) else (value,)
    return tuple([text for element in elements if (text := text_of(element)) is not None])


def number_of(value: Scalar) -> int | float | None:
    """The value as a finite number, decimal text included; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        if not value or len(value) > NUMBER_CHARS_MAX or not _NUMBER_ALPHABET.issuperset(value):
            return None
        try:
            return int(value) if value.lstrip("+-").isdigit() else _finite(float(value))
        except ValueError:
            return None
    return value if isinstance(value, int) else _finite(value)


def time_of(text: str) -> datetime | None:
    """The time a text states: ISO 8601, or seconds or milliseconds since 1970; UTC unless told otherwise."""
    number = number_of(text)
    try:
        if number is not None:
            return datetime.fromtimestamp(number / 1000 if abs(number) >= _MILLISECONDS_FROM else number, UTC)
        moment = datetime.fromisoformat(text.strip()) if len(text) <= _TIME_CHARS_MAX else None
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else moment
    except (ValueError, OverflowError, OSError):
        return None


def number_test(leaf: Atom) -> Callable[[Value], bool]:
    """The test of a ``gt``, ``gte``, ``lt`` or ``lte`` leaf on a field's value."""
    compare = _COMPARE[leaf.operator]
    wanted = [number for value in leaf.values if (number := number_of(value)) is not None]

    def test(value: Value) -> bool:
        numbers = [number_of(element) for element in (value if isinstance(value, list) else (value,))]
        return any(compare(number, limit) for number in numbers if number is not None for limit in wanted)

    return test


def leaf_test(leaf: Atom | Keyword) -> Test:
    """The leaf as one function. Raises BadInput for a pattern or network that cannot be used."""
    if isinstance(leaf, Keyword):
        return _keyword_test(leaf)
    name = leaf.field
    if leaf.operator == "exists":
        wanted = leaf.values != (False,)
        return lambda facts: (name in facts.event.native or name in facts.event.fields) is wanted
    if leaf.operator == "null":
        return lambda facts: _is_null(facts.value(name))
    if leaf.operator in _COMPARE:
        holds = number_test(leaf)
        return lambda facts: holds(facts.value(name))
    if leaf.operator.startswith("field_"):
        return _field_test(leaf)
    accepts = acceptance(leaf)
    if leaf.cased or leaf.operator in READ_RAW:
        return lambda facts: any(map(accepts, facts.texts(name)))

    def test(facts: Facts) -> bool:
        for text in facts.folded(name):  # noqa: SIM110 - the hottest loop of the matcher, twice any()'s speed
            if accepts(text):
                return True
        return False

    return test


def acceptance(leaf: Atom | Keyword) -> Accepts:
    """What one text must be for the leaf; give it folded text unless the leaf is cased or a regex."""
    values = [str(value) for value in leaf.values]
    if leaf.operator == "regex":
        return _found([Pattern(value) for value in values])
    if leaf.operator == "cidr":
        return _networks(values)
    if leaf.operator in _PARTS:
        return _in_part(leaf.operator, values)
    if not leaf.cased:
        values = [value.casefold() for value in values]
    if leaf.operator == "wildcard":
        return _found([wildcard(value, anchored=isinstance(leaf, Atom)) for value in values])
    if leaf.operator == "equals":
        return frozenset(values).__contains__
    if leaf.operator == "contains":
        return _contains(values)
    edges = tuple(values)
    if leaf.operator == "startswith":
        return lambda text: text.startswith(edges)
    assert leaf.operator == "endswith", leaf.operator
    return lambda text: text.endswith(edges)


def _contains(needles: list[str]) -> Accepts:
    if len(needles) == 1:
        needle = needles[0]
        return lambda text: needle in text
    if len(needles) <= _NEEDLES_ONE_BY_ONE:
        return lambda text: any(needle in text for needle in needles)
    if "" in needles:
        return lambda _text: True
    return AnyLiteral(needles).found


def _found(patterns: list[Pattern]) -> Accepts:
    if len(patterns) == 1:
        return patterns[0].found
    return lambda text: any(pattern.found(text) for pattern in patterns)


def _keyword_test(leaf: Keyword) -> Test:
    accepts = acceptance(leaf)
    raw = leaf.cased or leaf.operator == "regex"

    def test(facts: Facts) -> bool:
        texts = facts.texts if raw else facts.folded
        return any(accepts(text) for name in facts.names() for text in texts(name))

    return test


def _field_test(leaf: Atom) -> Test:
    name = leaf.field
    others = tuple(str(value) for value in leaf.values)
    meets: dict[str, Callable[[str, str], bool]] = {
        "field_equals": str.__eq__,
        "field_contains": str.__contains__,
        "field_startswith": str.startswith,
        "field_endswith": str.endswith,
    }
    meet = meets[leaf.operator]

    def test(facts: Facts) -> bool:
        texts = facts.texts if leaf.cased else facts.folded
        return any(meet(text, part) for other in others for part in texts(other) for text in texts(name))

    return test


def _networks(values: list[str]) -> Accepts:
    try:
        networks = [ip_network(value, strict=False) for value in values]
    except ValueError as error:
        raise BadInput(
            "network-malformed",
            Words(f"网段写法不对:{error}", f"not a network: {error}"),
            Words("请写成 10.0.0.0/8 或 fd00::/8 的形式", "write it as 10.0.0.0/8 or fd00::/8"),
        ) from None

    def accepts(text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in networks)

    return accepts


def _in_part(part: str, values: list[str]) -> Accepts:
    wanted = {int(value) for value in values}

    def accepts(text: str) -> bool:
        moment = time_of(text)
        if moment is None:
            return False
        return (moment.isocalendar().week if part == "week" else getattr(moment, part)) in wanted

    return accepts


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])  # a zone (fe80::1%eth0) is no part of the network
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _is_null(value: Value) -> bool:
    return None in value if isinstance(value, list) else value is None


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None
