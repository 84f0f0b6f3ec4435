"""Regular expressions on untrusted text: google-re2 only, linear in the text whatever the pattern.

Patterns are in RE2 syntax (no look-around, no back-references); wildcards are turned into them here.
"""

from collections.abc import Sequence
from typing import Final

import re2

from crypto.words import BadInput, Words

PATTERN_CHARS_MAX: Final = 8 * 1024
_MEMORY_BYTES_MAX: Final = 8 * 1024 * 1024  # of one compiled pattern; above it RE2 is slower, still linear
_SET_MEMORY_BYTES_MAX: Final = 32 * 1024 * 1024  # of a set; above it each pattern is sought by itself
_LOOKS: Final = ("(?=", "(?!", "(?<=", "(?<!", "(?>")


class Pattern:
    """One compiled pattern; ``found`` searches anywhere in the text."""

    __slots__ = ("_search", "text")

    def __init__(self, text: str) -> None:
        """Compile ``text``. Raises BadInput ``regex-unsupported`` with the reason and the fix."""
        if len(text) > PATTERN_CHARS_MAX:
            raise _unsupported(text, f"{len(text)} > {PATTERN_CHARS_MAX}", Words("请缩短", "shorten it"))
        try:
            # bytes, so that re2 has no offsets to translate back into characters
            self._search = re2.compile(_bytes(text), _options(_MEMORY_BYTES_MAX)).search
        except re2.error as error:
            raise _unsupported(text, _reason(error), _fix(text)) from None
        self.text = text

    def found(self, text: str) -> bool:
        """Whether the pattern matches somewhere in ``text``."""
        return self._search(_bytes(text)) is not None


class PatternSet:
    """Many patterns sought at once in one pass over the text."""

    __slots__ = ("_every", "_match", "_patterns", "_texts")

    def __init__(self, texts: Sequence[str]) -> None:
        """Compile them. Raises BadInput as ``Pattern`` does, at the latest at the first search."""
        self._texts = tuple(texts)
        self._patterns: list[Pattern] | None = None
        together = re2.Set.SearchSet(_options(_SET_MEMORY_BYTES_MAX))
        try:
            for text in texts:
                together.Add(_bytes(text))
            # RE2 says nothing of a search that ran out of memory: then this one, found everywhere, is missing
            self._every = together.Add(b"")
            together.Compile()
            self._match = together.Match
        except re2.error:
            self._every, self._match = 0, _nothing

    def found(self, text: str) -> list[int]:
        """Indexes of the patterns that match somewhere in ``text``."""
        indexes: Sequence[int] = self._match(_bytes(text)) or ()
        if self._every in indexes:
            return [index for index in indexes if index != self._every]
        if self._patterns is None:
            self._patterns = [Pattern(one) for one in self._texts]
        return [index for index, pattern in enumerate(self._patterns) if pattern.found(text)]


def wildcard(text: str, *, anchored: bool = True) -> Pattern:
    """The pattern of a wildcard text: ``*`` any text, ``?`` one character, a backslash escapes."""
    pieces: list[str] = []
    escaped = False
    for character in text:
        if escaped or character not in "*?\\":
            # before anything but the three signs a backslash stands for itself, as in Sigma
            pieces.append(quoted("\\" + character if escaped and character not in "*?\\" else character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            pieces.append(".*" if character == "*" else ".")
    if escaped:
        pieces.append(quoted("\\"))
    body = "".join(pieces)
    return Pattern(f"(?s)^(?:{body})$" if anchored else f"(?s){body}")


def _options(memory_bytes_max: int) -> object:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True  # only whether it matches is asked, which lets RE2 stay in its DFA
    options.max_mem = memory_bytes_max
    return options


def _nothing(_text: bytes) -> Sequence[int]:
    return ()


def quoted(text: str) -> str:
    """The pattern that finds exactly this text."""
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
