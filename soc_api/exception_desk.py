"""Exceptions at work: asked for with a preview, decided by a second person where they are grave, ended."""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from compliance.ledger import NewEvidence
from crypto.words import BadInput, Refused, Words
from detection.alert import Alert
from detection.exceptions import Exemption, Kind, condition_of, drafted, of_health
from detection.store.alert_store import AlertStore
from detection.store.exception_preview import Preview, Previews
from detection.store.exception_store import Action, ExceptionStore

SPANS_MAX: Final[dict[Kind, timedelta]] = {
    "exception": timedelta(days=366),
    "maintenance": timedelta(days=31),
}
RULES_MAX: Final = 50
TITLE_CHARS_MAX: Final = 120
REASON_CHARS: Final = (2, 2_000)
PAST: Final = timedelta(days=1)  # how long ago a maintenance window may have begun


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a person asks for; ``begins`` None is now."""

    kind: Kind
    title: str
    rules: tuple[str, ...]
    unit: str
    units: tuple[str, ...]
    condition: str
    reason: str
    owner: str
    begins: datetime | None
    expires: datetime
    origin: str = ""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What the form begins with: terms of a condition that fits the alert, and its scope."""

    title: Words
    rule: str
    unit: str
    terms: tuple[str, ...]
    health: bool


