"""Trains the model of names that rules/anomaly ships, and measures it on families it has never seen.

``python -m bench.train_name_model [--write]``. Names made by programs are staged here (uniform letters,
letters and digits, hexadecimal, few letters, syllables); no list of malware names is trained on, so all in
``../shared/data/anomaly/dga`` is unseen. Chosen names: a list of popular names of 2013 (MIT), and staged
Chinese ones: syllables and initials under Chinese suffixes. What to stage and how to fit was chosen on staged
names held out by their way of making, never on the families. Prints one JSON object a line.
"""

import csv
import gzip
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random  # noqa: TID251 -- a seeded one

import numpy as np
from scipy.sparse import csr_matrix, hstack  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression

from crypto.sm3 import sm3
from detection.special.name_model import BUCKETS, NameModel, features
from detection.special.names import parted

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "anomaly" / "dga"
FOLDER = ROOT / "rules" / "anomaly"
SCALE = 256
MADE = 45_000
GRADES, TIED = 9, 0.5
CHINESE = 30_000
TOPS = [
    "com",
    "net",
    "org",
    "info",
    "biz",
    "ru",
    "cc",
    "top",
    "xyz",
    "tk",
    "kz",
    "cn",
    "in",
    "su",
    "pw",
    "me",
    "eu",
    "ws",
    "tv",
    "club",
    "online",
    "work",
    "site",
    "us",
    "to",
    "nu",
    "la",
    "co",
    "name",
    "mobi",
    "at",
    "de",
    "fr",
    "ir",
    "space",
    "live",
    "click",
    "pro",
    "ga",
    "ml",
    "cf",
    "gq",
    "icu",
    "vip",
    "shop",
    "com.cn",
]
INITIALS = [
    "b",
    "p",
    "m",
    "f",
    "d",
    "t",
    "n",
    "l",
    "g",
    "k",
    "h",
    "j",
    "q",
    "x",
    "zh",
    "ch",
    "sh",
    "r",
    "z",
    "c",
    "s",
    "y",
    "w",
]
FINALS = [
    "a",
    "ai",
    "an",
    "ang",
    "ao",
    "e",
    "ei",
    "en",
    "eng",
    "i",
    "ia",
    "ian",
    "iang",
    "iao",
    "ie",
    "in",
    "ing",
    "iu",
    "o",
    "ong",
    "ou",
    "u",
    "ua",
    "uan",
    "uang",
    "ui",
    "un",
    "uo",
]
VOWELS, CONSONANTS = "aeiou", "bcdfghjklmnpqrstvwxyz"


