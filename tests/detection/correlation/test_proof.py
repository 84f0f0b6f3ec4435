"""Proofs of correlations: a hit story, a miss story, silence on benign logs, parts proven with the whole."""

from pathlib import Path

from detection.correlation.proof import prove_correlations
from detection.sigma.load import load_all

LINE = (
    '{"logsource": {"category": "authentication"}, "fields": {"outcome": "failure", "user.name": "z"}, '
    '"time": "2026-01-01T00:00:%02dZ"}\n'
)
TEXT = """title: Failed
id: 00000000-0000-4000-8000-000000000001
name: failed
logsource: {category: authentication}
detection: {selection: {outcome: failure}, condition: selection}
---
title: Many
id: 00000000-0000-4000-8000-000000000003
name: many
correlation: {type: event_count, rules: [failed], group-by: [user.name], timespan: 10s, condition: {gte: 2}}
---
title: Again and again
id: 00000000-0000-4000-8000-000000000004
correlation: {type: event_count, rules: [many], group-by: [user.name], timespan: 1m, condition: {gte: 2}}
"""


def prepare(folder: Path, hit: list[int], miss: list[int], benign: list[int]) -> list[str]:
    rule = folder / "correlation" / "logins" / "again.yml"
    rule.parent.mkdir(parents=True)
    rule.write_text(TEXT, encoding="utf-8")
    samples = folder / "samples"
    for name, seconds in (("hit", hit), ("miss", miss)):
        path = samples / "correlation" / "logins" / "again" / f"{name}.ndjson"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(LINE % second for second in seconds), encoding="utf-8")
    (samples / "benign").mkdir()
    (samples / "benign" / "log.ndjson").write_text(
        "".join(LINE % second for second in benign), encoding="utf-8"
    )
    loaded = load_all([folder / "correlation"])
    assert not loaded.errors
    (proof,) = prove_correlations(loaded, samples)
    assert proof.rule.title.en == "Again and again"
    assert (proof.hits, proof.misses) == (len(hit), len(miss))
    return [error.code for error in proof.wrong]


def test_a_proven_correlation(tmp_path: Path) -> None:
    assert prepare(tmp_path, [21, 1, 22, 2], [1, 2, 3], [1]) == []


def test_an_unproven_one(tmp_path: Path) -> None:
    wrong = prepare(tmp_path, [1, 2], [1, 2, 21, 22], [1, 2, 21, 22])
    assert wrong == ["sample-surprise", "sample-surprise", "sample-benign"]


def test_missing_samples(tmp_path: Path) -> None:
    assert prepare(tmp_path, [], [1], []) == ["sample-missing"]
