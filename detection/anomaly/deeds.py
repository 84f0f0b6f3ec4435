"""What an event says somebody did, in few words that repeat: read once, for every kind of entity it concerns.

Which kinds there are and what is counted of them is data (rules/anomaly/entities.toml). This file knows only
what an event can be (``CLASSES``) and what can be asked of it: a field of the event, or one of ``FACTS``.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Final, NamedTuple

from crypto.words import BadInput, Words
from detection.anomaly.behaviour import Reason
from detection.anomaly.entities import DeedParameters, KindParameters
from detection.special.reading import number, text
from detection.special.templates import LineKinds
from sensors.event import Event, Value

OTHER: Final = "other"
CLASSES: Final = ("process", "listener", "file", "login", "login-failed", "line", "flow", "dns")
_TEXT_MAX: Final = 200
_AMOUNT_MAX: Final = 1 << 42
_DOMAIN_LABELS: Final = 2
_PUBLIC_SUFFIXES: Final = frozenset({"com", "net", "org", "gov", "edu", "ac", "co"})  # below a country's own
_OUTSIDE: Final = ("flow-start", "flow-update")  # a flow counts once, when it ends

Fact = Callable[[Event], str]
Signature = tuple[str, ...]


class Step(NamedTuple):
    """One thing an event adds to a window: "deed" or "deed:detail", and the field that says how much."""

    deed: str
    detail: int  # place of the fact; -1 none
    amount: str  # '' counts one


class Plan(NamedTuple):
    """What events of one class say of one kind: places of the facts that make the key, and the steps."""

    number: int
    kind: int
    entity: tuple[int, ...]
    peer: int  # place of the fact that names the peer group, or whose peers are asked for; -1 none
    steps: tuple[Step, ...]
    wanted: Callable[[Signature], object]  # the facts the entity and the steps need


class Reading(NamedTuple):
    """What one class of events must be asked, and for whom."""

    facts: tuple[Fact, ...]
    plans: tuple[Plan, ...]


class Reader:
    """Reads events for the kinds given. It remembers templates of log lines, and nothing else."""

    def __init__(self, kinds: Sequence[KindParameters], *, programs_max: int, templates_max: int) -> None:
        """Raises BadInput where a kind counts what no event is."""
        self._bounds = programs_max, templates_max
        self.lines = LineKinds(programs_max=programs_max, templates_max=templates_max)
        self._readings = {name: reading for name in CLASSES if (reading := self._reading(name, kinds)).plans}

    def recall(self, kept: dict[str, list[tuple[str, int, list[str]]]]) -> None:
        """Take up the templates an earlier process made."""
        programs, templates = self._bounds
        self.lines = LineKinds(programs_max=programs, templates_max=templates, kept=kept)

    def read(self, event: Event) -> list[tuple[Reading, Signature]]:
        """What to count of the event: for each of its classes the plans and their facts."""
        found = []
        for name in classes_of(event):
            reading = self._readings.get(name)
            if reading is not None:
                found.append((reading, tuple([fact(event) for fact in reading.facts])))
        return found

    def said(self, entity: str) -> str:
        """A template's words in place of its id, in the name of an entity "program\\0id"."""
        program, found, identifier = entity.rpartition("\0")
        return f"{program.rpartition(chr(0))[2]}: {self.lines.text(program, identifier)}" if found else entity

    def _reading(self, name: str, kinds: Sequence[KindParameters]) -> Reading:
        facts: dict[str, int] = {}
        plans: list[Plan] = []
        for at, kind in enumerate(kinds):
            steps = tuple(
                Step(one.name, facts.setdefault(one.value, len(facts)) if one.value else -1, one.amount)
                for one in kind.deeds
                if name in one.on
            )
            for one in kind.deeds:
                if unknown := set(one.on) - set(CLASSES):
                    raise _bad(f"{kind.name}.{one.name}: {min(unknown)}")
            if steps:
                entity = tuple(facts.setdefault(part, len(facts)) for part in kind.entity)
                group = kind.peer or kind.peer_of
                peer = facts.setdefault(group, len(facts)) if group else -1
                wanted = itemgetter(*sorted({*entity, *(one.detail for one in steps if one.detail >= 0)}))
                number = CLASSES.index(name) * len(kinds) + at
                plans.append(Plan(number, at, entity, peer, steps, wanted))
        return Reading(tuple(self._fact(one) for one in facts), tuple(plans))

    def _fact(self, name: str) -> Fact:
        if name == "template":
            return self._template
        found = FACTS.get(name)
        if found is None and "." not in name:
            raise _bad(name)
        return found or (lambda event: text(event, name))

    def _template(self, event: Event) -> str:
        message, program = text(event, "message"), _program_of_line(event)
        if not message or not program:
            return ""
        key = f"{event.unit}\0{program}"
        return f"{key}\0{self.lines.read(key, message).id}"


