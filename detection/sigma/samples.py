"""Proofs of rules: each brings events it must match (hit) and must not (miss), and is silent on benign ones.

A rule rules/sigma/<folder>/<stem>.yml has rules/samples/<folder>/<stem>/{hit,miss}.ndjson; benign logs lie
in rules/samples/benign/*.ndjson. A line is an Event, or the short form with ``logsource`` and ``fields``,
and ``native`` and ``time`` where they matter.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.words import BadInput, Words
from detection.sigma.detector import SigmaDetector
from detection.sigma.errors import RuleError
from detection.sigma.rule import Heading, Rule
from sensors.event import EVENT_BYTES_MAX, Event, LogSource, Observation, Value, decode, stamp

SAMPLE_BYTES_MAX: Final = 64 * 1024 * 1024
_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)  # of a sample line that gives none


class _Short(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sample line that leaves out what every event gets from its sensor."""

    logsource: LogSource
    fields: dict[str, Value]
    native: dict[str, Value] = {}
    time: datetime = _TIME


class Proof(msgspec.Struct, frozen=True):
    """How a rule or correlation fared on its samples; ``wrong`` is empty where all is well."""

    rule: Heading
    hits: int
    misses: int
    wrong: tuple[RuleError, ...]


_short_lines: Final = msgspec.json.Decoder(_Short)


def prove(rules: Sequence[Rule], samples: Path) -> list[Proof]:
    """The proof of every rule, in order, benign silence included."""
    benign, unreadable = _benign(samples / "benign")
    noisy = _noisy(rules, benign)
    proofs = [_proof(rule, samples, noisy.get(rule.id, [])) for rule in rules]
    if unreadable and proofs:
        first = proofs[0]
        proofs[0] = msgspec.structs.replace(first, wrong=(*first.wrong, *unreadable))
    return proofs


def sample_folder(rule: Heading, samples: Path) -> Path:
    """Where the samples of a rule lie: the part of its path behind ``sigma`` or from ``correlation`` on,
    without the suffix."""
    parts = Path(rule.path).with_suffix("").parts
    places = [at for at, part in enumerate(parts[:-1]) if part in ("sigma", "correlation")]
    if not places:
        return samples / parts[-1]
    last = places[-1]
    return samples.joinpath(*parts[last if parts[last] == "correlation" else last + 1 :])


def read_samples(path: Path) -> list[Event]:
    """The events of a sample file, in order. Raises BadInput with "file:line"."""
    if path.stat().st_size > SAMPLE_BYTES_MAX:
        raise _bad(path, 1, f"> {SAMPLE_BYTES_MAX} bytes")
    events: list[Event] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        if line.strip():
            events.append(_sample(line, path, number))
    return events


def _sample(line: bytes, path: Path, number: int) -> Event:
    if len(line) > EVENT_BYTES_MAX:
        raise _bad(path, number, f"> {EVENT_BYTES_MAX} bytes")
    try:
        if b'"id"' in line[:16]:
            return decode(line)
        short = _short_lines.decode(line)
    except (msgspec.MsgspecError, BadInput, UnicodeDecodeError) as error:
        raise _bad(path, number, error.what.en if isinstance(error, BadInput) else str(error)) from None
    if short.time.tzinfo is None:
        raise _bad(path, number, "time has no zone; write RFC 3339 with Z")
    seen = Observation(time=short.time, logsource=short.logsource, fields=short.fields, native=short.native)
    return stamp(seen, unit="sample", sensor="sample", epoch=0, sequence=number)


def _proof(rule: Rule, samples: Path, noisy: list[str]) -> Proof:
    folder = sample_folder(rule, samples)
    detector = SigmaDetector([rule])
    wrong: list[RuleError] = []
    counts: list[int] = []
    for name, expected in (("hit", True), ("miss", False)):
        path = folder / f"{name}.ndjson"
        events = _read(path, rule, wrong)
        counts.append(len(events))
        for number, event in enumerate(events, start=1):
            if bool(detector.matching(event)) is not expected:
                wrong.append(_surprise(rule, path, number, event, expected=expected))
    wrong += [_benign_match(rule, place) for place in noisy]
    return Proof(rule, counts[0], counts[1], tuple(wrong))


def _read(path: Path, rule: Rule, wrong: list[RuleError]) -> list[Event]:
    try:
        events = read_samples(path)
    except BadInput as error:
        wrong.append(RuleError("sample-malformed", error.what, error.fix, path=error.field))
        return []
    except OSError:
        events = []
    if not events:
        wrong.append(
            RuleError(
                "sample-missing",
                Words(f"规则 {rule.title.zh} 缺少样例 {path}", f"rule {rule.title.en} has no sample {path}"),
                Words("请写至少一行样例事件", "write at least one sample event"),
                path=rule.path,
                line=rule.line,
            )
        )
    return events


def _benign(folder: Path) -> tuple[list[tuple[str, Event]], list[RuleError]]:
    events: list[tuple[str, Event]] = []
    wrong: list[RuleError] = []
    for path in sorted(folder.glob("*.ndjson")):
        try:
            found = read_samples(path)
        except BadInput as error:
            wrong.append(RuleError("sample-malformed", error.what, error.fix, path=error.field))
            continue
        events += [(f"{path}:{number}", event) for number, event in enumerate(found, start=1)]
    return events, wrong


def _noisy(rules: Sequence[Rule], benign: list[tuple[str, Event]]) -> dict[str, list[str]]:
    detector = SigmaDetector(rules)
    noisy: dict[str, list[str]] = {}
    for place, event in benign:
        for rule in detector.matching(event):
            noisy.setdefault(rule.id, []).append(place)
    return noisy


def _surprise(rule: Rule, path: Path, number: int, event: Event, *, expected: bool) -> RuleError:
    given = " ".join(word for word in msgspec.structs.astuple(event.logsource) if word)
    if expected:
        what = Words(
            f"规则“{rule.title.zh}”没有命中样例 {path}:{number}(日志源 {given})",
            f"rule “{rule.title.en}” does not match {path}:{number} (log source {given})",
        )
    else:
        what = Words(
            f"规则“{rule.title.zh}”误命中样例 {path}:{number}",
            f"rule “{rule.title.en}” matches {path}:{number}, which it must not",
        )
    fix = Words("请改正规则或样例", "correct the rule or the sample")
    return RuleError("sample-surprise", what, fix, path=rule.path, line=rule.line)


def _benign_match(rule: Rule, place: str) -> RuleError:
    return RuleError(
        "sample-benign",
        Words(f"规则“{rule.title.zh}”命中正常日志 {place}", f"rule “{rule.title.en}” matches benign {place}"),
        Words("请收紧规则", "narrow the rule"),
        path=rule.path,
        line=rule.line,
    )


def _bad(path: Path, number: int, reason: str) -> BadInput:
    return BadInput(
        "sample-malformed",
        Words(f"样例不合格式:{reason}", f"malformed sample: {reason}"),
        Words("每行一个 JSON 事件", "one JSON event a line"),
        field=f"{path}:{number}",
    )
