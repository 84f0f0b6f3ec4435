"""Random conditions, the query texts that say them, and random events; the same for the same seed."""

import random  # noqa: TID251 -- seeded, nothing secret
from datetime import UTC, datetime
from typing import Any

from detection.condition import Always, Atom, Condition, Keyword, all_of, any_of, negated
from sensors.event import Event, LogSource, Observation, Value, stamp

NAMES = ["process.name", "user.name", "source.ip", "Image", "n", "cs-uri", "odd 'name\"=%$.", "名"]
ALIASES = {
    "process.name": ["进程名", "程序名"],
    "user.name": ["用户", "账号"],
    "source.ip": ["源地址", "源ip"],
}
WORDS = [
    "",
    "a",
    "A",
    "ab",
    "ß",
    "SS",
    "İ",
    "ſ",
    "K",
    "nc",
    "/bin/NC",
    "张三",
    "50%",
    "a_b",
    "\\",
    "x*y",
    "a\x00b",
    "\n",
]
WORDS += [
    "true",
    "10",
    "1e3",
    "-0.5",
    "007",
    "nc -l",
    "a=b",
    "and",
    "（a）",
    "x,y",
    "“",
    "-k",
    "!",
    "[1",
    "=",
    "b:c",
]
ADDRESSES = ["10.0.0.8", "::ffff:10.0.0.9", "fe80::1%eth0", "10.255.255.255", "11.0.0.0", "fd00::1", "10.0.0"]
NETWORKS = ["10.0.0.0/8", "10.0.0.8/31", "fd00::/8", "::/0", "0.0.0.0/0", "::ffff:0:0/96"]
TIMES = ["2026-11-22T04:05:06Z", "2026-11-22T23:59:00+08:00", "1700000000", "1700000000000"]
PATTERNS = ["^[aA]", "b$", "(?i)nc", "[0-9]+", "", "x.y"]
NUMBERS: list[Any] = [0, 1, 10, -3, 0.5, 1000.0, 2**53 + 1, -(2**70), 1e300]
TEXTUAL = ["equals", "contains", "startswith", "endswith", "wildcard"]
OTHERS = [
    "exists",
    "null",
    "gt",
    "gte",
    "lt",
    "lte",
    "cidr",
    "regex",
    "field_equals",
    "field_contains",
    "hour",
    "week",
]
ALPHABET = "aAbBßk%_*?\\/.:=( "


