"""What the center says of its own system as facts of compliance: transfers, channels, accounts."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from compliance.evaluation import Fact
from compliance.facts import CENTER
from crypto.words import LiuheError
from sensors.event import Value
from soc_api.identity_store import IdentityStore
from soc_api.transfer_desk import Parts
from soc_api.transfer_status import Status, status

ADMINISTRATORS: Final = ("system_admin", "security_admin", "audit_admin")
NAMED_MAX: Final = 20


def own_facts(
    parts: Callable[[], Parts], identities: IdentityStore
) -> Callable[[str, datetime], Sequence[Fact]]:
    """Facts of the system transfers belong to; none of any other."""

    def facts(system: str, now: datetime) -> Sequence[Fact]:
        given = parts()
        if system != given.system:
            return ()
        try:
            told = transfer_facts(status(given, now), now)
        except LiuheError as error:
            told = [_fact("transfer.channels", now, {}, error=str(error))]
        return [*told, account_fact(identities.roles_held(), now)]

    return facts


def transfer_facts(found: Status, now: datetime) -> list[Fact]:
    """How channels and transfers stand: trouble, what was unsealed or rejected, what lacks its grounds."""
    trouble = [row.channel for row in found.channels if row.trouble is not None]
    out = [row for row in found.transfers if row.direction == "out"]
    sent = [row for row in out if row.state in ("exported", "confirmed", "rejected", "unconfirmed")]
    unsealed = [row.id for row in sent if not row.package_sm3]
    rejected = [row.id for row in sent if row.state == "rejected"]
    unbound = [row.id for row in out if row.application and not (row.purpose and row.label)]
    gaps = sum(len(row.gaps) for row in found.channels)
    return [
        _fact(
            "transfer.channels",
            now,
            {
                "transfer.channels": len(found.channels),
                "transfer.trouble_count": len(trouble),
                "transfer.trouble": list(trouble[:NAMED_MAX]),
                "transfer.gaps": gaps,
            },
        ),
        _fact(
            "transfer.sealed",
            now,
            {
                "transfer.exported": len(sent),
                "transfer.unsealed_count": len(unsealed),
                "transfer.unsealed": list(unsealed[:NAMED_MAX]),
                "transfer.rejected_count": len(rejected),
                "transfer.rejected": list(rejected[:NAMED_MAX]),
            },
        ),
        _fact(
            "transfer.bound",
            now,
            {
                "transfer.requests": len(out),
                "transfer.unbound_count": len(unbound),
                "transfer.unbound": list(unbound[:NAMED_MAX]),
            },
        ),
    ]


def account_fact(roles: Sequence[str], now: datetime) -> Fact:
    """Whether the three administrators are three people: an account has one role, so each needs its own."""
    missing = [role for role in ADMINISTRATORS if role not in roles]
    return _fact(
        "center.accounts", now, {"center.roles": [*sorted(set(roles))], "center.roles_missing": [*missing]}
    )


def _fact(name: str, now: datetime, fields: dict[str, Value], error: str = "") -> Fact:
    return Fact(object=CENTER, name=name, time=now, fields=fields, method="center", error=error)
