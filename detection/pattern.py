"""Regular expressions on untrusted text: google-re2 only, linear in the text whatever the pattern.

Patterns are in RE2 syntax (no look-around, no back-references); wildcards and lists of literal texts are
turned into them here.
"""

from collections.abc import Iterable
from typing import Final

import re2

from crypto.words import BadInput, Words

PATTERN_CHARS_MAX: Final = 8 * 1024
_MEMORY_BYTES_MAX: Final = 8 * 1024 * 1024  # of one compiled pattern; above it RE2 is slower, still linear
_LOOKS: Final = ("(?=", "(?!", "(?<=", "(?<!", "(?>")


class Pattern:
    """One compiled pattern; ``found`` searches anywhere in the text."""

    __slots__ = ("_search", "text")

    def __init__(self, text: str) -> None:
        """Compile ``text``. Raises BadInput ``regex-unsupported`` with the reason and the fix."""
        if len(text) > PATTERN_CHARS_MAX:
            raise _unsupported(text, f"{len(text)} > {PATTERN_CHARS_MAX}", Words("请缩短", "shorten it"))
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True  # only whether it matches is asked, which lets RE2 stay in its DFA
        options.max_mem = _MEMORY_BYTES_MAX
        try:
            # bytes, so that re2 has no offsets to translate back into characters
            self._search = re2.compile(_bytes(text), options).search
        except re2.error as error:
            raise _unsupported(text, _reason(error), _fix(text)) from None
        self.text = text

    def found(self, text: str) -> bool:
        """Whether the pattern matches somewhere in ``text``."""
        return self._search(_bytes(text)) is not None


def literals(needles: Iterable[str]) -> list[Pattern]:
    """Patterns that together find any of the literal texts, as few as the size limit allows."""
    patterns: list[Pattern] = []
    pending: list[str] = []
    size = 0
    for needle in needles:
        escaped = _escape(needle)
        if pending and size + len(escaped) + 1 > PATTERN_CHARS_MAX:
            patterns.append(Pattern("|".join(pending)))
            pending, size = [], 0
        pending.append(escaped)
        size += len(escaped) + 1
    return [*patterns, Pattern("|".join(pending))] if pending else patterns


def wildcard(text: str, *, anchored: bool = True) -> Pattern:
    """The pattern of a wildcard text: ``*`` any text, ``?`` one character, a backslash escapes."""
    pieces: list[str] = []
    escaped = False
    for character in text:
        if escaped or character not in "*?\\":
            # before anything but the three signs a backslash stands for itself, as in Sigma
            pieces.append(_escape("\\" + character if escaped and character not in "*?\\" else character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            pieces.append(".*" if character == "*" else ".")
    if escaped:
        pieces.append(_escape("\\"))
    body = "".join(pieces)
    return Pattern(f"(?s)^(?:{body})$" if anchored else f"(?s){body}")


def _escape(text: str) -> str:
    return "".join(
        character
        if character.isalnum() or character == "_" or ord(character) >= 0x80
        else "\\x00"
        if character == "\0"
        else "\\" + character
        for character in text
    )


def _bytes(text: str) -> bytes:
    # a lone surrogate can come from a Python source; it must not stop the matching
    return text.encode("utf-8", "surrogatepass")


def _reason(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    return detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)


def _fix(text: str) -> Words:
    if any(look in text for look in _LOOKS):
        return Words(
            "不支持环视(look-around),请改写为两个条件,例如 selection and not filter",
            "look-around is not supported: write two conditions instead, as in selection and not filter",
        )
    return Words(
        "请改用 RE2 语法(没有环视和反向引用,重复次数不超过 1000)",
        "use RE2 syntax (no look-around, no back-references, repetition up to 1000)",
    )


def _unsupported(text: str, reason: str, fix: Words) -> BadInput:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return BadInput(
        "regex-unsupported",
        Words(
            f"正则表达式 {shown!r} 不能使用:{reason}",
            f"regular expression {shown!r} cannot be used: {reason}",
        ),
        fix,
    )
