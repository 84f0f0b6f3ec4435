"""Windows kept until there are enough to fit a model, and how far the learning is, in words."""

from typing import Final

import msgspec

from crypto.words import Words
from detection.anomaly.history import Day
from detection.anomaly.own import OwnMemory
from detection.anomaly.refit import Realised
from detection.anomaly.windows import KINDS, Closed, Kind, WindowParameters

KIND_WORDS: Final = {"host": Words("主机", "hosts"), "source": Words("网络来源", "network sources")}


def model_words(kind: str) -> Words:
    """A kind of model, with its peer group where it is of one."""
    of, _, group = kind.partition(".")
    named = next((words for name, words in KIND_WORDS.items() if name == of), Words(of, of))
    return Words(f"{named.zh}·{group}", f"{named.en}, {group}") if group else named


class Kept(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a kind with a model remembers: history to learn from again, and how its models fare."""

    days: dict[int, Day] = {}
    refitted: int = 0  # the day of the last refit, in days since 1970
    champion: Realised = msgspec.field(default_factory=Realised)
    challenger: Realised = msgspec.field(default_factory=Realised)
    outside: float = 0.0  # of the last refit: share of windows out of reach


class Learning(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What survives a restart while (and after) learning; kept as JSON with the pipeline's commit."""

    needed: int
    ready: list[Kind] = []
    rows: dict[Kind, list[tuple[int, tuple[float, ...]]]] = {}
    closed_until: dict[str, int] = {}
    known: dict[str, list[str]] = {}
    kept: dict[str, Kept] = {}  # by the kind of model, a peer group's is host.GROUP
    waiting: dict[str, dict[int, Day]] = {}  # of peer groups that have no model yet
    own: dict[Kind, OwnMemory] = {}

    def add(self, window: Closed, parameters: WindowParameters) -> bool:
        """Keep a window of a kind that has no model yet; True when there are enough to fit."""
        rows = self.rows.setdefault(window.kind, [])
        same = sum(start == window.start for start, _ in rows)
        if same < parameters.learning_rows_per_time and len(rows) < parameters.learning_rows_max:
            rows.append((window.start, window.values))
        return self.times(window.kind) >= self.needed

    def times(self, kind: Kind) -> int:
        """Different window times seen of a kind."""
        return len({start for start, _ in self.rows.get(kind, [])})

    def words(self) -> Words:
        """The state a person sees: ready, or "learning n/60 windows" by kind, or what does not fit."""
        waiting = [kind for kind in KINDS if kind not in self.ready]
        moved = {model_words(kind): one.outside for kind, one in self.kept.items() if one.outside > 0.0}
        if waiting:
            zh = ";".join(
                f"{KIND_WORDS[kind].zh} {self.times(kind)}/{self.needed} 个时间窗" for kind in waiting
            )
            en = "; ".join(
                f"{KIND_WORDS[kind].en} {self.times(kind)}/{self.needed} windows" for kind in waiting
            )
            return Words(f"学习中:{zh}", f"learning: {en}")
        if not moved:
            return Words("异常检测已启用", "anomaly detection is on")
        zh = "、".join(f"{words.zh} {outside:.0%}" for words, outside in moved.items())
        en = ", ".join(f"{outside:.0%} of {words.en}" for words, outside in moved.items())
        return Words(
            f"异常检测已启用;上次学习时超出可信变化幅度而未采用的时间窗:{zh}",
            f"anomaly detection is on; windows the last refit left out as beyond trusted change: {en}",
        )


def state_words(snapshot: bytes | None, needed: int) -> Words:
    """The same for another process, from the snapshot the pipeline committed (None before the first)."""
    if snapshot is None:
        return Learning(needed=needed).words()
    try:
        return msgspec.json.decode(snapshot, type=Learning).words()
    except msgspec.MsgspecError:
        return Words("异常检测状态未知", "the state of anomaly detection is unknown")


class Share(msgspec.Struct, frozen=True):
    """Of what is kept of a kind with models, what a page tells."""

    refitted: int = 0
    champion: Realised = msgspec.field(default_factory=Realised)
    challenger: Realised = msgspec.field(default_factory=Realised)
    outside: float = 0.0


class Standing(msgspec.Struct, frozen=True):
    """The same of all kinds, read from a snapshot without the rest of it."""

    needed: int = 0
    rows: dict[str, list[tuple[int, msgspec.Raw]]] = {}
    kept: dict[str, Share] = {}

    def times(self, kind: str) -> int:
        """Different window times seen of a kind that still learns."""
        return len({start for start, _ in self.rows.get(kind, [])})


def standing(snapshot: bytes | None) -> Standing:
    """How learning and models stand by the snapshot the pipeline committed; nothing where it says nothing."""
    try:
        return Standing() if snapshot is None else msgspec.json.decode(snapshot, type=Standing)
    except msgspec.MsgspecError:
        return Standing()
