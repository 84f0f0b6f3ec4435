"""A finding as an alert: who it is about, why in both languages, and the events that led to it."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec

from crypto.words import Words
from detection.alert import Alert, Match, claim
from detection.correlation.keyed import Finding
from detection.correlation.mark import id_in, micros_in, time_of
from detection.correlation.rule import Correlation
from detection.correlation.watch import SEPARATOR, values_of
from detection.reason import filled
from detection.sigma.rule import EntityKind
from sensors.event import Event, LogSource, Observation, Value, stamp

_MATCHES_MAX: Final = 24
_NAMES: Final[dict[EntityKind, frozenset[str]]] = {
    "source": frozenset({"source.ip", "id.orig_h", "source.mac", "SourceIp", "IpAddress", "c-ip", "src_ip"}),
    "user": frozenset({"user.name", "User", "TargetUserName", "SubjectUserName", "user.target.name"}),
    "host": frozenset({"host.name", "observer.name", "Computer", "ComputerName", "host.hostname"}),
}
_KINDS: Final[tuple[EntityKind, ...]] = ("source", "user", "host")


def occasion_of(rule: Correlation, finding: Finding) -> str:
    """What tells this finding from every other: 32 hex digits, the same whatever order events came in."""
    parts = f"{rule.id}\x00{finding.key}\x00{finding.occasion}"
    return sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def entity_of(rule: Correlation, key: str) -> str:
    """Whom a finding is about, from what it is grouped by."""
    grouped = dict(zip(rule.group_by, values_of(key), strict=True))
    for kind in (rule.entity,) if rule.entity else _KINDS:
        name = _named(rule, grouped, kind)
        if name:
            host = _named(rule, grouped, "host") if kind == "user" else ""
            return f"{kind}:{name}@{host}" if host else f"{kind}:{name}"
    if grouped:
        return f"{rule.entity or 'host'}:{' '.join(grouped.values())}"
    return f"unit:{key}"


def alert_of(
    rule: Correlation, finding: Finding, events: tuple[Event, ...], titles: Mapping[str, Words]
) -> Alert:
    """The alert; ``events`` are those of the window that are still at hand, in order."""
    entity = entity_of(rule, finding.key)
    time = time_of(micros_in(finding.anchor))
    anchor = events[-1] if events and events[-1].time == time else stand_in(rule, finding)
    alert = claim(
        rule.claim(),
        entity=entity,
        reason=_reason(rule, finding, anchor, entity, titles),
        events=(*events, anchor),
        matched=_matched(rule, finding, titles),
        occasion=occasion_of(rule, finding),
    )
    return msgspec.structs.replace(alert, events=events, sensor=events[-1].sensor if events else "")


def stand_in(rule: Correlation, finding: Finding) -> Event:
    """What is known of the completing event where the event itself is no longer at hand; never shown."""
    unit, *values = finding.key.split(SEPARATOR)
    seen = Observation(
        time=time_of(micros_in(finding.anchor)),
        logsource=LogSource(),
        fields=dict(zip(rule.group_by, values, strict=True)),
    )
    return stamp(seen, unit=unit, sensor="", epoch=0, sequence=0)


def shown_number(number: float) -> int | float:
    """A count as an integer, anything else with two decimals."""
    return int(number) if float(number).is_integer() else round(number, 2)


def _named(rule: Correlation, grouped: Mapping[str, str], kind: EntityKind) -> str:
    for name, value in grouped.items():
        if name in _NAMES[kind] or _NAMES[kind] & set(rule.aliases.get(name, {}).values()):
            return value
    return ""


def _reason(
    rule: Correlation, finding: Finding, anchor: Event, entity: str, titles: Mapping[str, Words]
) -> Words:
    places = dict.fromkeys(finding.whats) or range(len(rule.rules))
    seen = [titles.get(rule.rules[place], Words(rule.labels[place], rule.labels[place])) for place in places]
    extra: dict[str, Value] = {
        **dict(zip(rule.group_by, values_of(finding.key), strict=True)),
        "count": shown_number(finding.number),
        "seconds": rule.span_seconds,
        "values": ", ".join(finding.values),
    }
    template = rule.reason or Words(
        "{entity} 在 {seconds} 秒内满足关联“{title}”(数值 {count}:{rules})",
        "{entity} met “{title}” within {seconds} s (value {count}: {rules})",
    )
    subject = entity.partition(":")[2]
    zh = {"rules": "、".join(one.zh for one in seen), "title": rule.title.zh, "entity": subject}
    en = {"rules": ", ".join(one.en for one in seen), "title": rule.title.en, "entity": subject}
    return Words(
        filled(template, anchor, {**extra, **zh}).zh,
        filled(template, anchor, {**extra, **en}).en,
    )


def _matched(rule: Correlation, finding: Finding, titles: Mapping[str, Words]) -> tuple[Match, ...]:
    values = values_of(finding.key)
    anchor = id_in(finding.anchor)
    found = [
        Match(event=anchor, field=name, value=value, selection="group-by")
        for name, value in zip(rule.group_by, values, strict=True)
    ]
    if finding.whats:
        for mark, place in zip(finding.marks, finding.whats, strict=True):
            title = titles.get(rule.rules[place])
            shown = title.en if title else rule.labels[place]
            found.append(Match(event=id_in(mark), field="", value=shown, selection=rule.labels[place]))
    else:
        name = rule.fields[0] if rule.fields else ""
        shown_value = shown_number(finding.number)
        found.append(Match(event=anchor, field=name, value=shown_value, selection=rule.kind))
    return tuple(found[-_MATCHES_MAX:])
