"""Whose cosignatures make a checkpoint of a ledger count: the C2SP tlog-policy file, read strictly.

    log      <key line> [<url>]
    witness  <name> <key line> [<url>]
    group    <name> <any|all|number> <member> …      a member is a witness or a group named above
    quorum   <name|none>

The same file serves a center (whom to ask), an auditor (whom to believe) and a witness (its ``log`` lines).
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple, Self

from crypto.cosignature import Verifier
from crypto.words import BadInput, Words

POLICY_BYTES_MAX: Final = 64 * 1024
_NONE: Final = "none"
_SCHEMES: Final = ("https://", "http://")


class Log(NamedTuple):
    """A ledger and where it can be asked, '' where nowhere."""

    verifier: Verifier
    url: str


class Witness(NamedTuple):
    """A witness under the name the policy gives it; its key line may bear another."""

    name: str
    verifier: Verifier
    url: str


class Group(NamedTuple):
    """So many of these."""

    needed: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """The file as values; ``quorum`` '' asks for nobody."""

    logs: Mapping[str, Log]  # by the name in the key line, which is the origin
    witnesses: Mapping[str, Witness]
    groups: Mapping[str, Group]
    quorum: str

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy. Raises BadInput naming the line."""
        if len(data) > POLICY_BYTES_MAX:
            raise _bad(0, f"{len(data)} bytes > {POLICY_BYTES_MAX}")
        try:
            lines = data.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise _bad(0, "not UTF-8") from None
        reader = _Reader()
        for number, line in enumerate(lines, 1):
            words = line.strip(" \t\r").split()
            if words and not words[0].startswith("#"):
                reader.line(number, words)
        return cls(reader.logs, reader.witnesses, reader.groups, reader.quorum or "")

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The policy of a file; None where there is no file. Raises BadInput."""
        try:
            with path.open("rb") as file:
                return cls.parse(file.read(POLICY_BYTES_MAX + 1))
        except FileNotFoundError:
            return None

    def satisfied(self, signers: Collection[str]) -> bool:
        """Whether these witnesses, by their names here, make a quorum."""
        return not self.quorum or self._holds(self.quorum, signers)

    def _holds(self, name: str, signers: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in signers
        # Members were named above their group, so this ends.
        return sum(self._holds(member, signers) for member in group.members) >= group.needed

    def names_of(self, signers: Collection[str]) -> set[str]:
        """Names here of the witnesses whose key lines bear these."""
        return {one.name for one in self.witnesses.values() if one.verifier.name in signers}


class _Reader:
    """What the lines so far said."""

    def __init__(self) -> None:
        self.logs: dict[str, Log] = {}
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None

    def line(self, number: int, words: list[str]) -> None:
        """Take one line."""
        kind, *rest = words
        if kind == "log" and len(rest) in (1, 2):
            verifier = _verifier(number, rest[0], witness=False)
            if verifier.name in self.logs:
                raise _bad(number, f"a second log {verifier.name}")
            self.logs[verifier.name] = Log(verifier, _url(number, rest[1:]))
        elif kind == "witness" and len(rest) in (2, 3):
            verifier = _verifier(number, rest[1], witness=True)
            if any(one.verifier.name == verifier.name for one in self.witnesses.values()):
                raise _bad(number, f"a second witness {verifier.name}")
            self._new(number, rest[0])
            self.witnesses[rest[0]] = Witness(rest[0], verifier, _url(number, rest[2:]))
        elif kind == "group" and len(rest) >= 3:
            self._new(number, rest[0])
            self.groups[rest[0]] = self._group(number, rest[1], rest[2:])
        elif kind == "quorum" and len(rest) == 1 and self.quorum is None:
            if rest[0] != _NONE and rest[0] not in self.witnesses and rest[0] not in self.groups:
                raise _bad(number, f"no witness or group {rest[0]}")
            self.quorum = "" if rest[0] == _NONE else rest[0]
        else:
            raise _bad(number, "not a line of a policy")

    def _group(self, number: int, needed: str, members: list[str]) -> Group:
        unknown = [name for name in members if name not in self.witnesses and name not in self.groups]
        if unknown or len(set(members)) < len(members):
            raise _bad(number, f"members unknown or named twice: {' '.join(unknown or members)}")
        counts = {"any": 1, "all": len(members)}
        count = counts.get(needed) or (int(needed) if needed.isascii() and needed.isdigit() else 0)
        if not 1 <= count <= len(members) or len(needed) > 4:
            raise _bad(number, f"{needed} of {len(members)}")
        return Group(count, tuple(members))

    def _new(self, number: int, name: str) -> None:
        if name == _NONE or name in self.witnesses or name in self.groups:
            raise _bad(number, f"the name {name} is taken")


def _verifier(number: int, text: str, *, witness: bool) -> Verifier:
    try:
        verifier = Verifier.parse(text)
    except BadInput as error:
        raise _bad(number, error.what.en) from error
    if verifier.witness != witness:
        raise _bad(number, "a log's key line is no witness's, and the other way round")
    return verifier


def _url(number: int, words: list[str]) -> str:
    if words and not words[0].startswith(_SCHEMES):
        raise _bad(number, "a URL begins with https:// or http://")
    return words[0].rstrip("/") if words else ""


def _bad(number: int, reason: str) -> BadInput:
    return BadInput(
        "policy-malformed",
        Words(f"见证策略第 {number} 行有误:{reason}", f"the witness policy, line {number}: {reason}"),
        Words("请按 docs/reference/witness.md 改正", "correct it, see docs/reference/witness.md"),
        field=f"line {number}",
    )
