"""The characters of a query text: full-width signs read as plain ones, words, quotations, columns.

Every column counts characters of the text as typed: what is read as plain keeps its place.
"""

from typing import Final, NamedTuple

from crypto.words import BadInput, Words

_WIDE: Final = {0xFF01 + n: chr(0x21 + n) for n in range(94)}  # ！ to ～, letters and digits included
_SIGNS: Final = {ord(wide): sign for wide, sign in zip("“”＂　【】、", '""" [],', strict=True)}
PLAIN: Final = str.maketrans({**_WIDE, **_SIGNS})
SPACE: Final = frozenset(" \t\r\n")
_SINGLE: Final = frozenset("‘’")
_ESCAPABLE: Final = frozenset('*?\\":()[]{},=!<>~+- ')
_ENDS_WORD: Final = frozenset('()"') | SPACE
_BEFORE_SIGN: Final = frozenset("*?\\")
ENDS_IN_LIST: Final = frozenset(",")
ENDS_IN_RANGE: Final = frozenset("]},")


class Text(NamedTuple):
    """A word or quoted text: what it says, and as a wildcard text if it has an active ``*`` or ``?``."""

    literal: str
    wildcard: str | None
    column: int
    quoted: bool = False


def plain(text: str) -> str:
    """The text with every full-width sign, letter and digit as its plain one; as long as it was."""
    return text.translate(PLAIN)


def wrong(at: int, what: Words, fix: Words | None = None) -> BadInput:
    """A fault of the query at the character with index ``at``."""
    usual = Words(
        '例如 user.name:root and not source.ip:10.0.0.0/8;含空格或符号的值请加引号 "…"',
        'for example: user.name:root and not source.ip:10.0.0.0/8; quote values with spaces or signs: "…"',
    )
    return BadInput("query-syntax", what, fix or usual, field=f"column {at + 1}")


class Reader:
    """A place in a query text. Every method starts and, unless it says otherwise, ends at a non-space."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.plain = plain(text)
        self.at = 0
        self.skip()

    def end(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def sign(self) -> str:
        """The plain character here; '' at the end."""
        return self.plain[self.at : self.at + 1]

    def skip(self) -> None:
        """Go to the next non-space."""
        while not self.end() and self.plain[self.at] in SPACE:
            self.at += 1

    def wrong(self, what: Words, fix: Words | None = None) -> BadInput:
        """A fault here."""
        return wrong(self.at, what, fix)

    def take(self, sign: str) -> bool:
        """Pass over ``sign`` if it stands here."""
        if not self.plain.startswith(sign, self.at):
            return False
        self.at += len(sign)
        self.skip()
        return True

    def ahead(self, words: tuple[str, ...]) -> int:
        """Length of the one of the words and signs that stands here, 0 if none does."""
        for word in words:
            end = self.at + len(word)
            if self.plain[self.at : end].lower() != word:
                continue
            if word in ("&&", "||") or end >= len(self.text) or self.plain[end] in _ENDS_WORD:
                return len(word)
        return 0

    def word(self, words: tuple[str, ...]) -> bool:
        """Pass over one of the words if it stands here."""
        length = self.ahead(words)
        self.at += length
        self.skip()
        return length > 0

    def name(self) -> str:
        """A field name as far as it goes, '' where none stands here; ends where the name does."""
        start = self.at
        while not self.end() and (self.plain[self.at].isalnum() or self.plain[self.at] in "._-@"):
            self.at += 1
        return self.plain[start : self.at]

    def token(self) -> str:
        """The plain characters up to the next space, quotation or parenthesis; goes nowhere."""
        end = self.at
        while end < len(self.text) and self.plain[end] not in _ENDS_WORD:
            end += 1
        return self.plain[self.at : end]

    def quotes(self) -> bool:
        """Whether a quotation begins here."""
        return self.sign() == '"' or (self.text[self.at : self.at + 1] in _SINGLE and not self.end())

    def quoted(self) -> Text:
        """The quotation that begins here; a backslash makes the next quotation mark or backslash literal."""
        start = self.at
        single = self.text[self.at] in _SINGLE
        self.at += 1
        pieces: list[str] = []
        while not self.end() and not self._closes(self.at, single=single):
            following = self.at + 1
            escapes = self.text[self.at] == "\\" and following < len(self.text)
            if escapes and (self.text[following] == "\\" or self._closes(following, single=single)):
                self.at = following
            pieces.append(self.text[self.at])
            self.at += 1
        if self.end():
            raise wrong(
                start,
                Words("引号没有收尾", "the quotation has no end"),
                Words('请在值的末尾补上引号 "', 'put a quotation mark " behind the value'),
            )
        self.at += 1
        self.skip()
        return Text("".join(pieces), None, start, quoted=True)

    def _closes(self, at: int, *, single: bool) -> bool:
        return self.text[at] in _SINGLE if single else self.plain[at] == '"'

    def bare(self, ends: frozenset[str] = frozenset()) -> Text:
        """The word that begins here, up to a space, quotation, parenthesis or one of ``ends``."""
        start = self.at
        literal: list[str] = []
        pattern: list[str] = []
        active = False
        while not self.end() and (sign := self.plain[self.at]) not in _ENDS_WORD and sign not in ends:
            character = self.text[self.at]
            if character == "\\" and self.plain[self.at + 1 : self.at + 2] in _ESCAPABLE:
                self.at += 1
                character = self.text[self.at : self.at + 1] or "\\"
            elif sign in "*?":
                active = True
                literal.append(sign)
                pattern.append(sign)
                self.at += 1
                continue
            literal.append(character)
            pattern.append(f"\\{character}" if character in _BEFORE_SIGN else character)
            self.at += 1
        if self.at == start:
            raise self.wrong(
                Words("此处不能有这个符号", "this sign cannot stand here"),
                Words('属于值的符号请加引号 "…"', 'quote a sign that belongs to a value: "…"'),
            )
        self.skip()
        return Text("".join(literal), "".join(pattern) if active else None, start)
