"""The state of all correlations as bytes, and back: MessagePack of plain values, read strictly.

A correlation whose meaning changed since starts anew; so does everything where the bytes are not ours.
"""

from contextlib import suppress
from typing import Any, Final

import msgspec

from crypto.words import BadInput
from detection.correlation.closing import Closing
from detection.correlation.correlator import Correlator, Running, meaning
from detection.correlation.keyed import Finding, Series, unpacked
from detection.correlation.mark import micros_in
from detection.correlation.reorder import Reordered, Waiting
from sensors.event import decode, encode

VERSION: Final = 1


class _Key(msgspec.Struct, array_like=True, frozen=True):
    """One key: ``opened`` of a window, ``raised`` of a series; few events have neither."""

    key: str
    marks: list[bytes]
    whats: list[Any]
    raised: dict[int, bytes]
    opened: int
    series: bool


class _One(msgspec.Struct, array_like=True, frozen=True):
    """One correlation."""

    id: str
    meaning: str
    keys: list[_Key]
    waiting: list[Waiting]
    reached: int
    findings: list[Finding]
    counts: tuple[int, int, int, int, int]


class _All(msgspec.Struct, array_like=True, frozen=True):
    """All correlations."""

    version: int
    newest: int
    told: int
    told_of: int
    ones: list[_One]
    evidence: list[tuple[bytes, bytes]]


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(_All)


def snapshot_of(correlator: Correlator) -> bytes:
    """Everything the correlator holds, as of its last ``settle``."""
    whole = _All(
        version=VERSION,
        newest=correlator.newest,
        told=correlator.told,
        told_of=correlator.told_of,
        ones=[_one(running) for running in correlator.running.values()],
        evidence=[(mark, encode(event)) for mark, event in correlator.evidence.items()],
    )
    return _encoder.encode(whole)


def recall_into(correlator: Correlator, snapshot: bytes) -> bool:
    """Take up a state into a new correlator; False where the bytes are not a state of this version."""
    try:
        whole = _decoder.decode(snapshot)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    if whole.version != VERSION:
        return False
    correlator.newest, correlator.told, correlator.told_of = whole.newest, whole.told, whole.told_of
    for one in whole.ones:
        running = correlator.running.get(one.id)
        if running is not None and one.meaning == meaning(running.rule):
            _restore(running, one)
    for mark, line in whole.evidence:
        with suppress(BadInput):  # then the alert only shows less
            correlator.evidence.remember(mark, decode(line))
    return True


def _one(running: Running) -> _One:
    machine = running.machine
    keyed = machine.keyed
    return _One(
        id=running.rule.id,
        meaning=meaning(running.rule),
        keys=[_key(key, state) for key, state in keyed.states.items()],
        waiting=sorted(machine.waiting, key=_order) if isinstance(machine, Reordered) else [],
        reached=machine.reached if isinstance(machine, Reordered) else 0,
        findings=list(running.latest.values()),
        counts=(machine.late, keyed.evicted, keyed.trimmed, running.unkeyed, running.uncounted),
    )


def _order(one: Waiting) -> bytes:
    return one[0]


def _key(key: str, state: Any) -> _Key:
    if type(state) is Series:
        return _Key(key, state.marks, state.whats, state.raised, state.opened, series=True)
    if type(state) is tuple:
        return _Key(key, [state[0]], [state[1]], {}, 0, series=False)
    return _Key(key, unpacked(state), [], {}, 0, series=False)


def _restore(running: Running, one: _One) -> None:
    machine = running.machine
    keyed = machine.keyed
    inner = machine.machine if isinstance(machine, Reordered) else machine
    for row in one.keys:
        if isinstance(inner, Closing):
            state: Any = inner.series(row.marks, row.whats, row.opened, row.key)
        elif row.series:
            state = inner.series(row.marks, row.whats, row.raised)
        else:
            state = (row.marks[0], row.whats[0]) if row.whats else b"".join(row.marks)
        keyed.states[row.key] = state
        keyed.weight += keyed.weigh(row.key, state)
    if isinstance(machine, Reordered):
        machine.hold(one.waiting, one.reached)
    for finding in one.findings:
        running.await_use(finding, micros_in(finding.anchor))
    machine.late, keyed.evicted, keyed.trimmed, running.unkeyed, running.uncounted = one.counts
