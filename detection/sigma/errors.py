"""What is wrong with a rule: the file, the line, the reason and the fix; the other rules go on."""

from pathlib import Path

from crypto.words import BadInput, LiuheError, Words


class RuleError(BadInput):
    """One rule that cannot be used; ``field`` is "file:line", or the keys that lead to the fault."""

    def __init__(
        self,
        code: str,
        what: Words,
        fix: Words,
        *,
        path: Path | str = "",
        line: int = 0,
        keys: tuple[str, ...] = (),
    ) -> None:
        where = f"{path}:{line}" if line else str(path) or ".".join(keys)
        super().__init__(code, what, fix, field=where)
        self.path = str(path)
        self.line = line
        self.keys = keys

    def under(self, *keys: str) -> "RuleError":
        """The same error with the keys that lead to it, where it has none yet."""
        return self if self.keys else RuleError(self.code, self.what, self.fix, keys=keys)

    def at(self, path: Path | str, line: int) -> "RuleError":
        """The same error with its place."""
        return RuleError(self.code, self.what, self.fix, path=path, line=self.line or line, keys=self.keys)


def unsupported(zh: str, en: str, fix: Words | None = None) -> RuleError:
    """A part of Sigma that is refused rather than guessed."""
    return RuleError(
        "rule-unsupported",
        Words(f"暂不支持{zh}", f"{en} is not supported yet"),
        fix or Words("请改写该规则或移出规则目录", "rewrite the rule or take it out of the rules folder"),
    )


def malformed(zh: str, en: str, fix: Words | None = None) -> RuleError:
    """A rule that Sigma itself does not allow."""
    return RuleError(
        "rule-malformed",
        Words(f"规则不合格式:{zh}", f"malformed rule: {en}"),
        fix or Words("请按 Sigma 规范 2.1 改正", "correct it by the Sigma specification 2.1"),
    )


def from_known(error: LiuheError) -> RuleError:
    """An error of the condition language (regex, network) as an error of the rule that holds it."""
    return RuleError(error.code, error.what, error.fix)
