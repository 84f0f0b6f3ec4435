"""Events of a packed block arranged by field, so that like stands beside like; pure functions.

A payload is cut at every ``":``. What ends a piece, from its last quote on, is the name of a field, and
payloads of the same names in the same order are a group. Only bytes are looked at: what comes back is what
was given, JSON or not.

content       the group of each payload, u16 each; then sections, a NUL between two
of a group    names, each followed by a quote; then the columns: a piece of each payload without its name, a
              newline between two
"""

import struct
from collections.abc import Sequence
from typing import Final

_CUT: Final = b'":'
_QUOTE: Final = b'"'
_END: Final = b"\n"
_SECTION: Final = b"\0"
_GROUPS_MAX: Final = 1 << 16


def arranged(payloads: Sequence[bytes]) -> bytes | None:
    """The payloads by columns; None where they hold a separator, or too many layouts."""
    if any(_END in one or _SECTION in one for one in payloads):
        return None
    groups: dict[bytes, tuple[int, list[list[bytes]]]] = {}
    order = []
    for payload in payloads:
        pieces = payload.split(_CUT)
        names = b"".join([piece[piece.rfind(_QUOTE) + 1 :] + _QUOTE for piece in pieces[:-1]])
        group = groups.get(names)
        if group is None:
            if len(groups) == _GROUPS_MAX:
                return None
            group = groups[names] = (len(groups), [])
        group[1].append(pieces)
        order.append(group[0])
    sections = []
    for names, (_, rows) in groups.items():
        sections.append(names)
        lengths = [len(name) for name in names.split(_QUOTE)]  # of the last piece: 0
        for length, column in zip(lengths, zip(*rows, strict=True), strict=True):
            sections.append(_END.join([piece[:-length] for piece in column] if length else column))
    return struct.pack(f"<{len(order)}H", *order) + _SECTION.join(sections)


def restored(content: bytes, count: int, bytes_max: int) -> list[bytes] | None:
    """The inverse for ``count`` payloads; None where ``content`` is not of this form, or gives too much."""
    if len(content) < 2 * count:
        return None
    order = struct.unpack_from(f"<{count}H", content)
    sections = iter(content[2 * count :].split(_SECTION))
    groups = []
    for names in sections:
        columns: list[list[bytes]] = []
        for name in names.split(_QUOTE):
            column = next(sections, None)
            if column is None:
                return None
            bytes_max -= len(column) + len(name) * (column.count(_END) + 1)  # names are repeated in each row
            if bytes_max < 0:
                return None
            pieces = column.split(_END)
            columns.append([piece + name for piece in pieces] if name else pieces)
        if len({len(column) for column in columns}) != 1:
            return None
        groups.append(iter([_CUT.join(row) for row in zip(*columns, strict=True)]))
    if max(order, default=0) >= len(groups):
        return None
    payloads = [payload for group in order if (payload := next(groups[group], None)) is not None]
    rest = any(next(group, None) is not None for group in groups)
    return payloads if len(payloads) == count and not rest else None
