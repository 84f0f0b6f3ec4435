"""The query text of an analyst, parsed into a Condition; every form: docs/reference/query-language.md.

    failed and user.name:root               both; a word alone is sought in every value
    Image:*/nc  or  process.name:(nc ncat)  * any text, ? one character; a list means one of them
    not destination.ip:10.0.0.0/8           a network
    source.port >= 1024                     > >= < <= compare numbers; field:>=1024 is the same
    source.port:[1024 TO 2048}              a range of numbers or addresses; braces leave the end out
    process.command_line:"curl -k *"        quoted text is literal, * and ? too; \\" is a quote in it
    file.path:*  or  _exists_:file.path     the field is there; _missing_ it is not; _null_ missing or null
    message~"session opened.*root"          a regular expression (RE2), found anywhere
    源地址：10.0.0.8 且 非 用户=root          Chinese names of fields and signs, as an input method types them

``and``, ``or``, ``not`` in any case; two terms side by side mean ``and``, which binds before ``or``. Outside
quotes a backslash makes the next sign literal, and is itself literal before anything else, so most Windows
paths can be typed as they are. Text is compared without regard to case.
"""

import re
from ipaddress import ip_interface
from typing import Final, Literal

from crypto.words import Words
from detection.condition import Always, Atom, Condition, Operator, all_of, any_of, negated
from detection.query.characters import ENDS_IN_LIST, ENDS_IN_RANGE, SPACE, Reader, Text, wrong
from detection.query.fields import Fields, shipped_fields
from detection.query.terms import any_name, anywhere, between, compared, found, having