class ExceptionDesk:
    """Safe to share between threads; ``level_of`` tells a rule's severity, '' where it is not known."""

    def __init__(
        self,
        store: ExceptionStore,
        previews: Previews,
        alerts: AlertStore,
        *,
        level_of: Callable[[str], str],
        protected: Callable[[], frozenset[str]],
    ) -> None:
        self.store = store
        self._previews = previews
        self._alerts = alerts
        self._level_of = level_of
        self._protected = protected

    def draft(self, group: str) -> Draft:
        """A proposal from the newest alert of a group. Raises Refused (alert-not-found)."""
        found = self._alerts.detail(group)
        newest: Alert | None = found.alerts[0].alert if found.alerts else None
        return Draft(
            title=found.group.title,
            rule=found.group.rule,
            unit=found.group.unit,
            terms=drafted(newest) if newest else (),
            health=found.group.detector == "health" or (newest is not None and of_health(newest)),
        )

    def preview(self, asked: Asked, now: datetime) -> tuple[Preview, tuple[Words, ...]]:
        """What it would have held back, and why it needs a second person, if it does. Raises BadInput."""
        one = self._checked(asked, "system:preview", now)
        preview = self._previews.of(one, now)
        return preview, self._grave(one, preview)

    def ask(self, asked: Asked, actor: str, now: datetime) -> Exemption:
        """Keep it: active at once, or waiting where it is grave. Raises BadInput, Refused."""
        one = self._checked(asked, actor, now)
        preview = self._previews.of(one, now)
        if preview.health and not preview.alerts:
            raise _health()
        grave = self._grave(one, preview)
        kept = msgspec.structs.replace(
            one,
            state="waiting" if grave else "active",
            grave=grave,
            expected={"days": preview.days, "alerts": preview.alerts, "groups": preview.groups},
        )
        return self.store.ask(kept, now)

    def decide(self, identifier: int, approve: bool, note: str, actor: str, now: datetime) -> Exemption:
        """A second person says yes or no. Raises Refused (exception-second-person, exception-state)."""
        said = _text("note", note, REASON_CHARS)

        def decided(one: Exemption) -> Exemption:
            if one.phase(now) != "waiting":
                raise _state(one)
            if actor == one.asked_by:
                raise Refused(
                    "exception-second-person",
                    Words("不能批准自己申请的例外", "nobody approves what they asked for themselves"),
                    Words("请由另一名值班长或安全管理员决定", "another shift lead or security admin decides"),
                    field="id",
                )
            state = "active" if approve else "refused"
            return msgspec.structs.replace(one, state=state, decided=now, decided_by=actor, note=said)

        action: Action = "approved" if approve else "refused"
        return self.store.change(identifier, action, actor, said, now, decided)

    def end(
        self, identifier: int, note: str, actor: str, now: datetime, *, bring_back: bool = False
    ) -> Exemption:
        """Let alerts through again from now on. Raises Refused (exception-state).

        ``bring_back`` puts the kept alerts it held back into the queue.
        """
        said = _text("note", note, REASON_CHARS)

        def ended(one: Exemption) -> Exemption:
            if one.state not in ("waiting", "active"):
                raise _state(one)
            return msgspec.structs.replace(one, state="ended", note=said)

        after = self.store.change(identifier, "ended", actor, said, now, ended)
        held = self.store.examples(identifier) if bring_back else []
        if held:
            self._alerts.commit(held, (), None, now)
        return after

    def feed(self, after: int) -> Sequence[tuple[int, NewEvidence]]:
        """Every decision as a leaf of the ledger."""
        return [
            (
                step.number,
                NewEvidence(
                    kind="exception",
                    actor=step.actor,
                    subject=f"exception:{step.exception}/{step.number}",
                    summary=f"exception {step.exception} {step.action}",
                    payload=step.body.encode(),
                    time=step.time,
                ),
            )
            for step in self.store.since(after)
        ]

    def _grave(self, one: Exemption, preview: Preview) -> tuple[Words, ...]:
        """Why a second person must agree."""
        found: list[Words] = []
        if not one.rules:
            found.append(Words("适用于所有规则", "it is meant for every rule"))
        if any(self._level_of(rule) == "critical" for rule in one.rules):
            found.append(Words("涉及严重级别的规则", "it names a critical rule"))
        if preview.critical:
            found.append(
                Words(
                    f"近 {preview.days} 天会抑制 {preview.critical} 条严重告警",
                    f"it would have held back {preview.critical} critical alerts in {preview.days} days",
                )
            )
        if not preview.names.isdisjoint(self._protected()):
            found.append(
                Words("涉及三级及以上系统的资产", "it concerns assets of systems of level three or above")
            )
        return tuple(found)

    def _checked(self, asked: Asked, actor: str, now: datetime) -> Exemption:
        rules = tuple(dict.fromkeys(asked.rules))
        begins = asked.begins or now
        if len(rules) > RULES_MAX:
            raise _bad("rules", Words(f"最多 {RULES_MAX} 条规则", f"{RULES_MAX} rules at most"))
        if asked.kind == "exception" and not (rules and asked.condition.strip()):
            raise _bad("condition", Words("须指定规则与条件", "name rules and a condition"))
        condition_of(asked.condition)
        if begins >= asked.expires or asked.expires <= now:
            raise _bad(
                "expires",
                Words("到期时间须在开始之后、现在之后", "it must end after it begins, and later than now"),
            )
        if asked.expires - begins > SPANS_MAX[asked.kind]:
            days = SPANS_MAX[asked.kind].days
            raise _bad("expires", Words(f"最长 {days} 天", f"{days} days at most"))
        if begins < now - PAST:
            raise _bad("begins", Words("开始时间不能早于一天前", "it may begin a day ago at the earliest"))
        return Exemption(
            kind=asked.kind,
            title=_text("title", asked.title, (2, TITLE_CHARS_MAX)),
            rules=rules,
            unit=asked.unit,
            units=asked.units,
            condition=asked.condition.strip(),
            reason=_text("reason", asked.reason, REASON_CHARS),
            owner=_text("owner", asked.owner, (1, 128)),
            asked=now,
            asked_by=actor,
            begins=begins,
            expires=asked.expires,
            origin=asked.origin,
        )


def _text(field: str, given: str, span: tuple[int, int]) -> str:
    said = unicodedata.normalize("NFC", given.strip())
    least, most = span
    plain = all(sign.isprintable() or sign == "\n" for sign in said)
    if not least <= len(said) <= most or not plain:
        raise _bad(
            field, Words(f"须为 {least}-{most} 个可见字符", f"takes {least}-{most} visible characters")
        )
    return said


def _bad(field: str, what: Words) -> BadInput:
    fix = Words("请改正该字段后重新提交", "correct that field and send it again")
    return BadInput("exception-malformed", what, fix, field=field)


def _state(one: Exemption) -> Refused:
    return Refused(
        "exception-state",
        Words(f"这条例外当前状态是 {one.state},不能执行此操作", f"the exception is {one.state} by now"),
        Words("可能他人刚刚操作,请刷新", "somebody else may just have acted, reload"),
        field="state",
    )


def _health() -> Refused:
    return Refused(
        "exception-health",
        Words("传感器健康告警不能设例外", "alerts about the health of sensors can't be excepted"),
        Words(
            "请处理其原因;计划内停机请排空或吊销传感器",
            "mend the cause; drain or revoke a sensor before planned work",
        ),
        field="rules",
    )
