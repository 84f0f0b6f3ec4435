"""The query text of an analyst, parsed into a Condition.

    failed and user.name:root               both; a word alone is sought in every value
    Image:*/nc  or  process.name:(nc ncat)  * any text, ? one character; a list means one of them
    not destination.ip:10.0.0.0/8           a network
    source.port >= 1024                     > >= < <= compare numbers; field:>=1024 is the same
    process.command_line:"curl -k *"        quoted text is literal, * and ? too; \\" is a quote in it
    file.path:*                             the field is there
    message~"session opened.*root"          a regular expression (RE2), found anywhere

``and``, ``or``, ``not`` in any case; two terms side by side mean ``and``, which binds before ``or``. Outside
quotes a backslash makes the next of ``* ? \\ " : ( )`` or a space literal, and is itself literal before
anything else, so most Windows paths can be typed as they are. Full-width ：（）“” are taken as the plain
ones. Text is compared without regard to case.
"""

from ipaddress import ip_network
from typing import Final, NamedTuple

from crypto.words import BadInput, Words
from detection.condition import Atom, Condition, Keyword, Operator, all_of, any_of, negated
from detection.evaluate import compiled
from detection.facts import number_of

QUERY_CHARS_MAX: Final = 4_096
DEPTH_MAX: Final = 32
TERMS_MAX: Final = 256
_PLAIN: Final = str.maketrans("：（）“”", ':()""')
_ESCAPABLE: Final = frozenset('*?\\":() ')
_ENDS_WORD: Final = frozenset('()" \t\r\n　')
_COMPARE: Final[tuple[tuple[str, Operator], ...]] = ((">=", "gte"), ("<=", "lte"), (">", "gt"), ("<", "lt"))
_SPACE: Final = " \t\r\n　"


class _Text(NamedTuple):
    """A word or quoted text: what it says, and as a wildcard text if it has an active ``*`` or ``?``."""

    literal: str
    wildcard: str | None
    column: int


def parse_query(text: str) -> Condition:
    """The condition a query text means. Raises BadInput ``query-syntax`` whose field is ``column N``."""
    if len(text) > QUERY_CHARS_MAX:
        raise _bad(QUERY_CHARS_MAX, Words(f"查询超过 {QUERY_CHARS_MAX} 个字符", "the query is too long"))
    parser = _Parser(text)
    parser.skip()
    if parser.at_end():
        raise _bad(0, Words("查询是空的", "the query is empty"))
    condition = parser.either(0)
    if not parser.at_end():
        raise parser.wrong(Words("多了一个右括号", "a closing parenthesis too many"))
    return condition


