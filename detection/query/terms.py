"""What one term of a query means: a field, an operator and a text as a Condition."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from typing import Final

from crypto.words import BadInput, Words
from detection.condition import Always, Atom, Condition, Keyword, Operator, all_of, any_of
from detection.evaluate import compiled
from detection.facts import number_of
from detection.query.characters import Text, plain, wrong

_Address = IPv4Address | IPv6Address
_FIRST: Final[dict[int, _Address]] = {4: IPv4Address(0), 6: IPv6Address(0)}
_LAST: Final[dict[int, _Address]] = {4: IPv4Address(2**32 - 1), 6: IPv6Address(2**128 - 1)}


def anywhere(text: Text) -> Condition:
    """A text without a field: sought in every value; ``*`` alone asks for every event."""
    if text.wildcard == "*":
        return Always(True)
    if text.wildcard is not None:
        return Keyword("wildcard", (text.wildcard,))
    return Keyword("contains", (text.literal,))


def any_name(names: tuple[str, ...], made: Callable[[str], Condition]) -> Condition:
    """The same test on each field that is meant."""
    return any_of(made(name) for name in names)


def having(name: str, text: Text) -> Condition:
    """``field:text``."""
    if text.wildcard == "*":
        return Atom(name, "exists")
    if text.wildcard is not None:
        return Atom(name, "wildcard", (text.wildcard,))
    literal = text.literal
    narrow = plain(literal)
    if narrow != literal and not text.quoted and (number_of(narrow) is not None or _network(narrow)):
        literal = narrow  # digits and dots typed full-width
    if "/" in literal and _network(literal):
        return Atom(name, "cidr", (literal,))
    return Atom(name, "equals", (literal,))


def compared(name: str, operator: Operator, text: Text) -> Condition:
    """``field >= number``. Raises BadInput where it is none."""
    number = number_of(plain(text.literal))
    if number is None:
        raise wrong(
            text.column,
            Words("此处要写数字", "a number is wanted here"),
            Words("例如 source.port >= 1024", "for example: source.port >= 1024"),
        )
    return Atom(name, operator, (number,))


def found(name: str, text: Text) -> Condition:
    """``field~pattern``. Raises BadInput where RE2 does not take it."""
    atom = Atom(name, "regex", (text.literal,))
    try:
        compiled(atom)
    except BadInput as error:
        raise wrong(text.column, error.what, error.fix) from error
    return atom


def between(name: str, low: Text, high: Text, *, with_low: bool, with_high: bool) -> Condition:
    """``field:[low TO high]`` over numbers or addresses; ``*`` leaves an end open. Raises BadInput."""
    ends = [None if text.wildcard == "*" else plain(text.literal) for text in (low, high)]
    if ends == [None, None]:
        return Atom(name, "exists")
    numbers = [None if end is None else number_of(end) for end in ends]
    if all((end is None) is (number is None) for end, number in zip(ends, numbers, strict=True)):
        parts: list[Condition] = []
        if numbers[0] is not None:
            parts.append(Atom(name, "gte" if with_low else "gt", (numbers[0],)))
        if numbers[1] is not None:
            parts.append(Atom(name, "lte" if with_high else "lt", (numbers[1],)))
        return all_of(parts)
    first, last = (None if end is None else _address(end) for end in ends)
    if (ends[0] is not None and first is None) or (ends[1] is not None and last is None):
        odd = ends[0] is not None and first is None and numbers[0] is None
        raise _no_range(low.column if odd else high.column)
    version = (first or last or _FIRST[4]).version
    if first is not None and last is not None and first.version != last.version:
        raise _no_range(high.column)
    start = int(first or _FIRST[version]) + (first is not None and not with_low)
    stop = int(last or _LAST[version]) - (last is not None and not with_high)
    if start > stop:
        return Always(False)
    kind = IPv4Address if version == 4 else IPv6Address
    networks = summarize_address_range(kind(start), kind(stop))
    return Atom(name, "cidr", tuple(str(network) for network in networks))


def _no_range(column: int) -> BadInput:
    return wrong(
        column,
        Words(
            "范围的两端应是数字,或同一种 IP 地址", "a range goes between numbers, or addresses of one kind"
        ),
        Words(
            "例如 [1024 TO 65535]、[10.0.0.1 TO 10.0.0.9];时间请用 --since 和 --until",
            "for example [1024 TO 65535] or [10.0.0.1 TO 10.0.0.9]; for times use --since and --until",
        ),
    )


def _address(text: str) -> _Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
