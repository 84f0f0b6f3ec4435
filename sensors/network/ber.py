"""ASN.1 in its basic encoding (X.690), as far as LDAP, Kerberos and SNMP need it: bounded and iterative.

An element is (tag, start, end) into the bytes it was read from. What is cut by the end of the bytes ends
there; lengths that lie are held to the enclosing element.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

ELEMENTS_MAX: Final = 512  # read from one constructed element
INTEGER, OCTETS, OBJECT, ENUMERATED, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x0A, 0x30, 0x31


class Element(NamedTuple):
    """One element: ``tag`` is the identifier byte, the content is ``data[start:end]``."""

    tag: int
    start: int
    end: int


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """(content length, offset of the content) of the length at ``at``; (-1, 0) no length, (-2, 0) cut."""
    if at >= len(data):
        return -2, 0
    first = data[at]
    if first < 0x80:
        return first, at + 1
    count = first & 0x7F
    if not 1 <= count <= 4:
        return -1, 0
    if at + 1 + count > len(data):
        return -2, 0
    return int.from_bytes(data[at + 1 : at + 1 + count], "big"), at + 1 + count


def whole_size(data: bytes) -> int:
    """Bytes of the element that starts here, header included; 0 where that is cut, -1 where it is none."""
    size, start = length_at(data, 1)
    if size < 0:
        return 0 if size == -2 else -1
    return start + size


def element(data: bytes, at: int, end: int) -> Element | None:
    """The element at ``at``, held to ``end``; None where there is none."""
    if at + 2 > end or data[at] & 0x1F == 0x1F:
        return None
    size, start = length_at(data, at + 1)
    if size < 0 or start > end:
        return None
    return Element(data[at], start, min(start + size, end))


def children(data: bytes, start: int, end: int) -> Iterator[Element]:
    """The elements between two offsets, at most ``ELEMENTS_MAX``."""
    end = min(end, len(data))
    for _ in range(ELEMENTS_MAX):
        found = element(data, start, end)
        if found is None:
            return
        yield found
        start = found.end


def inside(data: bytes, outer: Element) -> list[Element]:
    """The elements in a constructed one."""
    return list(children(data, outer.start, outer.end))


def tagged(data: bytes, outer: Element) -> dict[int, Element]:
    """tag -> the first element with it, in a constructed one."""
    found: dict[int, Element] = {}
    for child in children(data, outer.start, outer.end):
        found.setdefault(child.tag, child)
    return found


def content(data: bytes, one: Element) -> bytes:
    """The content bytes."""
    return data[one.start : one.end]


def number(data: bytes, one: Element) -> int:
    """An INTEGER or ENUMERATED; what is longer than eight bytes is read as its first eight."""
    return int.from_bytes(data[one.start : min(one.end, one.start + 8)], "big", signed=True)


def object_text(raw: bytes) -> str:
    """An OBJECT IDENTIFIER's content in dotted text; sub-identifiers beyond 64 bits end it."""
    numbers: list[int] = []
    value = 0
    for byte in raw[:64]:
        value = value << 7 | byte & 0x7F
        if value >> 64:
            break
        if byte < 0x80:
            numbers.append(value)
            value = 0
    if not numbers:
        return ""
    top = min(numbers[0] // 40, 2)
    return ".".join(str(one) for one in (top, numbers[0] - 40 * top, *numbers[1:]))
