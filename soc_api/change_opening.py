"""Opens the desk of changes: how each kind is undone."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Final

from compliance.enforcement import Enforcement
from crypto.words import Refused
from detection.store.state import Engine
from soc_api.audit import entry
from soc_api.audit_store import AuditStore
from soc_api.change_desk import ChangeDesk
from soc_api.change_store import Change
from soc_api.rule_store import RuleStore
from soc_api.settings import Settings
from soc_api.support_channel import SupportChannel, absent

_ACTOR: Final = "system:changes"
_REASON: Final = "未经第二人确认,自动恢复 not confirmed by a second person, undone"


def open_changes(
    engine: Engine,
    audit: AuditStore,
    rules: RuleStore,
    enforcement: Enforcement,
    support: SupportChannel | None = None,
) -> ChangeDesk:
    """The desk of a center."""

    def switch_back(change: Change, now: datetime) -> None:
        rule = change.about.removeprefix("rule:")
        with contextlib.suppress(Refused):  # somebody switched it back already
            rules.decide(rule, change.before == "enabled", actor=_ACTOR, reason=_REASON, now=now)

    def close(_change: Change, now: datetime) -> None:
        held = enforcement.decisions.release()
        if held is not None and held.holds(now):
            enforcement.gates.close_again(reason=_REASON, person=_ACTOR, now=now)

    def let_in(change: Change, now: datetime) -> None:
        if support is None:
            raise absent()
        support.open(change.about.removeprefix("ticket:"), now + timedelta(hours=int(change.after["hours"])))

    return ChangeDesk(engine, audit, {"rule": switch_back, "gates": close}, {"support": let_in})


def open_support(settings: Settings, audit: AuditStore) -> SupportChannel | None:
    """The channel, closed; None where center.toml names no port for it."""
    own, console = settings.support, settings.console
    if not own.port:
        return None

    def tell(action: str, about: str, result: str) -> None:
        now = datetime.now(UTC)
        audit.record(
            entry(time=now, actor="system:support", source="local", action=action, about=about, result=result)
        )

    return SupportChannel((own.host or console.host, own.port), (console.host, console.port), tell)
