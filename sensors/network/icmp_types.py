"""Which ICMP type answers which, so that both directions share one flow, as in Community ID v1."""

from typing import Final

_ANSWERS: Final = {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 17: 18, 18: 17, 10: 9, 9: 10}
_ANSWERS_6: Final = {
    128: 129, 129: 128, 130: 131, 131: 130, 133: 134, 134: 133, 135: 136, 136: 135, 139: 140, 140: 139,
    144: 145, 145: 144,
}  # fmt: skip


def answer_type(kind: int, code: int, *, version6: bool) -> int:
    """The ICMP type that answers ``kind``; ``code`` where nothing does."""
    return (_ANSWERS_6 if version6 else _ANSWERS).get(kind, code)