class _Parser:
    """Recursive descent over the characters; every method starts and ends at a non-space."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain = text.translate(_PLAIN)  # same length: a column means the same in both
        self._at = 0
        self._terms = 0

    def at_end(self) -> bool:
        return self._at >= len(self._text)

    def skip(self) -> None:
        while not self.at_end() and self._text[self._at] in _SPACE:
            self._at += 1

    def wrong(self, what: Words) -> BadInput:
        return _bad(self._at, what)

    def either(self, depth: int) -> Condition:
        parts = [self._both(depth)]
        while self._word("or", "||"):
            parts.append(self._both(depth))
        return any_of(parts)

    def _both(self, depth: int) -> Condition:
        parts = [self._single(depth)]
        while True:
            joined = self._word("and", "&&")
            if not joined and (self.at_end() or self._plain[self._at] == ")" or self._ahead("or", "||")):
                return all_of(parts)
            parts.append(self._single(depth))

    def _single(self, depth: int) -> Condition:
        if depth >= DEPTH_MAX:
            raise self.wrong(Words(f"嵌套超过 {DEPTH_MAX} 层", f"nested deeper than {DEPTH_MAX}"))
        if self._word("not"):
            return negated(self._single(depth + 1))
        if self._take("("):
            inner = self.either(depth + 1)
            self._close()
            return inner
        return self._term()

    def _term(self) -> Condition:
        if self.at_end() or self._ahead("and", "&&") or self._ahead("or", "||"):
            raise self.wrong(Words("此处缺少查询项", "a term is missing here"))
        if self._plain[self._at] == ")":
            raise self.wrong(Words("括号里缺少查询项", "a term is missing before the parenthesis"))
        start = self._at
        if self._plain[start] == '"':
            return _anywhere(self._counted(self._quoted()))
        name = self._name()
        before = self._at
        self.skip()
        operator = self._comparison()
        if operator is not None:
            return self._compared(name, operator)
        if name and self._take("~"):
            return self._pattern(name)
        self._at = before
        if name and self._take(":", spaces=False):
            self.skip()
            operator = self._comparison()
            return self._compared(name, operator) if operator is not None else self._values(name)
        self._at = start
        return _anywhere(self._counted(self._bare()))

    def _values(self, name: str) -> Condition:
        """What stands behind ``field:``: one value, or a list of them in parentheses."""
        if not self._take("("):
            return _field(name, self._counted(self._value()))
        parts: list[Condition] = []
        while not self._take(")", spaces=False):
            if self.at_end():
                raise self.wrong(Words("缺少右括号", "a closing parenthesis is missing"))
            if parts and self._word("or", "||"):
                continue
            parts.append(_field(name, self._counted(self._value())))
        self.skip()
        if not parts:
            raise self.wrong(Words("括号里没有值", "there is no value in the parentheses"))
        return any_of(parts)

    def _compared(self, name: str, operator: Operator) -> Condition:
        text = self._counted(self._value())
        number = number_of(text.literal)
        if number is None:
            raise _bad(text.column, Words("此处要写数字", "a number is wanted here"))
        return Atom(name, operator, (number,))

    def _pattern(self, name: str) -> Condition:
        text = self._counted(self._value())
        atom = Atom(name, "regex", (text.literal,))
        try:
            compiled(atom)
        except BadInput as error:
            raise _bad(text.column, error.what, error.fix) from error
        return atom

    def _value(self) -> _Text:
        if self.at_end() or self._plain[self._at] == ")":
            raise self.wrong(Words("冒号后面缺少值", "a value is missing here"))
        return self._quoted() if self._plain[self._at] == '"' else self._bare()

    def _quoted(self) -> _Text:
        start = self._at
        self._at += 1
        pieces: list[str] = []
        while not self.at_end() and self._plain[self._at] != '"':
            if self._text[self._at] == "\\" and self._plain[self._at + 1 : self._at + 2] in ('"', "\\"):
                self._at += 1
            pieces.append(self._text[self._at])
            self._at += 1
        if self.at_end():
            raise _bad(start, Words("引号没有收尾", "the quotation has no end"))
        self._at += 1
        self.skip()
        return _Text("".join(pieces), None, start)

    def _bare(self) -> _Text:
        start = self._at
        literal: list[str] = []
        pattern: list[str] = []
        active = False
        while not self.at_end() and self._plain[self._at] not in _ENDS_WORD:
            character = self._text[self._at]
            if character == "\\" and self._plain[self._at + 1 : self._at + 2] in _ESCAPABLE:
                self._at += 1
                character = self._text[self._at : self._at + 1] or "\\"
            elif character in "*?":
                active = True
                literal.append(character)
                pattern.append(character)
                self._at += 1
                continue
            literal.append(character)
            pattern.append(f"\\{character}" if character in "*?\\" else character)
            self._at += 1
        if self._at == start:
            raise self.wrong(Words("此处不能有这个符号", "this sign cannot stand here"))
        self.skip()
        return _Text("".join(literal), "".join(pattern) if active else None, start)

    def _name(self) -> str:
        """A field name as far as it goes; '' where none stands here."""
        start = self._at
        while not self.at_end():
            character = self._plain[self._at]
            if not (character.isalnum() or character in "._-@"):
                break
            self._at += 1
        return self._text[start : self._at]

    def _comparison(self) -> Operator | None:
        for sign, operator in _COMPARE:
            if self._text.startswith(sign, self._at):
                self._at += len(sign)
                self.skip()
                return operator
        return None

    def _counted(self, text: _Text) -> _Text:
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise _bad(text.column, Words(f"查询项超过 {TERMS_MAX} 个", f"more than {TERMS_MAX} terms"))
        return text

    def _close(self) -> None:
        if not self._take(")"):
            raise self.wrong(Words("缺少右括号", "a closing parenthesis is missing"))

    def _take(self, sign: str, *, spaces: bool = True) -> bool:
        if not self._plain.startswith(sign, self._at):
            return False
        self._at += 1
        if spaces:
            self.skip()
        return True

    def _ahead(self, word: str, sign: str = "") -> int:
        """Length of the connective that stands here, 0 if none does."""
        if sign and self._text.startswith(sign, self._at):
            return len(sign)
        end = self._at + len(word)
        whole = end >= len(self._text) or self._plain[end] in _ENDS_WORD
        return len(word) if self._text[self._at : end].lower() == word and whole else 0

    def _word(self, word: str, sign: str = "") -> bool:
        length = self._ahead(word, sign)
        self._at += length
        self.skip()
        return length > 0


def _anywhere(text: _Text) -> Condition:
    if text.wildcard is not None:
        return Keyword("wildcard", (text.wildcard,))
    return Keyword("contains", (text.literal,))


def _field(name: str, text: _Text) -> Condition:
    if text.wildcard == "*":
        return Atom(name, "exists")
    if text.wildcard is not None:
        return Atom(name, "wildcard", (text.wildcard,))
    if "/" in text.literal and _is_network(text.literal):
        return Atom(name, "cidr", (text.literal,))
    return Atom(name, "equals", (text.literal,))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _bad(at: int, what: Words, fix: Words | None = None) -> BadInput:
    usual = Words(
        '例如 user.name:root and not source.ip:10.0.0.0/8;含空格的值请加引号 "…"',
        'for example: user.name:root and not source.ip:10.0.0.0/8; quote values with spaces: "…"',
    )
    return BadInput("query-syntax", what, fix or usual, field=f"column {at + 1}")
