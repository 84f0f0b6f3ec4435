"""What people do to groups of the queue, as decisions without a store: an act, and what it makes of a group.

An act is done to any number of groups; to each it is either done or refused with a code. What a group was
before is kept, so that an act can be taken back for a short while.
"""

from datetime import datetime, timedelta
from typing import Final, Literal, get_args

import msgspec

from crypto.words import BadInput, Refused, Words
from detection.store.alert_group import CLASSIFICATIONS
from detection.store.group_query import bad_argument

ActionName = Literal[
    "acknowledge", "assign", "close", "reopen", "snooze", "wake", "note", "merge", "split", "create"
]
ACTIONS: Final[tuple[ActionName, ...]] = get_args(ActionName)
REASON_CHARS_MAX: Final = 2_000
UNDO: Final = timedelta(seconds=10)  # how long after its end an act can be taken back
SNOOZE_MAX: Final = timedelta(days=30)  # nothing sleeps out of sight for longer
# What stands in the history of a group.
TOLD: Final[dict[ActionName, str]] = {
    "acknowledge": "acknowledged",
    "assign": "assigned",
    "close": "closed",
    "reopen": "reopened",
    "snooze": "snoozed",
    "wake": "woken",
    "note": "noted",
    "merge": "merged",
    "split": "split",
    "create": "created",
}


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be done; which of the values it needs depends on the action (``checked``)."""

    action: ActionName
    owner: str = ""
    classification: str = ""
    reason: str = ""  # of closing; otherwise the note that goes into the history
    until: datetime | None = None
    into: str = ""


class Decision(msgspec.Struct, frozen=True, array_like=True):
    """What people decided about a group, as its row keeps it; times are micros, 0 is none."""

    state: str
    owner: str
    classification: str
    close_reason: str
    snoozed_until: int
    parent: str


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What an act must know of a group beside the decision."""

    id: str
    unit: str
    newest: bool  # no younger instance of the same rule, unit and entity
    members: int


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The group others are merged into."""

    id: str
    unit: str
    parent: str
    state: str


def checked(act: Act, now: datetime) -> Act:
    """The act with its texts trimmed. Raises BadInput (alert-argument) naming what is missing or wrong."""
    act = msgspec.structs.replace(act, reason=act.reason.strip(), owner=act.owner.strip())
    if act.action not in ACTIONS:
        raise bad_argument("action", act.action, ACTIONS)
    if act.action == "close" and act.classification not in CLASSIFICATIONS:
        raise bad_argument("classification", act.classification, CLASSIFICATIONS)
    least = 2 if act.action in ("close", "note") else 0
    if not least <= len(act.reason) <= REASON_CHARS_MAX:
        raise bad_argument("reason", f"{len(act.reason)}", (f"{least}-{REASON_CHARS_MAX}",))
    if act.action == "snooze" and (act.until is None or not now < act.until <= now + SNOOZE_MAX):
        raise BadInput(
            "alert-snooze",
            Words("暂缓截止时间无效", "the time to snooze until is not valid"),
            Words(
                f"须晚于现在,且不超过 {SNOOZE_MAX.days} 天", f"later than now, {SNOOZE_MAX.days} days at most"
            ),
            field="until",
        )
    if act.action == "merge" and not act.into:
        raise bad_argument("into", act.into, ("<group>",))
    return act


def decided(
    act: Act, before: Decision, place: Place, actor: str, micros_until: int, target: Target | None = None
) -> Decision | str:
    """The decision after the act, or the code it is refused with."""
    change = msgspec.structs.replace
    if act.action == "reopen":
        if before.state != "closed":
            return "alert-state"
        if not place.newest:
            return "alert-superseded"
        return change(before, state="acknowledged", owner=actor, classification="", close_reason="")
    if act.action == "note":
        return before
    if act.action == "split":
        return change(before, parent="") if before.parent else "alert-not-merged"
    if before.state == "closed":
        return "alert-state"
    if act.action == "acknowledge":
        if before.state != "new":
            return "alert-state"
        return change(before, state="acknowledged", owner=actor)
    if act.action == "assign":
        return change(before, state="acknowledged" if act.owner else "new", owner=act.owner)
    if act.action == "close":
        return change(
            before,
            state="closed",
            classification=act.classification,
            close_reason=act.reason,
            owner=before.owner or actor,
            snoozed_until=0,
        )
    if act.action in ("snooze", "wake"):
        return change(before, snoozed_until=micros_until)
    return _merged(act, before, place, target)


def _merged(act: Act, before: Decision, place: Place, target: Target | None) -> Decision | str:
    if target is None:
        return "alert-not-found"
    if target.parent or target.state == "closed":
        return "alert-merge-target"
    if before.parent or place.members or place.id == target.id:
        return "alert-merged"
    if place.unit != target.unit:
        return "alert-merge-unit"
    return msgspec.structs.replace(before, parent=act.into)


def note_of(act: Act) -> str:
    """What the history says beside the action."""
    if act.action == "close":
        return f"{act.classification}: {act.reason}"
    if act.action == "assign":
        return " ".join(part for part in (act.owner, act.reason) if part)
    if act.action == "snooze" and act.until is not None:
        return " ".join(part for part in (act.until.isoformat(timespec="minutes"), act.reason) if part)
    if act.action == "merge":
        return " ".join(part for part in (act.into, act.reason) if part)
    return act.reason


_REFUSALS: Final = (
    Refused(
        "alert-superseded",
        Words("该告警组关闭后已有新的同类告警组", "a newer instance of this group exists already"),
        Words("请在新的告警组上处理", "work on the newer instance instead"),
    ),
    Refused(
        "alert-not-merged",
        Words("该告警组没有并入其他组", "the group is merged into no other"),
        Words("请刷新后重试", "reload and try again"),
    ),
    Refused(
        "alert-merged",
        Words("该告警组已并入其他组,或自己含有并入的组", "the group is merged, or has groups merged into it"),
        Words("请先拆分", "split it first"),
    ),
    Refused(
        "alert-merge-target",
        Words("目标告警组已关闭,或已并入其他组", "the target is closed, or merged into another group"),
        Words("请选择未关闭的顶层告警组", "choose an open group that is merged into none"),
    ),
    Refused(
        "alert-merge-unit",
        Words("两组告警不属于同一单位", "the two groups belong to different units"),
        Words("只能合并同一单位的告警组", "merge groups of one unit only"),
    ),
    Refused(
        "alert-not-found",
        Words("没有这个告警组", "there is no such alert group"),
        Words("请刷新告警列表后重试", "reload the list of alerts and try again"),
    ),
)
_REFUSED: Final = {error.code: error for error in _REFUSALS}


def refusal(code: str, state: str = "") -> Refused:
    """The error behind the code of a refused item."""
    if known := _REFUSED.get(code):
        return Refused(known.code, known.what, known.fix, field="group")
    return Refused(
        "alert-state",
        Words(f"告警组当前状态是 {state},不能执行此操作", f"the group is {state}, this cannot be done to it"),
        Words("可能已有他人处理,请刷新后重试", "somebody else may have acted, reload and try again"),
        field="state",
    )