class Lots:
    """Everything random comes from here."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.seen: list[str] = []  # texts of the events, which queries ask for in part

    def word(self) -> str:
        if self.r.random() < 0.6:
            return self.r.choice(WORDS)
        return "".join(self.r.choices(ALPHABET, k=self.r.randrange(5)))

    def scalar(self) -> Any:
        kind = self.r.randrange(10)
        if kind < 5:
            self.seen.append(self.word())
            return self.seen[-1]
        if kind == 5:
            return self.r.choice(ADDRESSES)
        if kind == 6:
            return self.r.choice([None, True, False])
        return self.r.choice(TIMES) if kind == 7 else self.r.choice(NUMBERS)

    def value(self) -> Value:
        if self.r.random() < 0.2:
            return [self.scalar() for _ in range(self.r.randrange(4))]
        found: Value = self.scalar()
        return found

    def event(self, number: int) -> Event:
        bodies: list[dict[str, Value]] = [
            {name: self.value() for name in self.r.sample(NAMES, self.r.randrange(5))} for _ in range(2)
        ]
        seen = Observation(
            time=datetime(2026, 11, 22, tzinfo=UTC), logsource=LogSource(), fields=bodies[0], native=bodies[1]
        )
        return stamp(seen, unit="u", sensor="s", epoch=1, sequence=number)

    def sought(self) -> str:
        """A text a query may ask for: a piece of what events hold, at times with a sign put in."""
        if not self.seen or self.r.random() < 0.3:
            return self.word()
        text = self.r.choice(self.seen)
        if self.r.random() < 0.4:
            text = text[self.r.randrange(len(text) + 1) :]
        if self.r.random() < 0.4:
            at = self.r.randrange(len(text) + 1)
            text = text[:at] + self.r.choice("*?\\\\") + text[at + self.r.randrange(2) :]
        return text

    def words(self) -> tuple[str, ...]:
        return tuple(self.sought() for _ in range(self.r.choice([1, 1, 1, 2, 3])))

    def leaf(self) -> Condition:
        draw = self.r.random()
        if draw < 0.03:
            return Always(self.r.random() < 0.5)
        if draw < 0.2:
            cased = self.r.random() < 0.2
            return self.r.choice(
                [
                    Keyword("contains", self.words(), cased),
                    Keyword("wildcard", self.words(), cased),
                    Keyword("regex", (self.r.choice(PATTERNS),)),
                ]
            )
        name = self.r.choice(NAMES)
        if draw < 0.7:
            operator: Any = self.r.choice(TEXTUAL)
            return Atom(name, operator, self.words(), cased=self.r.random() < 0.2)
        return self.other(name, self.r.choice(OTHERS))

    def other(self, name: str, operator: Any) -> Atom:
        if operator == "exists":
            return Atom(name, operator, self.r.choice([(), (True,), (False,)]))
        if operator == "null":
            return Atom(name, operator)
        if operator in ("gt", "gte", "lt", "lte"):
            return Atom(name, operator, (self.r.choice([*NUMBERS, "10", "x", 10**400]),))
        if operator == "cidr":
            return Atom(name, operator, tuple(self.r.sample(NETWORKS, self.r.choice([1, 2]))))
        if operator == "regex":
            return Atom(name, operator, (self.r.choice(PATTERNS),))
        if operator in ("hour", "week"):
            return Atom(name, operator, (self.r.choice([4, 15, 22, 47]),))
        return Atom(name, operator, (self.r.choice(NAMES),), cased=self.r.random() < 0.3)

    def condition(self, depth: int = 3) -> Condition:
        draw = self.r.random()
        if depth == 0 or draw < 0.4:
            return self.leaf()
        if draw < 0.55:
            return negated(self.condition(depth - 1))
        parts = [self.condition(depth - 1) for _ in range(self.r.choice([2, 2, 3]))]
        return all_of(parts) if draw < 0.78 else any_of(parts)

    # --- the text form: each gives the text and what it must mean

    def said(self, depth: int = 3) -> tuple[str, Condition]:
        draw = self.r.random()
        if depth == 0 or draw < 0.4:
            return self.said_leaf()
        if draw < 0.55:
            text, inner = self.said(depth - 1)
            sign = self.r.choice(["not ", "NOT ", "非 ", "!", "！", "-"])
            return f"{sign}{self.opened(text)}", negated(inner)
        parts = [self.said(depth - 1) for _ in range(self.r.choice([2, 2, 3]))]
        both = draw < 0.78
        sign = self.r.choice(
            [" and ", " ", " && ", " 且 ", "　AND "] if both else [" or ", " || ", " 或 ", " ｜｜ "]
        )
        text = sign.join(self.opened(part) for part, _ in parts)
        meant = [part for _, part in parts]
        return text, all_of(meant) if both else any_of(meant)

    def opened(self, text: str) -> str:
        return f"（{text}）" if self.r.random() < 0.3 else f"({text})"

    def said_leaf(self) -> tuple[str, Condition]:
        name = self.r.choice([one for one in NAMES if " " not in one])
        typed = self.r.choice([name, *ALIASES.get(name, [])])
        colon = self.r.choice([":", "：", ": ", "=", " = ", "＝"])
        kind = self.r.randrange(10)
        if kind < 3:
            text, meant = self.said_value(name)
            return f"{typed}{colon}{text}", meant
        if kind == 3:
            values = [self.said_value(name) for _ in range(self.r.choice([1, 2, 3]))]
            between = self.r.choice([" ", " or ", ", ", "，", "、", " 或 "])
            return f"{typed}{colon}({between.join(text for text, _ in values)})", any_of(
                one for _, one in values
            )
        if kind == 4:
            operator: Any = self.r.choice(["gt", "gte", "lt", "lte"])
            signs = {"gt": ">＞", "gte": [">=", "≥", "＞＝"], "lt": "<＜", "lte": ["<=", "≤", ":<="]}
            number = self.r.choice([0, 1, 10, -3, 0.5])
            return f"{typed} {self.r.choice(signs[operator])} {number}", Atom(name, operator, (number,))
        if kind == 5:
            return self.said_range(name, typed)
        if kind == 6:
            about = self.r.choice(["_exists_", "_missing_", "_null_", "*"])
            made = {"_missing_": Atom(name, "exists", (False,)), "_null_": Atom(name, "null")}
            text = f"{typed}:*" if about == "*" else f"{about}:{typed}"
            return text, made.get(about, Atom(name, "exists"))
        if kind == 7:
            pattern = self.r.choice(PATTERNS)
            return f"{typed}{self.r.choice(['~', '=~', '～'])}{quoted(pattern)}", Atom(
                name, "regex", (pattern,)
            )
        word = self.sought()
        if word == "" or self.r.random() < 0.5:
            return quoted(word), Keyword("contains", (word,))
        return f'"{escaped(word)}"', Keyword("contains", (word,))

    def said_value(self, name: str) -> tuple[str, Condition]:
        draw = self.r.random()
        if draw < 0.2:
            network = self.r.choice(NETWORKS)
            return network, Atom(name, "cidr", (network,))
        word = self.sought()
        if draw < 0.5 and word not in ("", "*") and not {*word} & {*"\n\x00“（）"}:
            pattern = f"{bare(word)}*"
            return pattern, Atom(name, "wildcard", (f"{literal(word)}*",))
        return quoted(word), Atom(name, "equals", (word,))

    def said_range(self, name: str, typed: str) -> tuple[str, Condition]:
        low, high = self.r.choice([0, 1, -3]), self.r.choice([5, 10, 1000])
        opens, closes = self.r.choice("[{【"), self.r.choice("]}】")
        parts = [
            Atom(name, "gt" if opens == "{" else "gte", (low,)),
            Atom(name, "lt" if closes == "}" else "lte", (high,)),
        ]
        text = f"{typed}:{opens}{low} {self.r.choice(['TO', 'to', '到'])} {high}{closes}"
        return text, all_of(parts)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("“", "\\“").replace("”", "\\”")


def quoted(text: str) -> str:
    return f'"{escaped(text)}"'


def bare(text: str) -> str:
    """The text as a word, every sign that could mean something escaped."""
    return "".join(f"\\{one}" if one in '*?\\":()[]{},=!<>~+- ' else one for one in text)


def literal(text: str) -> str:
    """The text as a wildcard text that means it literally."""
    return "".join(f"\\{one}" if one in "*?\\" else one for one in text)
