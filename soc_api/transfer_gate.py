"""The gate of compliance: asked before anything is exported or imported, it names the checks that say no."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import msgspec

from compliance.check_store import Kept
from compliance.checklist import Check
from compliance.views import valid_at
from crypto.transfer.policy import Policy, read_policy
from crypto.words import BadInput, Refused, Words
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError

Action = Literal["export", "import"]
_TRANSFER: Final = "transfer"
_RULES_BYTES_MAX: Final = 256 * 1024


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no; a no names the checks that failed."""

    allowed: bool
    failed_checks: tuple[str, ...] = ()
    reason: Words = Words("", "")


class Gate(Protocol):
    """Whoever may stop a transfer."""

    def ask(self, action: Action, system: str, label: str, now: datetime) -> Decision:
        """Whether a transfer with this label may leave or enter the graded system now."""
        ...


class GateRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """rules/transfer/gate.yaml: which checks stop a transfer, and which do so while nothing is known."""

    format: int
    every_enforced: bool
    failed: tuple[str, ...]
    unknown: tuple[str, ...]


class CheckGate:
    """The gate over the newest verdicts of the checklist."""

    def __init__(
        self, newest: Callable[[str], Mapping[str, Kept]], checks: Sequence[Check], rules: GateRules
    ) -> None:
        """``newest`` gives the verdicts of a graded system, as ``CheckStore.newest``."""
        known = {check.id for check in checks}
        if strange := {*rules.failed, *rules.unknown} - known:
            raise _invalid(f"unknown check {min(strange)}")
        enforced = {
            check.id for check in checks if any(one.partition("(")[0] == _TRANSFER for one in check.enforce)
        }
        self._failed: Final = sorted({*rules.failed, *(enforced if rules.every_enforced else ())})
        self._unknown: Final = frozenset(rules.unknown)
        self._newest: Final = newest

    def ask(self, action: Action, system: str, label: str, now: datetime) -> Decision:  # noqa: ARG002
        """No, where a check on the list is 不符合, or 未知 or past its freshness where that counts."""
        verdicts = {
            name: valid_at(kept.evaluation, now).verdict for name, kept in self._newest(system).items()
        }
        failed = [name for name in self._failed if verdicts.get(name) == "不符合"]
        failed += [name for name in sorted(self._unknown) if verdicts.get(name, "未知") in {"未知", "不符合"}]
        if not failed:
            return Decision(allowed=True)
        names = tuple(dict.fromkeys(failed))
        listed = "、".join(names)
        return Decision(
            allowed=False,
            failed_checks=names,
            reason=Words(f"合规检查未通过:{listed}", f"checks of compliance stand against it: {listed}"),
        )


def ask(gate: Gate, action: Action, system: str, label: str, now: datetime) -> None:
    """Return silently where the gate allows it. Raises Refused naming the checks."""
    decision = gate.ask(action, system, label, now)
    if not decision.allowed:
        raise Refused(
            "transfer-gate",
            decision.reason,
            Words("请先整改所列检查项再重试", "mend what these checks found, then try again"),
            field=",".join(decision.failed_checks),
        )


def load_gate_rules(folder: Path) -> GateRules:
    """The rules of the gate. Raises BadInput."""
    try:
        rules = msgspec.convert(_yaml(folder / "gate.yaml"), GateRules)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    if rules.format != 1:
        raise _invalid(f"format {rules.format} is not 1")
    return rules


def load_policy(folder: Path) -> Policy:
    """The label policy. Raises BadInput."""
    return read_policy(_yaml(folder / "labels.yaml"))


def _yaml(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(_RULES_BYTES_MAX + 1)
        if len(data) > _RULES_BYTES_MAX:
            raise _invalid("too long")
        documents = parse_documents(data, path.name)
    except RuleError as error:
        raise _invalid(f"{path.name}:{error.line}: {error.what.en}") from None
    except OSError as error:
        raise _invalid(str(error).replace("\n", " ")) from None
    if len(documents) != 1:
        raise _invalid(f"{path.name} is not one document")
    return documents[0].value


def _invalid(reason: str) -> BadInput:
    return BadInput(
        "transfer-rules",
        Words(f"传输规则有误:{reason}", f"the transfer rules are wrong: {reason}"),
        Words("请改正 rules/transfer 下的文件", "correct the files in rules/transfer"),
        field="rules/transfer",
    )
