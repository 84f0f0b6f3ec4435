"""Windows kept until there are enough to fit a model, and how far the learning is, in words."""

import msgspec

from crypto.words import Words
from detection.anomaly.windows import KINDS, Closed, Kind, WindowParameters

_KIND_WORDS = {"host": Words("主机", "hosts"), "source": Words("网络来源", "network sources")}


class Learning(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What survives a restart while (and after) learning; kept as JSON with the pipeline's commit."""

    needed: int
    ready: list[Kind] = []
    rows: dict[Kind, list[tuple[int, tuple[float, ...]]]] = {}
    closed_until: dict[str, int] = {}
    known: dict[str, list[str]] = {}

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
        """The state a person sees: ready, or "learning n/60 windows" by kind."""
        waiting = [kind for kind in KINDS if kind not in self.ready]
        if not waiting:
            return Words("异常检测已启用", "anomaly detection is on")
        zh = ";".join(f"{_KIND_WORDS[kind].zh} {self.times(kind)}/{self.needed} 个时间窗" for kind in waiting)
        en = "; ".join(f"{_KIND_WORDS[kind].en} {self.times(kind)}/{self.needed} windows" for kind in waiting)
        return Words(f"学习中:{zh}", f"learning: {en}")


def state_words(snapshot: bytes | None, needed: int) -> Words:
    """The same for another process, from the snapshot the pipeline committed (None before the first)."""
    if snapshot is None:
        return Learning(needed=needed).words()
    try:
        return msgspec.json.decode(snapshot, type=Learning).words()
    except msgspec.MsgspecError:
        return Words("异常检测状态未知", "the state of anomaly detection is unknown")
