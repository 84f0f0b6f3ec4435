"""LDAP search filters (RFC 4515) from their encoding back to text, bounded in depth, parts and length."""

from itertools import islice
from typing import Final

from sensors.network.ber import Element, children, content
from sensors.network.reading import text

DEPTH_MAX: Final = 16
CHARS_MAX: Final = 2_048
_SIGNS: Final = {0xA3: "=", 0xA5: ">=", 0xA6: "<=", 0xA8: "~="}
_JOINS: Final = {0xA0: "&", 0xA1: "|", 0xA2: "!"}
_ESCAPED: Final = frozenset(b"*()\\\0")


def filter_text(data: bytes, one: Element) -> str:
    """The filter in parentheses; what is nested deeper than is sane is written ``(...)``."""
    return _text(data, one, 0)[:CHARS_MAX]


def _text(data: bytes, one: Element, depth: int) -> str:
    if depth >= DEPTH_MAX:
        return "(...)"
    if one.tag in _JOINS:
        parts: list[str] = []
        room = CHARS_MAX
        for child in children(data, one.start, one.end):
            parts.append(_text(data, child, depth + 1))
            room -= len(parts[-1])
            if room <= 0:
                break
        return f"({_JOINS[one.tag]}{''.join(parts)})"
    if one.tag == 0x87:
        return f"({text(content(data, one), 128)}=*)"
    parts_in = list(islice(children(data, one.start, one.end), 4))
    if one.tag in _SIGNS and len(parts_in) >= 2:
        name, value = (content(data, part) for part in parts_in[:2])
        return f"({text(name, 128)}{_SIGNS[one.tag]}{_value(value)})"
    if one.tag == 0xA4 and len(parts_in) >= 2:
        return f"({text(content(data, parts_in[0]), 128)}={_pieces(data, parts_in[1])})"
    if one.tag == 0xA9:
        return _extended(data, parts_in)
    return "(...)"


def _pieces(data: bytes, holder: Element) -> str:
    pieces = list(islice(children(data, holder.start, holder.end), 32))
    said = "".join(("" if piece.tag == 0x80 else "*") + _value(content(data, piece)) for piece in pieces)
    return said + ("" if pieces and pieces[-1].tag == 0x82 else "*")


def _extended(data: bytes, parts: list[Element]) -> str:
    by_tag = {part.tag: content(data, part) for part in parts}
    rule, name = text(by_tag.get(0x81, b""), 128), text(by_tag.get(0x82, b""), 128)
    dn = ":dn" if by_tag.get(0x84, b"\0") != b"\0" else ""
    return f"({name}{dn}{':' + rule if rule else ''}:={_value(by_tag.get(0x83, b''))})"


def _value(raw: bytes) -> str:
    if not _ESCAPED.isdisjoint(raw):
        raw = b"".join(b"\\%02x" % byte if byte in _ESCAPED else bytes([byte]) for byte in raw[:512])
    return text(raw, 512)
