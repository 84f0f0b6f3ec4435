"""The rules of rectification orders (rules/gates/orders.yaml): reminders, settle times, who is asked."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from compliance.registry import Duty
from crypto.words import BadInput, Words
from detection.sigma.document import parse_documents
from detection.sigma.errors import RuleError

_RULES_BYTES_MAX: Final = 64 * 1024

Percent = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class Awaited(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A shortfall that may only mean that nothing has arrived or been entered yet.

    ``found`` are the values that ``fact`` then has. ``since`` is where ``time`` begins: the start of the
    center's process, or the first evaluation of that check for that system.
    """

    checks: tuple[str, ...]
    fact: str
    found: dict[str, str | int | bool | list[str] | None]
    since: Literal["start", "first"]
    time: timedelta


class OrderRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """rules/gates/orders.yaml."""

    format: Literal[1]
    reminders: tuple[Percent, ...]
    escalations: tuple[Percent, ...]
    unknown_of_critical: bool
    settle_unknown: timedelta = timedelta(0)
    settle: tuple[Awaited, ...] = ()
    duties: dict[str, tuple[Duty, ...]] = {}


def load_order_rules(path: Path) -> OrderRules:
    """The rules of orders. Raises BadInput (gates-malformed)."""
    try:
        with path.open("rb") as file:
            documents = parse_documents(file.read(_RULES_BYTES_MAX), path.name)
        rules = msgspec.convert(documents[0].value if len(documents) == 1 else None, OrderRules)
    except (RuleError, msgspec.ValidationError, OSError) as error:
        raise BadInput(
            "gates-malformed",
            Words(f"整改规则有误:{error}", f"the rules of orders are wrong: {error}"),
            Words("请改正 rules/gates/orders.yaml", "correct rules/gates/orders.yaml"),
            field="rules/gates",
        ) from None
    return rules