def main() -> None:
    """Train, measure, and write the files where asked."""
    lot = Random(20_261_122)
    popular = sorted(set(_popular()))
    lot.shuffle(popular)
    cut = len(popular) * 6 // 10
    chosen = popular[:cut] + list(_chinese(CHINESE, lot))
    made = list(_made(MADE, lot))
    begun = time.perf_counter()
    model, weights, bias = _fit(chosen, made)
    fit_seconds = time.perf_counter() - begun
    unseen = popular[cut:]
    measured = _measure(model, unseen)
    print(json.dumps({"fit_seconds": round(fit_seconds, 1), "chosen": len(chosen), "made": len(made)}))
    if "--write" in sys.argv:
        body = weights.astype("<i2").tobytes()
        (FOLDER / "names.i16").write_bytes(body)
        manifest = {
            "file": "names.i16",
            "sm3": sm3(body).hex(),
            "bias": bias,
            "scale": SCALE,
            "sources": [
                "popular names of 2013: github.com/SuperCowPowers/data_hacking, MIT, 60 % of 100,000",
                "Chinese names and names made by programs: staged by bench/train_name_model.py",
            ],
            "measured": measured,
        }
        (FOLDER / "names.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _fit(chosen: list[str], made: list[str]) -> tuple[NameModel, np.ndarray, int]:
    """Weights of runs, each with a share that only how common the run is among chosen names decides.

    That share holds for runs never seen in training as well. Commonness is counted on the other half of the
    chosen names, so that no name's own runs look common because of it.
    """
    owner, index = features([*chosen, *made])
    rows = len(chosen) + len(made)
    matrix = csr_matrix((np.ones(len(owner), np.float32), (owner, index)), shape=(rows, BUCKETS))
    half = np.arange(rows) % 2
    of_chosen = matrix[: len(chosen)]
    counts = [np.asarray(of_chosen[half[: len(chosen)] == one].sum(0)).ravel() for one in (0, 1)]
    grades = np.stack([_grade(one) for one in counts])
    common = csr_matrix(
        (np.full(len(owner), TIED, np.float32), (owner, grades[1 - half[owner], index])), shape=(rows, GRADES)
    )
    labels = np.r_[np.zeros(len(chosen)), np.ones(len(made))]
    fitted = LogisticRegression(C=1.0, max_iter=60, solver="liblinear", tol=1e-3, random_state=0)
    fitted.fit(hstack([matrix, common]).tocsr(), labels)
    own, shared = fitted.coef_[0][:BUCKETS], fitted.coef_[0][BUCKETS:]
    together = own + TIED * shared[_grade((counts[0] + counts[1]) / 2)]
    weights = np.clip(np.rint(together * SCALE), -32_000, 32_000).astype(np.int16)
    bias = round(float(fitted.intercept_[0]) * SCALE)
    return NameModel(weights, bias, SCALE), weights, bias


def _grade(counts: np.ndarray) -> np.ndarray:
    """How common, from 0 for never to GRADES - 1, in powers of two."""
    return np.asarray(np.minimum(GRADES - 1, np.ceil(np.log2(counts + 1))), np.int64)


def _measure(model: NameModel, unseen: list[str]) -> dict[str, float]:
    benign = np.array(model.scores(unseen))
    limits = {rate: float(np.quantile(benign, 1 - rate)) for rate in (0.001, 0.01)}
    families = _families()
    found = {
        rate: {
            name: float((np.array(model.scores(sorted(names))) > limit).mean())
            for name, names in families.items()
        }
        for rate, limit in limits.items()
    }
    for name in sorted(families):
        print(
            json.dumps({"family": name, "names": len(families[name]), "tpr_01": round(found[0.001][name], 3)})
        )
    fresh = list(_chinese(20_000, Random(7)))
    government = [name for name in fresh if name.endswith("gov.cn")]
    begun = time.perf_counter()
    model.scores(unseen)
    row = {
        "limit_01": limits[0.001],
        "macro_tpr_01": sum(found[0.001].values()) / len(families),
        "macro_tpr_1": sum(found[0.01].values()) / len(families),
        "fpr_chinese": float((np.array(model.scores(fresh)) > limits[0.001]).mean()),
        "fpr_gov_cn": float((np.array(model.scores(government)) > limits[0.001]).mean()),
        "names_per_second": round(len(unseen) / (time.perf_counter() - begun)),
    }
    row = {name: round(value, 5) for name, value in row.items()}
    print(json.dumps({**row, "families": len(families), "unseen_benign": len(unseen)}))
    del row["names_per_second"]
    return row


def _popular() -> Iterator[str]:
    with gzip.open(DATA / "benign_alexa_100k.csv.gz", "rt") as file:
        yield from (parted(row[1])[1] for row in csv.reader(file) if "." in row[1])


def _families() -> dict[str, set[str]]:
    """Registered names by family, those of at least twenty names."""
    families: dict[str, set[str]] = defaultdict(set)
    with gzip.open(DATA / "dga_dev.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            families[row["family"]].add(row["domain"])
    return {name: names for name, names in families.items() if len(names) >= 20}


def _chinese(count: int, lot: Random) -> Iterator[str]:
    """Names of syllables or of their initials, some with a year or number, under Chinese suffixes."""
    for _ in range(count):
        parts = [lot.choice(INITIALS) + lot.choice(FINALS) for _ in range(lot.randrange(1, 5))]
        tail = lot.choice(("gov.cn", "gov.cn", "cn", "com.cn", "com", "org.cn", "edu.cn", "js.cn", "net"))
        if lot.random() < 0.35:
            size = (
                lot.randrange(3, 8)
                if tail in ("gov.cn", "edu.cn", "js.cn", "org.cn")
                else lot.randrange(2, 6)
            )
            head = "".join(lot.choice(INITIALS)[0] for _ in range(size))
        else:
            head = "".join(parts)
        if lot.random() < 0.12:
            head += lot.choice(("123", "168", "365", "88", "12345", "12320", "12333", "2026", "1", "5"))
        yield f"{head}.{tail}"


def _made(count: int, lot: Random) -> Iterator[str]:
    letters = VOWELS + CONSONANTS
    for number in range(count):
        size, kind = lot.randrange(6, 26), number % 6
        if kind == 0:
            head = "".join(lot.choice(letters) for _ in range(size))
        elif kind == 1:
            head = "".join(lot.choice(letters + "0123456789") for _ in range(size))
        elif kind == 2:
            head = "".join(lot.choice("0123456789abcdef") for _ in range(lot.choice((8, 12, 16, 20, 24, 32))))
        elif kind == 3:
            head = "".join(lot.choice(CONSONANTS) + lot.choice(VOWELS) for _ in range(size // 2))
        elif kind == 4:
            few = lot.sample(letters, lot.randrange(8, 18))
            head = "".join(lot.choice(few) for _ in range(size))
        else:
            head = "".join(lot.choice(CONSONANTS if lot.random() < 0.75 else VOWELS) for _ in range(size))
        yield f"{head}.{lot.choice(TOPS)}"


if __name__ == "__main__":
    main()
