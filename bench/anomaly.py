"""Anomaly scoring on labelled flow records: ranking, false positives and speed. ``python -m bench.anomaly``.

Protocol: fit on benign rows only; equal rows dropped across every split; NSL-KDD by its own train and test
files, UNSW-NB15 by a digest of the row (two quarters fit, one is the benign test; attacks: half), once with
distinct rows only and once with equal rows kept within a side; thresholds from held-out benign rows of the
fit, never from the test; one configuration for all, that of the product (docs/benchmarks.md: how chosen).
"""

import argparse
import csv
import gzip
import hashlib
import io
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zstandard
from sklearn.metrics import average_precision_score, roc_auc_score

from detection.anomaly.encoding import Array
from detection.anomaly.ensemble import Ensemble
from detection.anomaly.model import EnsembleParameters, fit
from detection.parameters import read_parameters, shipped

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "anomaly"
DRAWS = 5
ROUNDS = 15


class Rows(NamedTuple):
    """Labels (text) and counts of some records."""

    labels: list[list[str]]
    values: Array


class Split(NamedTuple):
    """One set: what is fitted on, benign and attacks to test, and the kind of each attack."""

    name: str
    fit: Rows
    benign: Rows
    attacks: Rows
    kinds: list[str]


def nsl() -> Split:
    """NSL-KDD: normal rows of the 20 % training file, all of the test file."""

    def read(name: str) -> list[list[str]]:
        with gzip.open(DATA / "nsl-kdd" / name, "rt", encoding="utf-8") as file:
            return [row for row in csv.reader(file) if row]

    def rows(table: list[list[str]]) -> Rows:
        counts = [[float(one) for i, one in enumerate(row[:41]) if i not in (1, 2, 3)] for row in table]
        return Rows([row[1:4] for row in table], np.array(counts))

    learned = [row for row in read("KDDTrain+_20Percent.txt.gz") if row[41] == "normal"]
    seen = {tuple(row[:41]) for row in learned}
    test = [row for row in read("KDDTest+.txt.gz") if tuple(row[:41]) not in seen]
    attacks = [row for row in test if row[41] != "normal"]
    kinds = dict(csv.reader((DATA / "nsl-kdd" / "attack_types.csv").read_text().split()))
    return Split(
        "NSL-KDD train20 -> Test+",
        rows(learned),
        rows([row for row in test if row[41] == "normal"]),
        rows(attacks),
        [kinds.get(row[41], row[41]) for row in attacks],
    )


def unsw(*, distinct: bool) -> Split:
    """UNSW-NB15, split by a digest of the row: equal rows are never on two sides, ``distinct``: nor twice."""
    packed = DATA / "unsw-nb15" / "UNSW_NB15_training-set.dev.csv.zst"
    with packed.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file).read().decode("utf-8-sig")
    table = [tuple(row[1:]) for row in list(csv.reader(io.StringIO(text)))[1:] if row]
    parts: dict[tuple[bool, int], list[tuple[str, ...]]] = {}
    for row in dict.fromkeys(table) if distinct else table:
        quarter = int(hashlib.md5(",".join(row).encode(), usedforsecurity=False).hexdigest()[:8], 16) % 4
        parts.setdefault((row[43] == "1", quarter), []).append(row)

    def rows(table: list[tuple[str, ...]]) -> Rows:
        counts = [[float(one) for i, one in enumerate(row[:42]) if i not in (1, 2, 3)] for row in table]
        return Rows([list(row[1:4]) for row in table], np.array(counts))

    attacks = parts[True, 1] + parts[True, 3]
    return Split(
        "UNSW-NB15 part, " + ("distinct rows" if distinct else "duplicates dropped across the split only"),
        rows(parts[False, 0] + parts[False, 1]),
        rows(parts[False, 3]),
        rows(attacks),
        [row[42] for row in attacks],
    )


def figures(benign: Array, attacks: Array, thresholds: dict[str, float] | None = None) -> dict[str, float]:
    """AUROC, AP at 1 % and 0.1 % attacks, recall where 1 % and 0.1 % of the benign test rows score higher.

    With ``thresholds`` (from held-out rows of the fit) also the realised shares and the recall at them.
    """
    labels = np.r_[np.zeros(len(benign)), np.ones(len(attacks))]
    found = {"AUROC": float(roc_auc_score(labels, np.r_[benign, attacks]))}
    for name, share in (("AP 1%", 0.01), ("AP 0.1%", 0.001)):
        count = max(round(len(benign) * share / (1 - share)), 3)
        draws = []
        for seed in range(DRAWS):
            chosen = np.random.default_rng(seed).choice(len(attacks), count, replace=False)
            few = np.r_[np.zeros(len(benign)), np.ones(count)]
            draws.append(average_precision_score(few, np.r_[benign, attacks[chosen]]))
        found[name] = float(np.mean(draws))
    ordered = np.sort(benign)
    for name, share in (("R@1%", 0.99), ("R@0.1%", 0.999)):
        found[name] = float((attacks > ordered[int(share * len(ordered))]).mean())
    for name, threshold in (thresholds or {}).items():
        found[f"realised FPR at {name}"] = float((benign > threshold).mean())
        found[f"recall at {name}"] = float((attacks > threshold).mean())
    return {name: round(value, 4) for name, value in found.items()}


