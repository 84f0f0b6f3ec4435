"""Sessions in logs unlike any that were learned: a step new, missing or too many, another order or length.

Each source of a unit is learned from its own sessions; what was told is not learned until it has come back on
several days.
"""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from crypto.words import Words
from detection.alert import Alert
from detection.detector import feed_each
from detection.parameters import Saying
from detection.reason import check_template, filled
from detection.special.log_sessions import LogSessions, Open, Session, SessionSource
from detection.special.reading import shown
from detection.special.sequence_model import ODDITIES, Learned, Oddity, SequenceModel, Verdict
from detection.special.templates import Kept, LineKinds
from sensors.event import Event, Value

_DAY: Final = 86_400.0
_TEMPLATE_CHARS_MAX: Final = 48  # of one step inside the reason
_ODD_MAX: Final = 500  # unlike sessions of a source that are counted by days
_BUDGETS_MAX: Final = 20_000


class Phrase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of one oddity: of its step, the one after which it came, and numbers."""

    zh: str
    en: str

    def __post_init__(self) -> None:
        check_template(self.zh)
        check_template(self.en)


class LogSequencesParameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Table ``log_sequences`` of rules/anomaly/special.toml."""

    sources: tuple[SessionSource, ...]
    learning_sessions: int
    learning_days: float
    alert_one_in: float
    unsettled_share: float
    per_day: int
    hosts_per_day: int
    accepted_days: int
    lines_max: int
    sessions_max: int
    learned_max: int
    kinds_max: int
    vectors_max: int
    surprises_max: int
    phrases: dict[str, Phrase]
    alert: Saying

    def __post_init__(self) -> None:
        lacking = ODDITIES - self.phrases.keys()
        if lacking:
            raise ValueError(f"phrases: {', '.join(sorted(lacking))}")

    def model(self, kept: Learned | None = None) -> SequenceModel:
        """An empty model, or that of ``kept``."""
        return SequenceModel(
            kinds_max=self.kinds_max,
            vectors_max=self.vectors_max,
            surprises_max=self.surprises_max,
            kept=kept,
        )


class Odd(msgspec.Struct):
    """On how many days a session like no learned one came, and on which hosts today."""

    days: int = 0
    day: int = 0
    hosts: list[str] = []


class Known(msgspec.Struct):
    """A source of a unit: since when, its learned sessions, and those that were unlike them."""

    begun: float
    learned: Learned = msgspec.field(default_factory=Learned)
    odd: dict[str, Odd] = {}


class Memory(msgspec.Struct):
    """What outlives the process."""

    open: Open
    known: dict[str, Known]
    kinds: dict[str, Kept]
    budgets: dict[str, tuple[int, int]]