QUERY_CHARS_MAX: Final = 4_096
DEPTH_MAX: Final = 32
TERMS_MAX: Final = 256
AND: Final = ("and", "&&", "且", "并且")
OR: Final = ("or", "||", "或", "或者")
NOT: Final = ("not", "非")
_TO: Final = ("to", "到", "至")
_Sign = Literal["has", "is", "is not", "finds", "finds not", "gt", "gte", "lt", "lte"]
# Longest first: what stands behind a field name.
SIGNS: Final[tuple[tuple[str, _Sign], ...]] = (
    ("!=", "is not"),
    ("!~", "finds not"),
    ("≠", "is not"),
    (">=", "gte"),
    ("≥", "gte"),
    ("<=", "lte"),
    ("≤", "lte"),
    (">", "gt"),
    ("<", "lt"),
    ("=~", "finds"),
    ("==", "is"),
    ("=", "is"),
    ("~", "finds"),
    (":", "has"),
)
_COMPARING: Final[dict[_Sign, Operator]] = {"gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}
_ABOUT: Final = frozenset({"_exists_", "_missing_", "_null_"})
_MAC: Final = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
_DRIVE: Final = re.compile(r"[A-Za-z]:\\[A-Za-z0-9_$]")
_NO_VALUE: Final = Words("此处缺少值", "a value is missing here")
_VALUE: Final = Words("例如 user.name:root", "for example: user.name:root")
_TERM: Final = Words("请补上一个查询项,或删去多余的连接词", "add a term, or take the connective away")


def parse_query(text: str, fields: Fields | None = None) -> Condition:
    """The condition a query text means. Raises BadInput ``query-syntax`` whose field is ``column N``.

    ``fields`` gives the names that stand for fields; those of the product where it is None.
    """
    if len(text) > QUERY_CHARS_MAX:
        raise wrong(
            QUERY_CHARS_MAX,
            Words(f"查询超过 {QUERY_CHARS_MAX} 个字符", f"the query is longer than {QUERY_CHARS_MAX}"),
            Words("请缩短,或写成规则后用 --rule", "shorten it, or write a rule and use --rule"),
        )
    parser = _Parser(Reader(text), fields or shipped_fields())
    return parser.whole()


class _Parser:
    """Recursive descent over the characters."""

    def __init__(self, reader: Reader, fields: Fields) -> None:
        self._read = reader
        self._fields = fields
        self._terms = 0

    def whole(self) -> Condition:
        read = self._read
        if read.end():
            raise wrong(0, Words("查询是空的", "the query is empty"))
        condition = self._either(0)
        if not read.end():
            raise read.wrong(
                Words("多了一个右括号", "a closing parenthesis too many"),
                Words("请删去它,或在前面补上 (", "take it away, or put a ( before"),
            )
        return condition

    def _either(self, depth: int) -> Condition:
        parts = [self._both(depth)]
        while self._read.word(OR):
            parts.append(self._both(depth))
        return any_of(parts)

    def _both(self, depth: int) -> Condition:
        read = self._read
        parts = [self._single(depth)]
        while True:
            joined = read.word(AND)
            if not joined and (read.end() or read.sign() == ")" or read.ahead(OR)):
                return all_of(parts)
            parts.append(self._single(depth))

    def _single(self, depth: int) -> Condition:
        read = self._read
        self._not_deeper(depth)
        if self._negates():
            return negated(self._single(depth + 1))
        if read.sign() == "+" and self._touches():
            read.take("+")
        if read.take("("):
            inner = self._either(depth + 1)
            self._close()
            return inner
        return self._term(depth)

    def _negates(self) -> bool:
        read = self._read
        if read.word(NOT):
            return True
        return read.sign() in ("-", "!") and self._touches() and read.take(read.sign())

    def _touches(self) -> bool:
        """Whether the sign here stands right before something."""
        after = self._read.plain[self._read.at + 1 : self._read.at + 2]
        return bool(after) and after not in SPACE and after not in ")="

    def _not_deeper(self, depth: int) -> None:
        if depth >= DEPTH_MAX:
            raise self._read.wrong(
                Words(f"嵌套超过 {DEPTH_MAX} 层", f"nested deeper than {DEPTH_MAX}"),
                Words("请减少括号和 not 的层数", "use fewer parentheses and nots inside each other"),
            )

    def _term(self, depth: int) -> Condition:
        read = self._read
        if read.end() or read.ahead(AND) or read.ahead(OR):
            raise read.wrong(Words("此处缺少查询项", "a term is missing here"), _TERM)
        if read.sign() == ")":
            raise read.wrong(Words("括号里缺少查询项", "a term is missing before the parenthesis"), _TERM)
        if read.quotes():
            return anywhere(self._counted(read.quoted()))
        start = read.at
        if not _is_text(read.token()):
            name = read.name()
            read.skip()
            at = read.at
            sign = self._sign()
            if sign is not None and not name and sign not in ("has", "is"):
                raise wrong(
                    at,
                    Words("这个符号前面缺少字段名", "a field name is missing before this sign"),
                    Words("例如 source.port > 1024", "for example: source.port > 1024"),
                )
            if sign is not None and name:
                return self._about(name, sign, depth)
            read.at = start
        if read.take("*:*"):
            return Always(True)
        return anywhere(self._counted(read.bare()))

    def _sign(self) -> _Sign | None:
        for sign, meaning in SIGNS:
            if self._read.take(sign):
                return meaning
        return None

    def _comparing(self) -> _Sign | None:
        at = self._read.at
        sign = self._sign()
        if sign in _COMPARING:
            return sign
        self._read.at = at
        return None

    def _about(self, name: str, sign: _Sign, depth: int) -> Condition:
        """``name`` and ``sign`` are read; what they say of the value that stands here."""
        if name in _ABOUT:
            return self._presence(name, self._fields.meant(self._value().literal))
        names = self._fields.meant(name)
        if sign == "has":
            sign = self._comparing() or "is"  # field:>=5 says the same as field>=5
        if sign in ("is", "is not"):
            inner = self._values(names, depth)
            return inner if sign == "is" else negated(inner)
        return self._signed(names, sign, self._counted(self._value()))

    def _signed(self, names: tuple[str, ...], sign: _Sign, text: Text) -> Condition:
        if sign in ("finds", "finds not"):
            inner = any_name(names, lambda name: found(name, text))
            return inner if sign == "finds" else negated(inner)
        operator = _COMPARING.get(sign)
        if operator is not None:
            return any_name(names, lambda name: compared(name, operator, text))
        return any_name(names, lambda name: having(name, text))

    def _presence(self, about: str, names: tuple[str, ...]) -> Condition:
        if about == "_missing_":
            return all_of(Atom(name, "exists", (False,)) for name in names)
        if about == "_null_":
            return all_of(Atom(name, "null") for name in names)
        return any_name(names, lambda name: Atom(name, "exists"))

    def _values(self, names: tuple[str, ...], depth: int) -> Condition:
        """What stands behind ``field:``: one value, a range, or a list of them in parentheses."""
        read = self._read
        if read.sign() == "(":
            read.take("(")
            if read.sign() == ")":
                raise read.wrong(Words("括号里没有值", "there is no value in the parentheses"), _VALUE)
            inner = self._listed(names, depth + 1)
            self._close()
            return inner
        if read.sign() in ("[", "{") and (made := self._range(names)) is not None:
            return made
        return self._signed(names, "is", self._counted(self._value()))

    def _listed(self, names: tuple[str, ...], depth: int) -> Condition:
        """A list of values: side by side, ``or`` and commas mean one of them, ``and`` both."""
        read = self._read
        self._not_deeper(depth)
        parts = [self._listed_both(names, depth)]
        while read.sign() != ")" and not read.end():
            if not read.word(OR):
                read.take(",")
                if read.sign() == ")":
                    break
            parts.append(self._listed_both(names, depth))
        return any_of(parts)

    def _listed_both(self, names: tuple[str, ...], depth: int) -> Condition:
        parts = [self._listed_one(names, depth)]
        while self._read.word(AND):
            parts.append(self._listed_one(names, depth))
        return all_of(parts)

    def _listed_one(self, names: tuple[str, ...], depth: int) -> Condition:
        read = self._read
        self._not_deeper(depth)
        if read.word(NOT) or (read.sign() == "!" and self._touches() and read.take("!")):
            return negated(self._listed_one(names, depth + 1))
        if read.take("("):
            inner = self._listed(names, depth + 1)
            self._close()
            return inner
        if read.sign() in ("[", "{") and (made := self._range(names)) is not None:
            return made
        sign = self._comparing() or "is"
        return self._signed(names, sign, self._counted(self._value(ENDS_IN_LIST)))

    def _range(self, names: tuple[str, ...]) -> Condition | None:
        """``[low TO high]``; None, and nowhere gone, where a value begins with such a bracket."""
        read = self._read
        start, with_low = read.at, read.sign() == "["
        read.at += 1
        read.skip()
        if read.end() or read.sign() in ENDS_IN_RANGE or (low := self._end()) is None or not read.word(_TO):
            read.at = start
            if " to " in read.plain[start : start + 200].lower():
                raise read.wrong(
                    Words("范围写法不对", "the range is not written right"),
                    Words("例如 [1024 TO 65535],一端不限写 *", "for example [1024 TO 65535]; * for no end"),
                )
            return None
        high = self._end()
        if high is None or read.sign() not in ("]", "}"):
            raise read.wrong(
                Words("范围没有收尾", "the range has no end"),
                Words("例如 [1024 TO 65535],一端不限写 *", "for example [1024 TO 65535]; * for no end"),
            )
        with_high = read.sign() == "]"
        read.take(read.sign())
        self._counted(low)
        return any_name(names, lambda name: between(name, low, high, with_low=with_low, with_high=with_high))

    def _end(self) -> Text | None:
        read = self._read
        if read.end() or read.sign() in "()]}":
            return None
        return read.quoted() if read.quotes() else read.bare(ENDS_IN_RANGE)

    def _value(self, ends: frozenset[str] = frozenset()) -> Text:
        read = self._read
        if read.end() or read.sign() == ")":
            raise read.wrong(_NO_VALUE, _VALUE)
        return read.quoted() if read.quotes() else read.bare(ends)

    def _counted(self, text: Text) -> Text:
        self._terms += 1
        if self._terms > TERMS_MAX:
            raise wrong(
                text.column,
                Words(f"查询项超过 {TERMS_MAX} 个", f"more than {TERMS_MAX} terms"),
                Words("请分成几次查询", "ask in several queries"),
            )
        return text

    def _close(self) -> None:
        if not self._read.take(")"):
            raise self._read.wrong(
                Words("缺少右括号", "a closing parenthesis is missing"),
                Words("请补上 )", "put a ) here"),
            )


def _is_text(token: str) -> bool:
    """Whether a word with a colon is plainly no field: an address, a URL, a Windows path."""
    if ":" not in token:
        return False
    name, _, rest = token.partition(":")
    if (rest.startswith("//") and name.isalpha()) or _DRIVE.match(token) or _MAC.fullmatch(token):
        return True
    try:
        return token.count(":") > 1 and ip_interface(token).version == 6
    except ValueError:
        return False
