"""Which label may go from which zone to which, with which kinds of content: rules as data, denied by default.

The same rules hold at both ends: the sender asks before approval and export, the receiver before import. A
label, mark, zone or kind of content that the rules do not name is refused, never guessed.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import msgspec

from crypto.package_format import Manifest
from crypto.transfer.content import KINDS
from crypto.transfer.request import HEARTBEAT, LABELS, STATION, Request, refuse_state_secrets
from crypto.words import BadInput, Refused, Words

FORMAT: Final = 1


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One permission: these labels, from any of these zones to any of those, with these kinds of content."""

    labels: tuple[str, ...]
    from_zones: tuple[str, ...]
    to_zones: tuple[str, ...]
    contents: tuple[str, ...]


class Zone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network a transfer may leave or enter; ``marks_refused`` never enter it."""

    id: str
    zh: str
    en: str
    marks_refused: tuple[str, ...] = ()


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one transfer may hold, and how long it may be valid."""

    files: int
    file_bytes: int
    total_bytes: int
    validity_days: int


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of the rules."""

    format: int
    zones: tuple[Zone, ...]
    marks: tuple[str, ...]
    limits: Limits
    allow: tuple[Rule, ...]

    def contents(self, label: str, from_zone: str, to_zone: str) -> frozenset[str]:
        """The kinds of content this label may carry on this way; empty where it may not go at all."""
        return frozenset(
            kind
            for rule in self.allow
            if label in rule.labels and from_zone in rule.from_zones and to_zone in rule.to_zones
            for kind in rule.contents
        )


def read_policy(data: Any) -> Policy:
    """The rules from what a YAML file held. Raises BadInput where they speak of what they do not define."""
    try:
        policy = msgspec.convert(data, Policy)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    zones = {zone.id for zone in policy.zones}
    marked = [mark for zone in policy.zones for mark in zone.marks_refused]
    if policy.format != FORMAT:
        raise _invalid(f"format {policy.format} is not {FORMAT}")
    if len(zones) != len(policy.zones):
        raise _invalid("a zone stands twice")
    if strange := set(marked) - set(policy.marks):
        raise _invalid(f"unknown mark {min(strange)}")
    try:
        refuse_state_secrets(policy.marks)
    except Refused:
        raise _invalid("a mark of state secrets can't be allowed") from None
    for rule in policy.allow:
        if strange := set(rule.labels) - set(LABELS):
            raise _invalid(f"unknown label {min(strange)}")
        if strange := {*rule.from_zones, *rule.to_zones} - zones:
            raise _invalid(f"unknown zone {min(strange)}")
        if strange := set(rule.contents) - set(KINDS):
            raise _invalid(f"unknown kind of content {min(strange)}")
        if "核心" in rule.labels and "internet" in rule.to_zones:
            raise _invalid("核心 can't be allowed to the internet")
    return policy


def check_policy(policy: Policy, asked: Request | Manifest) -> frozenset[str]:
    """The kinds of content a transfer may hold. Raises Refused where its label may not go this way.

    A heartbeat carries no files and so needs no rule; it still names known zones.
    """
    refuse_state_secrets(
        (asked.label, *asked.marks),
        (asked.purpose, asked.application, *(entry.name for entry in asked.files)),
    )
    zones = {zone.id: zone for zone in policy.zones}
    for zone in (asked.from_zone, asked.to_zone):
        if zone not in zones:
            raise _refused("transfer-zone", f"网络区域 {zone} 不明", f"the zone {zone} is unknown", zone)
    if asked.label not in LABELS:
        raise _refused(
            "transfer-label", f"分级标签 {asked.label} 不明", f"unknown label {asked.label}", asked.label
        )
    for mark in asked.marks:
        if mark not in policy.marks:
            raise _refused("transfer-label", f"标志 {mark} 不明", f"unknown mark {mark}", mark)
        if mark in zones[asked.to_zone].marks_refused:
            raise _refused(
                "transfer-policy",
                f"带 {mark} 标志的数据不得进入 {asked.to_zone}",
                f"what is marked {mark} must not enter {asked.to_zone}",
                mark,
            )
    if isinstance(asked, Manifest) and asked.kind == HEARTBEAT:
        if asked.files or asked.roles != (STATION,):
            raise _refused("transfer-kind", "心跳包不得携带文件", "a heartbeat has no files", asked.kind)
        return frozenset()
    contents = policy.contents(asked.label, asked.from_zone, asked.to_zone)
    if not contents:
        raise _refused(
            "transfer-policy",
            f"{asked.label} 数据不得由 {asked.from_zone} 传往 {asked.to_zone}",
            f"{asked.label} must not go from {asked.from_zone} to {asked.to_zone}",
            asked.label,
        )
    _check_limits(policy.limits, asked)
    return contents


def check_kinds(allowed: Iterable[str], kinds: Iterable[tuple[str, str]]) -> None:
    """Raise Refused for the first file, (name, kind), whose kind may not go this way."""
    permitted = frozenset(allowed)
    for name, kind in kinds:
        if kind not in permitted:
            raise _refused(
                "transfer-content-type",
                f"该方向不允许 {kind} 类型的文件",
                f"files of the kind {kind} may not go this way",
                name,
            )


def _check_limits(limits: Limits, asked: Request | Manifest) -> None:
    over = ""
    if len(asked.files) > limits.files:
        over = f"{len(asked.files)} > {limits.files} files"
    elif any(entry.size > limits.file_bytes for entry in asked.files):
        over = f"> {limits.file_bytes} bytes"
    elif sum(entry.size for entry in asked.files) > limits.total_bytes:
        over = f"> {limits.total_bytes} bytes"
    elif asked.expires - asked.issued > timedelta(days=limits.validity_days):
        over = f"> {limits.validity_days} days"
    if over:
        raise _refused("transfer-limit", f"超出传输限额:{over}", f"over the limits: {over}", "limits")


def _refused(code: str, zh: str, en: str, field: str) -> Refused:
    return Refused(
        code,
        Words(zh, en),
        Words(
            "请核对标签、区域与内容;规则见 rules/transfer/labels.yaml",
            "check label, zones and content; the rules are in rules/transfer/labels.yaml",
        ),
        field=field,
    )


def _invalid(reason: str) -> BadInput:
    return BadInput(
        "transfer-rules",
        Words(f"传输规则有误:{reason}", f"the transfer rules are wrong: {reason}"),
        Words("请改正 rules/transfer 下的文件", "correct the files in rules/transfer"),
        field="rules/transfer",
    )