class LogSequencesDetector:
    """Claims sessions unlike any learned one."""

    name = "log_sequences"
    datasets: frozenset[str] | None = None

    def __init__(self, parameters: LogSequencesParameters) -> None:
        self._parameters = parameters
        self.remember(Memory(Open({}, {}), {}, {}, {}))

    def feed(self, events: Sequence[Event]) -> list[Alert]:
        """An alert for each session that ended unlike all learned ones."""
        return feed_each(self._take, events)

    def memory(self) -> Memory:
        """Open sessions, learned ones, templates, budgets."""
        for key, model in self._models.items():
            self._known[key].learned = model.state()
        return Memory(self._sessions.state(), dict(self._known), self._kinds.state(), dict(self._budgets))

    def remember(self, memory: Any) -> None:
        """Take up what an earlier process learned."""
        parameters = self._parameters
        self._sessions = LogSessions(
            parameters.sources,
            sessions_max=parameters.sessions_max,
            lines_max=parameters.lines_max,
            kept=memory.open,
        )
        self._known: OrderedDict[str, Known] = OrderedDict(memory.known)
        self._models = {key: parameters.model(known.learned) for key, known in memory.known.items()}
        self._kinds = LineKinds(
            programs_max=parameters.learned_max, templates_max=parameters.kinds_max * 2, kept=memory.kinds
        )
        self._budgets: OrderedDict[str, tuple[int, int]] = OrderedDict(memory.budgets)

    def _take(self, event: Event) -> list[Alert]:
        alerts = [alert for session in self._sessions.ended(event) for alert in self._judge(session)]
        line = self._sessions.line_of(event)
        if line is not None:
            kind = self._kinds.read(f"{event.unit}\0{line.source.name}", line.message).id
            ended = self._sessions.add(event, line, kind)
            alerts += [alert for session in ended for alert in self._judge(session)]
        return alerts

    def _judge(self, session: Session) -> list[Alert]:
        parameters = self._parameters
        key = f"{session.final.unit}\0{session.source}"
        known = self._known.pop(key, None) or Known(begun=session.begun)
        self._known[key] = known  # the one heard longest ago is first
        model = self._models.get(key)
        if model is None:
            model = self._models[key] = parameters.model()
        if len(self._known) > parameters.learned_max:
            del self._models[self._known.popitem(last=False)[0]]
        known.begun = min(known.begun, session.begun)
        verdict = model.judge(session.steps, session.last - session.begun)
        if (
            model.sessions < parameters.learning_sessions
            or session.last - known.begun < parameters.learning_days * _DAY
            or not model.is_rare(verdict, parameters.alert_one_in, parameters.unsettled_share)
        ):
            model.learn(verdict)
            return []
        day = int(session.last // _DAY)
        odd = self._odd(known, verdict, day)
        if odd.days > parameters.accepted_days:  # by now it is what this source does
            model.learn(verdict)
            return []
        if session.host in odd.hosts or len(odd.hosts) >= parameters.hosts_per_day:
            return []
        odd.hosts.append(session.host)
        return [self._alert(session, verdict, model.sessions)] if self._affordable(session, day) else []

    def _odd(self, known: Known, verdict: Verdict, day: int) -> Odd:
        """The account of sessions that are unlike the learned ones in the same way."""
        like = sha256(msgspec.msgpack.encode(verdict.oddities)).hexdigest()[:16]
        odd = known.odd.pop(like, None) or Odd()
        known.odd[like] = odd
        if len(known.odd) > _ODD_MAX:
            del known.odd[next(iter(known.odd))]
        if odd.days == 0 or day > odd.day:
            odd.days, odd.day, odd.hosts = odd.days + 1, day, []
        return odd

    def _affordable(self, session: Session, day: int) -> bool:
        """Whether the host has something left of its budget of the day."""
        key = f"{session.final.unit}\0{session.host}"
        before, told = self._budgets.get(key, (day, 0))
        told = told + 1 if before == day else 1
        self._budgets[key] = (day, told)
        self._budgets.move_to_end(key)
        if len(self._budgets) > _BUDGETS_MAX:
            self._budgets.popitem(last=False)
        return told <= self._parameters.per_day

    def _alert(self, session: Session, verdict: Verdict, sessions: int) -> Alert:
        said = [self._said(session, oddity) for oddity in verdict.oddities]
        events = (session.first, session.final) if session.first.id != session.final.id else (session.final,)
        return self._parameters.alert.alert(
            "special",
            entity=f"host:{session.host}",
            numbers={
                "host": session.host,
                "source": session.source,
                "lines": len(session.steps),
                "seconds": round(session.last - session.begun),
                "sessions": sessions,
                "odd_zh": "；".join(words.zh for words in said),
                "odd_en": "; ".join(words.en for words in said),
            },
            events=events,
            matched=shown(session.final, ("message", "process.name"), session.source),
        )

    def _said(self, session: Session, oddity: Oddity) -> Words:
        phrase = self._parameters.phrases[oddity.what]
        values: dict[str, Value] = {
            "step": self._step(session, oddity.kind),
            "after": self._step(session, oddity.after),
            "value": oddity.value,
            "near": oddity.near,
            "usual": f"{oddity.least}–{oddity.most}" if oddity.least < oddity.most else f"{oddity.most}",
        }
        return filled(Words(phrase.zh, phrase.en), session.final, values)

    def _step(self, session: Session, kind: str) -> str:
        """The words of a step, or its id where they were forgotten."""
        text = self._kinds.text(f"{session.final.unit}\0{session.source}", kind) or kind
        return text if len(text) <= _TEMPLATE_CHARS_MAX else text[: _TEMPLATE_CHARS_MAX - 1] + "…"
