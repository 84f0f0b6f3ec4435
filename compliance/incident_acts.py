"""What people do to an incident, as pure functions: each gives the step the store writes, or refuses."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, get_args

import msgspec

from compliance.incident import (
    STEP_WORDS,
    STEPS,
    CaseFile,
    Filing,
    Incident,
    IncidentStep,
    Stated,
    Step,
    Task,
    TaskState,
    clocks_of,
    reportable,
)
from compliance.incident_rules import FilingKind, IncidentRules
from compliance.order import reached
from crypto.words import BadInput, Refused, Words

TITLE_CHARS_MAX: Final = 200
TEXT_CHARS_MAX: Final = 4_000
NOTE_CHARS_MAX: Final = 2_000
NAME_CHARS_MAX: Final = 128
TASKS_MAX: Final = 200
FILINGS_MAX: Final = 50
FILES_MAX: Final = 200
PERSONS_MAX: Final = 2_000_000_000


class IncidentChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be another; None leaves it as it is."""

    title: str | None = None
    system: str | None = None
    category: str | None = None
    kind: str | None = None
    grade: int | None = None
    clock: str | None = None
    owner: str | None = None
    discovered: datetime | None = None
    place: str | None = None
    persons: int | None = None
    summary: str | None = None


class FilingOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A report that has been given."""

    kind: FilingKind
    to: str
    channel: str
    sent: datetime
    fields: Mapping[str, str]


def checked(incident: Incident, rules: IncidentRules, now: datetime) -> Incident:
    """The incident if its values may stand. Raises BadInput (incident-malformed)."""
    _text("title", incident.title, TITLE_CHARS_MAX, least=2)
    _text("summary", incident.summary, TEXT_CHARS_MAX)
    _text("place", incident.place, TITLE_CHARS_MAX)
    _text("owner", incident.owner, NAME_CHARS_MAX)
    category = rules.category(incident.category)
    if category is None:
        raise bad("category", "没有这个事件类别", "is no category")
    if incident.kind and incident.kind not in category.kinds:
        raise bad("kind", f"不在{category.zh}之下", f"is no kind of {category.en}")
    if rules.clocks.kind(incident.clock) is None:
        raise bad("clock", "没有这类单位的报告时限", "is no kind of unit with a clock")
    if incident.discovered > now:
        raise bad("discovered", "发现时间在将来", "is in the future")
    if not 0 <= incident.persons <= PERSONS_MAX:
        raise bad("persons", "人数不合理", "is no number of people")
    least = min(
        (one.grade for one in rules.classification.grades if one.persons and incident.persons >= one.persons),
        default=4,
    )
    if incident.grade > least:
        name = next(one for one in rules.classification.grades if one.grade == least)
        raise bad(
            "grade",
            f"涉及 {incident.persons} 人个人信息,至少为{name.zh}",
            f"is at least {name.en} with personal information of {incident.persons} people",
        )
    if not 1 <= incident.grade <= 4:
        raise bad("grade", "须为 1-4 级", "is not 1 to 4")
    return incident


def changed(
    incident: Incident, change: IncidentChange, note: str, rules: IncidentRules, now: datetime
) -> Step:
    """Other values, for a reason. Raises BadInput, Refused (incident-state)."""
    _active(incident)
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not None}
    before = {name: getattr(incident, name) for name in given}
    given = {name: value for name, value in given.items() if value != before[name]}
    if not given:
        raise bad("title", "没有改动", "nothing is to be changed")
    _note(note)
    if "category" in given and "kind" not in given:
        given["kind"] = ""
    after = msgspec.structs.replace(incident, **given)
    was = reportable(incident.grade, incident.clock, rules.clocks)
    if reportable(after.grade, after.clock, rules.clocks) and not was:
        # What only now turns out to be grave is reported from now on in time, not from when it began.
        after = msgspec.structs.replace(after, judged=now)
    elif "discovered" in given and incident.judged == incident.discovered:
        after = msgspec.structs.replace(after, judged=after.discovered)
    detail = {name: [before.get(name), value] for name, value in given.items()}
    return Step(incident=checked(after, rules, now), action="changed", note=note, detail=detail)


def stepped(incident: Incident, step: IncidentStep, note: str, rules: IncidentRules, now: datetime) -> Step:
    """The next state. Raises Refused (incident-state, incident-unfinished), BadInput."""
    before, after = STEPS[step]
    if incident.state not in before:
        raise _state(incident, STEP_WORDS[step])
    if step != "accept":
        _note(note)
    if step == "close":
        _finished(incident, rules)
    values: dict[str, object] = {"state": after}
    if step == "settle":
        values["ended"] = now
    elif step in ("resume", "reopen"):
        values |= {"ended": None, "closed": None}
        values["reminded"] = {name: done for name, done in incident.reminded.items() if name != "final"}
    elif after in ("closed", "dismissed"):
        values["closed"] = now
    return Step(incident=msgspec.structs.replace(incident, **values), action=step, note=note)


def task_added(incident: Incident, title: str, owner: str, due: datetime | None) -> Step:
    """One more task. Raises BadInput, Refused (incident-state)."""
    _active(incident)
    _text("title", title, TITLE_CHARS_MAX, least=2)
    _text("owner", owner, NAME_CHARS_MAX)
    if len(incident.tasks) >= TASKS_MAX:
        raise bad("tasks", f"任务最多 {TASKS_MAX} 项", f"takes {TASKS_MAX} tasks at most")
    task = Task(number=len(incident.tasks) + 1, title=title, owner=owner, due=due)
    after = msgspec.structs.replace(incident, tasks=(*incident.tasks, task))
    return Step(incident=after, action="task-added", note=title, detail={"task": task})


def task_changed(
    incident: Incident, number: int, state: TaskState, owner: str | None, note: str, actor: str, now: datetime
) -> Step:
    """A task done, dropped, taken up again or given to somebody. Raises BadInput, Refused."""
    _active(incident)
    if state not in get_args(TaskState):
        raise bad("state", "没有这个任务状态", "is no state of a task")
    task = next((one for one in incident.tasks if one.number == number), None)
    if task is None:
        raise Refused(
            "task-not-found",
            Words(f"没有第 {number} 项任务", f"there is no task {number}"),
            Words("请刷新后重试", "reload and try again"),
            field=str(number),
        )
    if owner is not None:
        _text("owner", owner, NAME_CHARS_MAX)
        task = msgspec.structs.replace(task, owner=owner)
    if state == "dropped":
        _note(note)
    ended = (now, actor) if state != "open" else (None, "")
    task = msgspec.structs.replace(task, state=state, ended=ended[0], ended_by=ended[1])
    tasks = tuple(task if one.number == number else one for one in incident.tasks)
    words = f"{task.title}: {note}" if note else task.title
    after = msgspec.structs.replace(incident, tasks=tasks)
    return Step(incident=after, action=f"task-{state}", note=words[:NOTE_CHARS_MAX], detail={"task": task})


def filed(
    incident: Incident, order: FilingOrder, stated: Stated, rules: IncidentRules, actor: str, now: datetime
) -> Step:
    """A report that was given joins the chain. Raises BadInput, Refused (incident-filing, -state)."""
    kinds = [one.kind for one in incident.filings]
    _in_order(incident, order.kind, kinds)
    if len(kinds) >= FILINGS_MAX:
        raise bad("kind", f"报告最多 {FILINGS_MAX} 份", f"takes {FILINGS_MAX} reports at most")
    _text("to", order.to, TITLE_CHARS_MAX, least=2)
    _text("channel", order.channel, TITLE_CHARS_MAX, least=2)
    latest = max((one.sent for one in incident.filings), default=incident.discovered)
    if not latest <= order.sent <= now:
        raise bad(
            "sent", "报送时间须在上一份之后、现在之前", "lies before the report before it, or in the future"
        )
    asked = {one.name: one for one in rules.form.fields if order.kind in one.asked}
    fields = {name: text.strip() for name, text in order.fields.items() if text.strip()}
    if set(fields) - set(asked):
        raise bad("fields", "有不属于此类报告的项", "has items this report does not have")
    for name, item in asked.items():
        _text(f"fields.{name}", fields.get(name, ""), TEXT_CHARS_MAX)
        if order.kind in item.required and not fields.get(name):
            raise bad(f"fields.{name}", f"{item.zh}:必填", f"is missing: {item.en}")
    filing = Filing(
        number=len(kinds) + 1,
        kind=order.kind,
        to=order.to,
        channel=order.channel,
        sent=order.sent,
        recorded=now,
        actor=actor,
        fields=fields,
        stated=stated,
    )
    after = msgspec.structs.replace(incident, filings=(*incident.filings, filing))
    note = f"{rules.form.titles[order.kind].zh} → {order.to}"
    return Step(incident=after, action="filed", note=note, at=order.sent, detail={"filing": filing})


def with_file(incident: Incident, file: CaseFile) -> Step:
    """One more file in the locker. Raises BadInput, Refused (incident-state)."""
    _active(incident)
    _text("name", file.name, TITLE_CHARS_MAX, least=1)
    _text("note", file.note, NOTE_CHARS_MAX)
    if "/" in file.name or "\\" in file.name:
        raise bad("name", "文件名不合格式", "is malformed")
    if any(one.sm3 == file.sm3 for one in incident.files):
        raise bad("file", "此文件已在证据柜中", "is in the locker already")
    if len(incident.files) >= FILES_MAX:
        raise bad("file", f"最多 {FILES_MAX} 个文件", f"takes {FILES_MAX} files at most")
    after = msgspec.structs.replace(incident, files=(*incident.files, file))
    return Step(incident=after, action="file-added", note=file.name, detail={"file": file})


def noted(incident: Incident, note: str, at: datetime | None, now: datetime) -> Step:
    """An entry of the timeline; ``at`` is when it happened. Raises BadInput."""
    _note(note)
    if at is not None and at > now:
        raise bad("at", "时间在将来", "is in the future")
    return Step(incident=incident, action="noted", note=note, at=at)


def reminders(incident: Incident, rules: IncidentRules, now: datetime) -> list[Step]:
    """Reminders that are due; of several at once the last one speaks for all."""
    steps = []
    for clock in clocks_of(incident, rules.clocks):
        if clock.done is not None:
            continue
        percent = reached(clock, rules.clocks.reminders, now)
        if percent > incident.reminded.get(clock.id, 0):
            incident = msgspec.structs.replace(incident, reminded={**incident.reminded, clock.id: percent})
            steps.append(Step(incident=incident, action="reminded", note=f"{clock.id} {percent} %"))
    return steps


def _in_order(incident: Incident, kind: FilingKind, before: list[FilingKind]) -> None:
    """首报 comes first and once, 总结报告 last and once."""
    fits = {
        "first": incident.active and not before,
        "follow-up": incident.active and "first" in before and "final" not in before,
        "final": incident.state in ("handled", "closed") and "first" in before and "final" not in before,
    }
    if not fits[kind]:
        raise Refused(
            "incident-filing",
            Words("现在不能作此类报告", "this report can't be given now"),
            Words(
                "先首报,再续报;处置结束后作总结报告,每案一份",
                "the first comes first; the closing report after handling ended, once",
            ),
            field=kind,
        )


def _finished(incident: Incident, rules: IncidentRules) -> None:
    owed = [clock.id for clock in clocks_of(incident, rules.clocks) if clock.done is None]
    tasks = [task.number for task in incident.tasks if task.state == "open"]
    if owed or tasks:
        raise Refused(
            "incident-unfinished",
            Words("尚有未报的报告或未办的任务", "a report is owed or a task is open"),
            Words("请先补报、办结或取消任务", "give the report, and end the tasks"),
            field=owed[0] if owed else f"task {tasks[0]}",
        )


def _active(incident: Incident) -> None:
    if not incident.active:
        raise _state(incident, Words("修改", "change"))


def _state(incident: Incident, act: Words) -> Refused:
    return Refused(
        "incident-state",
        Words(f"当前状态不能{act.zh}", f"it can't be done in this state: {act.en}"),
        Words("请刷新后重试", "reload and try again"),
        field=incident.number,
    )


def _note(note: str) -> None:
    _text("note", note.strip(), NOTE_CHARS_MAX, least=2)


def _text(field: str, value: str, most: int, least: int = 0) -> None:
    shown = all(sign.isprintable() or sign == "\n" for sign in value)
    if not least <= len(value.strip()) <= most or len(value) > most or not shown:
        raise bad(field, f"须为 {least}-{most} 个可见字符", f"takes {least} to {most} visible characters")


def bad(field: str, zh: str, en: str) -> BadInput:
    """One value of an incident is wrong."""
    return BadInput(
        "incident-malformed",
        Words(f"事件内容有误:{field} {zh}", f"bad incident: {field} {en}"),
        Words("请改正后重新提交", "correct it and send it again"),
        field=field,
    )