def _fitted(rows: Rows) -> Ensemble:
    parameters = read_parameters(shipped("ensemble.toml"), EnsembleParameters)
    order = np.random.default_rng(0).permutation(len(rows.values))  # these sets have no time
    names = tuple(f"n{i}" for i in range(rows.values.shape[1]))
    labels = [rows.labels[i] for i in order]
    return fit(rows.values[order], names, parameters, labels=labels, label_names=("a", "b", "c"))


def contaminated(split: Split) -> dict[str, Any]:
    """The ensemble where 1 % of what it was fitted on are attacks, which are then not tested."""
    count = len(split.fit.values) // 99
    order = np.random.default_rng(0).permutation(len(split.attacks.values))
    within, rest = order[:count], order[count:]
    learned = Rows(
        split.fit.labels + [split.attacks.labels[i] for i in within],
        np.vstack([split.fit.values, split.attacks.values[within]]),
    )
    ensemble = _fitted(learned)
    benign = ensemble.surprises(split.benign.values, split.benign.labels)
    attacks = ensemble.surprises(split.attacks.values[rest], [split.attacks.labels[i] for i in rest])
    name = "ensemble, 1 % of the fit are attacks"
    return {"set": split.name, "detector": name, **figures(benign, attacks)}


def ours(split: Split) -> Iterator[dict[str, Any]]:
    """The ensemble, its members by themselves, the first tier, and recall by kind of attack."""
    begun = time.process_time()
    ensemble = _fitted(split.fit)
    took = time.process_time() - begun
    benign = ensemble.judge(split.benign.values, split.benign.labels)
    attacks = ensemble.judge(split.attacks.values, split.attacks.labels)
    row = {"set": split.name, "detector": "ensemble"}
    nominal = {"nominal 1%": 2.0, "nominal 0.1%": 3.0}
    yield {**row, **figures(benign.surprise, attacks.surprise, nominal), "fit s": round(took, 1)}
    points = [ensemble.encoder.points(one.values, one.labels) for one in (split.benign, split.attacks)]
    for name, member in ensemble.members.items():
        alone = [member.tail.surprises(member.scorer.score(one)) for one in points]
        yield {**row, "detector": f"member {name}", **figures(alone[0], alone[1])}
    screened = (ensemble.screen(one.values, one.labels) for one in (split.benign, split.attacks))
    yield {**row, "detector": "first tier", **figures(next(screened), next(screened))}
    kinds = np.array(split.kinds)
    yield {
        **row,
        "detector": "ensemble, recall at nominal 1% by kind",
        **{
            kind: round(float((attacks.surprise[kinds == kind] > 2.0).mean()), 3)
            for kind in sorted(set(split.kinds))
        },
    }
    whole = ensemble.scores(split.benign.values[:500], split.benign.labels[:500])
    singly = [
        float(ensemble.scores(split.benign.values[i : i + 1], split.benign.labels[i : i + 1])[0])
        for i in range(500)
    ]
    flood = ensemble.scores(np.tile(split.attacks.values[:1], (5_000, 1)), [split.attacks.labels[0]] * 5_000)
    single = ensemble.scores(split.attacks.values[:1], split.attacks.labels[:1])
    yield {
        **row,
        "detector": "ensemble, batch independence",
        "alone - in 500": float(np.abs(whole - singly).max()),
        "alone - among 5,000 of itself": float(np.abs(flood - single).max()),
    }
    yield contaminated(split)


def peers(split: Split) -> Iterator[dict[str, Any]]:
    """Trivial baselines, and PyOD's detectors as they ship, on rarity-coded and standardised columns."""
    from pyod.models.ecod import ECOD
    from pyod.models.iforest import IForest
    from pyod.models.knn import KNN

    learned, benign, attacks = (_plain(split.fit, rows) for rows in (split.fit, split.benign, split.attacks))
    lot = np.random.default_rng(1)
    trivial: dict[str, Callable[[Array], Array]] = {
        "all-positive": lambda rows: np.ones(len(rows)),
        "random": lambda rows: lot.random(len(rows)),
        "count (sum of all columns)": lambda rows: rows.sum(axis=1),
        "length (mean distance from the mean)": lambda rows: np.abs(rows).mean(axis=1),
    }
    for name, score in trivial.items():
        yield {"set": split.name, "detector": name, **figures(score(benign), score(attacks))}
    for name, detector in (
        ("PyOD IForest", IForest(random_state=0)),
        ("PyOD KNN, all rows", KNN(n_neighbors=3)),
        ("PyOD ECOD as shipped", ECOD()),
    ):
        detector.fit(learned)
        both = detector.decision_function(np.vstack([benign, attacks]))
        found = figures(both[: len(benign)], both[len(benign) :])
        yield {"set": split.name, "detector": name, **found}
    yield from _optional_peers(split.name, learned, benign, attacks)


