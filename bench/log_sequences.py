"""Sequences of log events: what a simple model of counts and order finds, beside trivial baselines.

``python -m bench.log_sequences`` prints one JSON object a line. Data: ``../shared/data/anomaly/logseq``. Of
the normal sequences two thirds (by a hash of their place, so always the same) are learned from, one third is
tested; of the abnormal ones all are tested, and a part at the natural ratio (2.93 % of HDFS's blocks). The
limit is the greatest score of a held-out tenth of what is learned from: no label is used.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random  # noqa: TID251 -- a seeded one

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "anomaly" / "logseq"
SETS = {"hdfs_xu": 0.0293, "hdfs_loghub": 0.0293, "hdfs_logdeep": 0.0293, "openstack_loghub": 0.0}
Sequence_ = tuple[str, ...]
Scorer = Callable[[Sequence_], float]


def main() -> None:
    """One row per set, ratio and scorer."""
    for name, natural in SETS.items():
        for row in measured(name, natural):
            print(json.dumps(row), flush=True)


def measured(name: str, natural: float) -> Iterator[dict[str, object]]:
    """The scorers on one set, at the ratio of the files and at the natural one."""
    normal = read(name, "train")
    abnormal = read(name, "test_abnormal")
    apart = DATA / name / f"{name.partition('_')[0]}_test_normal"
    if apart.exists():
        learned, tested = normal, read(name, "test_normal")
    else:
        learned = [one for place, one in enumerate(normal) if _part(place) < 6]
        tested = [one for place, one in enumerate(normal) if _part(place) >= 6]
    some = abnormal
    if natural:
        count = round(len(tested) * natural / (1 - natural))
        some = Random(1).sample(abnormal, count)
    for scorer, make in SCORERS.items():
        begun = time.perf_counter()
        score, limit = make(learned)
        good = [score(one) for one in tested]
        bad = [score(one) for one in abnormal]
        seconds = time.perf_counter() - begun
        few = [score(one) for one in some]
        yield {
            "set": name,
            "scorer": scorer,
            "learned": len(learned),
            "normal": len(good),
            "abnormal": len(bad),
            "f1_files": f1(good, bad, limit),
            "f1_natural": f1(good, few, limit) if natural else None,
            "abnormal_natural": len(few) if natural else None,
            "false_alarms": sum(one > limit for one in good),
            "missed": sum(one <= limit for one in bad),
            "lines_per_second": round((sum(map(len, tested)) + sum(map(len, abnormal))) / seconds),
        }


def read(name: str, part: str) -> list[Sequence_]:
    """Sequences of one file; an id before the comma is left out."""
    path = DATA / name / f"{name.partition('_')[0]}_{part}"
    lines = path.read_text("utf-8").splitlines()
    return [tuple(line.rpartition(",")[2].split()) for line in lines if line.strip()]


def f1(good: list[float], bad: list[float], limit: float) -> float:
    """F1 of the abnormal ones in per cent."""
    hits, false = sum(one > limit for one in bad), sum(one > limit for one in good)
    return round(100 * 2 * hits / (hits + false + len(bad)), 2) if hits else 0.0


def _part(place: int) -> int:
    return sha256(str(place).encode()).digest()[0] % 9


def _split(learned: list[Sequence_]) -> tuple[list[Sequence_], list[Sequence_]]:
    held = learned[::10]
    return [one for place, one in enumerate(learned) if place % 10], held


def counts_and_order(learned: list[Sequence_]) -> tuple[Scorer, float]:
    """Kinds of events never seen, counts beyond their range, and followers never seen, one for each."""
    fitted, held = _split(learned)
    least: dict[str, int] = {}
    most: dict[str, int] = {}
    kinds = {kind for one in fitted for kind in one}
    follows = {pair for one in fitted for pair in zip(("^", *one), (*one, "$"), strict=True)}
    for one in fitted:
        counted = Counter(one)
        for kind in kinds:
            least[kind] = min(least.get(kind, 1 << 30), counted[kind])
            most[kind] = max(most.get(kind, 0), counted[kind])

    def score(one: Sequence_) -> float:
        counted = Counter(one)
        odd = sum(counted[kind] < least[kind] or counted[kind] > most[kind] for kind in kinds)
        odd += sum(kind not in kinds for kind in counted)
        return odd + sum(pair not in follows for pair in set(zip(("^", *one), (*one, "$"), strict=True)))

    return score, sorted(map(score, held))[int(0.99 * (len(held) - 1))]


def all_positive(_learned: list[Sequence_]) -> tuple[Scorer, float]:
    """Everything is abnormal."""
    return lambda _: 1.0, 0.0


def new_counts(learned: list[Sequence_]) -> tuple[Scorer, float]:
    """A vector of counts that was never seen."""
    seen = {frozenset(Counter(one).items()) for one in learned}
    return lambda one: float(frozenset(Counter(one).items()) not in seen), 0.0


def length(learned: list[Sequence_]) -> tuple[Scorer, float]:
    """Distance from the learned range of 1 % to 99 % of lengths."""
    sizes = sorted(map(len, learned))
    low, high = sizes[len(sizes) // 100], sizes[len(sizes) * 99 // 100]
    return lambda one: float(max(low - len(one), len(one) - high)), 0.0


def random(_learned: list[Sequence_]) -> tuple[Scorer, float]:
    """A coin."""
    lot = Random(7)
    return lambda _: lot.random(), 0.5


SCORERS: dict[str, Callable[[list[Sequence_]], tuple[Scorer, float]]] = {
    "counts_and_order": counts_and_order,
    "new_counts": new_counts,
    "length": length,
    "all_positive": all_positive,
    "random": random,
}

if __name__ == "__main__":
    main()
