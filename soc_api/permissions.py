"""Which role may do what: one table, read by the guard of every route; docs/reference/permissions.md.

An account has exactly one role, so the three administrators (system, security, audit) are three people and
nobody is above the table. What is not written here is refused.
"""

from typing import Final, Literal, get_args

from soc_api.bodies import Role

Permission = Literal[
    "session.own",
    "stream.read",
    "api.describe",
    "overview.read",
    "wall.read",
    "alerts.read",
    "alerts.act",
    "alerts.share",
    "exceptions.ask",
    "exceptions.decide",
    "packets.read",
    "events.search",
    "names.reveal",
    "rules.read",
    "rules.decide",
    "checks.read",
    "checks.evaluate",
    "attestations.make",
    "attestations.review",
    "gates.ask",
    "gates.override",
    "gates.decide",
    "orders.act",
    "orders.decide",
    "incidents.read",
    "incidents.act",
    "incidents.decide",
    "notices.read",
    "notices.draft",
    "notices.decide",
    "notices.answer",
    "keys.manage",
    "accounts.read",
    "accounts.create",
    "accounts.grant",
    "tokens.read",
    "tokens.make",
    "kiosks.make",
    "registry.read",
    "registry.edit",
    "inventory.read",
    "grading.read",
    "grading.state",
    "grading.review",
    "evidence.read",
    "evidence.verify",
    "sensors.read",
    "sensors.manage",
    "reports.read",
    "reports.make",
    "reports.review",
    "reports.approve",
    "transfers.read",
    "transfers.request",
    "transfers.approve",
    "transfers.export",
    "transfers.import",
    "audit.read",
    "changes.read",
    "changes.decide",
    "support.ask",
    "webhooks.manage",
]

PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)
ROLES: Final[tuple[Role, ...]] = get_args(Role)

_EVERYONE: Final[set[Permission]] = {"session.own", "stream.read", "api.describe"}
_OPERATIONAL: Final[set[Permission]] = {
    "overview.read",
    "wall.read",
    "alerts.read",
    "rules.read",
    "checks.read",
    "incidents.read",
    "notices.read",
    "registry.read",
    "inventory.read",
    "grading.read",
    "evidence.read",
    "sensors.read",
    "reports.read",
}
_GRANTED: Final[dict[Role, set[Permission]]] = {
    # Runs the machines: lets sensors in, elsewhere and out; sees that they live, not what they saw.
    # Creates accounts and grants none.
    "system_admin": {
        "overview.read",
        "sensors.read",
        "sensors.manage",
        "keys.manage",
        "accounts.read",
        "accounts.create",
        "support.ask",
    },
    # Decides about rules and policies; reads what they lead to and acts on nothing.
    # A transfer is the exception: approving one is a decision about policy (审批), never one's own request.
    "security_admin": {
        *_OPERATIONAL,
        "rules.decide",
        "changes.read",
        "changes.decide",
        "support.ask",
        "webhooks.manage",  # what leaves the center is a decision about policy
        # 授权: gives the accounts another one creates their role and unit, and takes it all away.
        "accounts.read",
        "accounts.grant",
        "tokens.read",
        "kiosks.make",
        "exceptions.decide",
        # 审核: what others state, what a gate may pass over, whether an order is done.
        "attestations.review",
        "gates.decide",
        "orders.decide",
        "incidents.decide",
        "notices.decide",
        "grading.review",
        "reports.review",
        "transfers.read",
        "transfers.approve",
    },
    # Watches everybody, the other administrators included; changes nothing.
    "audit_admin": {
        "accounts.read",
        "tokens.read",
        "audit.read",
        "changes.read",
        "evidence.read",
        "evidence.verify",
        "transfers.read",
    },
    # Who may ask for a transfer (经办) may not approve, export or import one, and the other way round.
    "analyst": {
        *_OPERATIONAL,
        "tokens.read",
        "tokens.make",
        "alerts.act",
        "exceptions.ask",
        "incidents.act",
        "notices.draft",
        "packets.read",
        "events.search",
        "names.reveal",
        "transfers.read",
        "transfers.request",
    },
    "shift_lead": {
        *_OPERATIONAL,
        "tokens.read",
        "tokens.make",
        "alerts.act",
        "alerts.share",
        "changes.read",
        "changes.decide",
        "exceptions.ask",
        "exceptions.decide",
        "packets.read",
        "events.search",
        "names.reveal",
        "checks.evaluate",
        "attestations.review",
        "gates.ask",
        "gates.override",
        "orders.act",
        "incidents.act",
        "incidents.decide",
        "notices.draft",
        "notices.decide",
        "notices.answer",
        "registry.edit",
        "grading.review",
        "evidence.verify",
        "reports.make",
        "reports.approve",
        "transfers.read",
        "transfers.approve",
        "transfers.export",
        "transfers.import",
    },
    "compliance_officer": {
        "tokens.read",
        "tokens.make",
        "overview.read",
        "wall.read",
        "checks.read",
        "incidents.read",
        "notices.read",
        "notices.draft",
        "notices.answer",
        "checks.evaluate",
        "attestations.make",
        "gates.ask",
        "gates.override",
        "orders.act",
        "registry.read",
        "registry.edit",
        "inventory.read",
        "grading.read",
        # Who states something of an item may not confirm statements, and the other way round.
        "grading.state",
        "evidence.read",
        "evidence.verify",
        "sensors.read",
        "reports.read",
        "reports.make",
        "transfers.read",
        "transfers.request",
    },
    # A screen anybody in the room can read: numbers only, no events, no names.
    "wall_display": {"overview.read", "wall.read"},
}

TABLE: Final[dict[Role, frozenset[Permission]]] = {
    role: frozenset({*_EVERYONE, *granted}) for role, granted in _GRANTED.items()
}


def allows(role: Role, permission: Permission) -> bool:
    """Whether an account of ``role`` has ``permission``."""
    return permission in TABLE[role]


def permissions_of(role: Role) -> list[Permission]:
    """What ``role`` may do, in the order of the table in the documentation."""
    return [permission for permission in PERMISSIONS if permission in TABLE[role]]