def _optional_peers(name: str, learned: Array, benign: Array, attacks: Array) -> Iterator[dict[str, Any]]:
    """river where it is installed (``uv run --with river``)."""
    try:
        from river.anomaly import HalfSpaceTrees  # type: ignore[import-not-found]
    except ImportError:
        yield {"set": name, "detector": "river HalfSpaceTrees", "skipped": "not installed"}
    else:
        low, high = learned.min(axis=0), learned.max(axis=0)
        trees = HalfSpaceTrees(n_trees=25, height=8, window_size=1_000, seed=0)

        def scaled(rows: Array) -> list[dict[int, float]]:
            unit = np.clip((rows - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
            return [dict(enumerate(row)) for row in unit.tolist()]

        for one in scaled(learned[:4_000]):
            trees.learn_one(one)
        usual, strange = (
            np.array([trees.score_one(one) for one in scaled(rows[:3_000])]) for rows in (benign, attacks)
        )
        yield {"set": name, "detector": "river HalfSpaceTrees, 3,000 rows each", **figures(usual, strange)}


def _plain(fitted: Rows, rows: Rows) -> Array:
    """Rarity of labels, logarithm of counts, standardised by the fit."""

    def raw(one: Rows) -> Array:
        rare = []
        for at in range(len(fitted.labels[0])):
            found, counts = np.unique([row[at] for row in fitted.labels], return_counts=True)
            table = dict(zip(found.tolist(), (-np.log(counts / len(fitted.labels))).tolist(), strict=True))
            rare.append([table.get(row[at], np.log(2.0 * len(fitted.labels))) for row in one.labels])
        return np.hstack([np.array(rare).T, np.sign(one.values) * np.log1p(np.abs(one.values))])

    learned = raw(fitted)
    spread = learned.std(axis=0)
    return np.asarray((raw(rows) - learned.mean(axis=0)) / np.where(spread < 1e-6, 1.0, spread))


def speed() -> Iterator[dict[str, Any]]:
    """Rows a second of processor time, batches of 1,000 rows of 42 counts; the best of ROUNDS."""
    from pyod.models.iforest import IForest

    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(42, 42)) / 6.0
    learned = np.expm1(np.abs(generator.normal(size=(13_000, 42)) @ mixing * 3.0))
    parameters = read_parameters(shipped("ensemble.toml"), EnsembleParameters)
    ensemble = fit(learned, tuple(f"n{i}" for i in range(42)), parameters)
    forest = IForest(random_state=0).fit(learned[:5_000])
    batch = np.ascontiguousarray(learned[:1_000])
    work: dict[str, Callable[[], object]] = {
        "ensemble: p-values and top 3 reasons": lambda: ensemble.judge(batch),
        "ensemble: p-values, top 3 reasons of rows rarer than 1 in 100": lambda: ensemble.judge(
            batch, reasons_from=2.0
        ),
        "first tier": lambda: ensemble.screen(batch),
        "first tier, then the ensemble for its top 5 %": lambda: _cascade(ensemble, batch),
        "PyOD IForest, scores only": lambda: forest.decision_function(batch),
    }
    for name, run in work.items():
        taken = []
        for _ in range(ROUNDS):
            begun = time.process_time()
            run()
            taken.append(time.process_time() - begun)
        yield {
            "speed": name,
            "rows/s, best": round(1_000 / min(taken)),
            "rows/s, median": round(1_000 / sorted(taken)[ROUNDS // 2]),
        }


def _cascade(ensemble: Any, batch: Array) -> object:
    screened = ensemble.screen(batch)
    return ensemble.judge(batch[screened >= np.quantile(screened, 0.95)])


def main() -> int:
    """Print a row for each set and detector, then speeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-peers", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    if not DATA.is_dir():
        sys.stdout.write(json.dumps({"skipped": f"{DATA} is absent"}) + "\n")
    else:
        for split in (nsl(), unsw(distinct=True), unsw(distinct=False)):
            for row in ours(split):
                sys.stdout.write(json.dumps(row) + "\n")
                sys.stdout.flush()
            for row in () if chosen.no_peers else peers(split):
                sys.stdout.write(json.dumps(row) + "\n")
                sys.stdout.flush()
    for row in speed():
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
