"""Proofs of correlations: each brings a story that raises it (hit) and one that must not (miss).

A correlation rules/correlation/<stem>.yml has rules/samples/correlation/<stem>/{hit,miss}.ndjson,
with one event a line, in any order, times given. Correlations that only serve others in the same file are
proven with them. Benign logs raise nothing.
"""

from collections.abc import Sequence
from pathlib import Path

from crypto.words import BadInput, Words
from detection.correlation.detector import RuleDetector
from detection.correlation.rule import Correlation
from detection.sigma.errors import RuleError
from detection.sigma.load import Loaded
from detection.sigma.samples import Proof, read_samples, sample_folder
from sensors.event import Event


def prove_correlations(loaded: Loaded, samples: Path) -> list[Proof]:
    """The proof of every correlation that is not only a part of another in its file."""
    parts = {(one.path, name) for one in loaded.correlations for name in one.rules}
    wanted = [one for one in loaded.correlations if (one.path, one.id) not in parts]
    benign: list[Event] = []
    if wanted:
        for path in sorted((samples / "benign").glob("*.ndjson")):
            benign += _read(path, wanted[0], [])
    noisy = raised_by(loaded, benign)
    return [_proof(one, loaded, samples, noisy) for one in wanted]


def raised_by(loaded: Loaded, events: Sequence[Event]) -> frozenset[str]:
    """Ids of the rules and correlations that the events raise, taken as a whole story."""
    detector = RuleDetector(loaded.rules, loaded.correlations)
    return frozenset(alert.rule for alert in [*detector.feed(events), *detector.finish()])


def _proof(one: Correlation, loaded: Loaded, samples: Path, noisy: frozenset[str]) -> Proof:
    wrong: list[RuleError] = []
    counts: list[int] = []
    for name, expected in (("hit", True), ("miss", False)):
        path = sample_folder(one, samples) / f"{name}.ndjson"
        events = _read(path, one, wrong)
        counts.append(len(events))
        if events and (one.id in raised_by(loaded, events)) is not expected:
            wrong.append(_surprise(one, path, expected=expected))
    if one.id in noisy:
        wrong.append(_wrong(one, "sample-benign", "命中正常日志", "is raised by the benign logs"))
    return Proof(one, counts[0], counts[1], tuple(wrong))


def _read(path: Path, one: Correlation, wrong: list[RuleError]) -> list[Event]:
    try:
        events = read_samples(path)
    except BadInput as error:
        wrong.append(RuleError("sample-malformed", error.what, error.fix, path=error.field))
        return []
    except OSError:
        events = []
    if not events:
        wrong.append(_wrong(one, "sample-missing", f"缺少样例 {path}", f"has no sample {path}"))
    return events


def _surprise(one: Correlation, path: Path, *, expected: bool) -> RuleError:
    if expected:
        return _wrong(one, "sample-surprise", f"未被样例 {path} 触发", f"is not raised by {path}")
    return _wrong(one, "sample-surprise", f"被样例 {path} 误触发", f"is raised by {path}, which must not")


def _wrong(one: Correlation, code: str, zh: str, en: str) -> RuleError:
    return RuleError(
        code,
        Words(f"关联“{one.title.zh}”{zh}", f"correlation “{one.title.en}” {en}"),
        Words("请改正关联或样例", "correct the correlation or the sample"),
        path=one.path,
        line=one.line,
    )