def classes_of(event: Event) -> tuple[str, ...]:
    """What the event is; nothing where it is the product's own or says what is, not what happened."""
    dataset = event.fields.get("event.dataset")
    if type(dataset) is not str:
        return ()
    if dataset.startswith("net."):
        if dataset == "net.flow":
            return () if text(event, "event.action") in _OUTSIDE else ("flow",)
        return ("dns",) if dataset == "net.dns" and text(event, "dns.type") != "answer" else ()
    if dataset.startswith("liuhe.") or dataset == "probe":
        return ()
    match dataset:
        case "process.start":
            return ("process",)
        case "listener.change":
            return ("listener",) if text(event, "event.action") == "listener-added" else ()
        case "file.change":
            return ("file",)
    found: tuple[str, ...] = ()
    if text(event, "event.category") == "authentication" and text(event, "user.name"):
        found = ("login-failed",) if text(event, "event.outcome") == "failure" else ("login",)
    return (*found, "line") if "message" in event.fields else found


def registered(name: str) -> str:
    """The part of a name that somebody registered, roughly: two labels, three below gov.cn and the like."""
    labels = [label for label in name.casefold().strip(".").split(".") if label]
    if len(labels) > _DOMAIN_LABELS and len(labels[-1]) == 2 and labels[-2] in _PUBLIC_SUFFIXES:
        return ".".join(labels[-3:])
    return ".".join(labels[-_DOMAIN_LABELS:])


def amount_of(event: Event, field: str) -> int:
    """A whole number of the event, none below zero."""
    found = number(event, field)
    return int(min(max(found, 0.0), _AMOUNT_MAX)) if found == found else 0


def worded(kind: KindParameters, value: str) -> Words:
    """A deed of a kind in words."""
    name, _, detail = value.partition(":")
    for one in kind.deeds:
        if one.name == name:
            return Words(f"{one.zh} {detail}".strip(), f"{one.en} {detail}".strip())
    return Words("其他行为", "other deeds")


def sentence(kind: KindParameters, reason: Reason) -> Words:
    """What was done, how much, and against what that is odd."""
    said = worded(kind, reason.value)
    name = reason.value.partition(":")[0]
    deed = next((one for one in kind.deeds if one.name == name), None)
    much = _much(deed, reason.times)
    if reason.new:
        zh, en = f"另有 {reason.others} 个对象有过", f"done by {reason.others} others"
        if reason.peers_all:
            zh += f"，同类 {reason.peers_all} 个中 {reason.peers_with} 个"
            en += f", {reason.peers_with} of its {reason.peers_all} peers"
        return Words(f"{said.zh} {much.zh}，此前没有过（{zh}）", f"{said.en} {much.en}, never before ({en})")
    usual, peers = _span(reason.usual), _span(reason.peers)
    last = "—"
    if reason.last:
        last = f"{datetime.fromtimestamp(reason.last, UTC).strftime('%Y-%m-%dT%H:%M')}Z"
    return Words(
        f"{said.zh} {much.zh}（平常 {usual}，同类 {peers}，上次 {last}）",
        f"{said.en} {much.en} (usually {usual}, peers {peers}, last {last})",
    )


def numbered(sentences: list[Words]) -> dict[str, Value]:
    """The sentences, each under a name of its own: a value of a reason is bounded, three of them are not."""
    numbers: dict[str, Value] = {}
    for at, name in enumerate(("deeds", "deeds_2", "deeds_3")):
        words = sentences[at] if at < len(sentences) else Words("", "")
        numbers[name] = f"；{words.zh}" if at and words.zh else words.zh
        numbers[f"{name}_en"] = f"; {words.en}" if at and words.en else words.en
    return numbers


def _much(deed: DeedParameters | None, times: float) -> Words:
    zh, en = (deed.unit_zh, deed.unit_en) if deed is not None else ("次", "times")
    return Words(f"{times:,.0f} {zh}", f"{times:,.0f} {en}")


def _span(span: tuple[float, float]) -> str:
    return f"{span[0]:,.0f}–{span[1]:,.0f}"


def _program(event: Event) -> str:
    return (text(event, "process.executable") or text(event, "process.name"))[:_TEXT_MAX]


def _parent(event: Event) -> str:
    return (text(event, "process.parent.executable") or text(event, "process.parent.name"))[:_TEXT_MAX]


def _program_of_line(event: Event) -> str:
    return text(event, "Program") or text(event, "process.name")


def _service(event: Event) -> str:
    target, port = text(event, "destination.ip"), text(event, "destination.port")
    return f"{target}:{port}" if target and port else target


def _origin(event: Event) -> str:
    return text(event, "source.ip") or text(event, "source.domain") or "-"


def _folder(event: Event) -> str:
    path = text(event, "file.path")
    return (path.rpartition("/")[0] or "/")[:_TEXT_MAX] if path else ""


def _domain(event: Event) -> str:
    return registered(text(event, "dns.question.name"))[:_TEXT_MAX]


FACTS: Final[Mapping[str, Fact]] = {
    "program": _program,
    "parent": _parent,
    "service": _service,
    "origin": _origin,
    "folder": _folder,
    "domain": _domain,
}


def _bad(name: str) -> BadInput:
    return BadInput(
        "parameters-malformed",
        Words(f"没有这种事件或事实:{name}", f"there is no such event or fact: {name}"),
        Words(
            "请按 docs/reference/detectors.md 改正该键", "correct that key, see docs/reference/detectors.md"
        ),
        field="entities.toml",
    )
