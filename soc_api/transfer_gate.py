"""The gate of compliance: asked before anything is exported or imported, it names the checks that say no."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import msgspec

from compliance.check_store import CheckStore
from compliance.checklist import Check
from compliance.gate import load_gates
from compliance.gate_store import GateStore
from compliance.gatekeeper import Gatekeeper
from crypto.transfer.policy import Policy, read_policy
from crypto.words import BadInput, Refused, Words
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError
from detection.store.state import Engine
from rules import ROOT

Action = Literal["export", "import"]
_RULES_BYTES_MAX: Final = 256 * 1024


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Yes or no; a no names the checks that failed."""

    allowed: bool
    failed_checks: tuple[str, ...] = ()
    reason: Words = Words("", "")


class Gate(Protocol):
    """Whoever may stop a transfer."""

    def ask(
        self, action: Action, system: str, label: str, now: datetime, *, about: str = "", decider: str = ""
    ) -> Decision:
        """Whether a transfer with this label may leave or enter the graded system now.

        ``about`` names the transfer and ``decider`` who wants it, for the record of the decision.
        """
        ...


class CheckGate:
    """The gate ``transfer`` of compliance as transfers ask it; every answer is a recorded decision."""

    def __init__(self, keeper: Gatekeeper) -> None:
        self._keeper: Final = keeper

    def ask(
        self, action: Action, system: str, label: str, now: datetime, *, about: str = "", decider: str = ""
    ) -> Decision:
        """No, where the checks of the gate stand against it."""
        found = self._keeper.ask(
            "transfer",
            system,
            action=action,
            about=f"{about} {label}".strip(),
            decider=decider or "system:transfer",
            now=now,
        )
        if found.allowed:
            return Decision(allowed=True)
        return Decision(allowed=False, failed_checks=found.failed, reason=found.reason)


def check_gate(engine: Engine, checks: Sequence[Check]) -> CheckGate:
    """The gate over a state database, by the shipped rules. Raises BadInput (gates-malformed)."""
    rules = load_gates(ROOT / "gates" / "gates.yaml", checks)
    return CheckGate(Gatekeeper(GateStore(engine), CheckStore(engine), rules))


def ask(
    gate: Gate,
    action: Action,
    system: str,
    label: str,
    now: datetime,
    *,
    about: str = "",
    decider: str = "",
) -> None:
    """Return silently where the gate allows it. Raises Refused naming the checks."""
    decision = gate.ask(action, system, label, now, about=about, decider=decider)
    if not decision.allowed:
        raise Refused(
            "transfer-gate",
            decision.reason,
            Words("请先整改所列检查项再重试", "mend what these checks found, then try again"),
            field=",".join(decision.failed_checks),
        )


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
