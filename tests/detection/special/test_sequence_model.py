"""The model of sessions: what surprises and why, what settles, bounds, and memory to the bit."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.special.sequence_model import Learned, Oddity, SequenceModel

LOGSEQ = Path(__file__).parents[3].parent / "shared" / "data" / "anomaly" / "logseq"


def model(kept: Learned | None = None, *, kinds: int = 64, vectors: int = 100) -> SequenceModel:
    return SequenceModel(kinds_max=kinds, vectors_max=vectors, surprises_max=100, kept=kept)


def learned(sessions: list[str], times: int) -> SequenceModel:
    one = model()
    for _ in range(times):
        for session in sessions:
            one.learn(one.judge(session.split(), 10.0))
    return one


USUAL = ["connect accept open close", "connect fail accept open close", "connect fail fail close"]


def test_what_was_learned_does_not_surprise() -> None:
    known = learned(USUAL, 400)
    assert [known.judge(one.split(), 10.0)[:2] for one in USUAL] == [(0.0, ())] * 3


@pytest.mark.parametrize(
    ("session", "seconds", "first"),
    [
        ("connect accept open crash close", 10.0, Oddity("new", "crash")),
        ("connect open close", 10.0, Oddity("missing", "accept", "", 0, 1, 1, 1)),
        (
            "connect fail fail fail fail fail accept open close",
            10.0,
            Oddity("count", "fail", "", 5, 1, 2, 1),
        ),
        ("accept connect open close", 10.0, Oddity("begin", "accept")),
        ("connect open accept close", 10.0, Oddity("order", "open", "connect")),
        ("connect accept close open", 10.0, Oddity("order", "close", "accept")),
        ("connect accept open close", 5000.0, Oddity("span", "", "", 5000, 10, 10)),
    ],
)
def test_what_is_unlike_is_named(session: str, seconds: float, first: Oddity) -> None:
    verdict = learned(USUAL, 400).judge(session.split(), seconds)
    assert verdict.surprise > 3.0
    assert verdict.oddities[0] == first


def test_a_last_line_that_was_never_last_is_named_as_the_end() -> None:
    verdict = learned(["a b c", "b a c"], 400).judge(["a", "c", "b"], 10.0)
    assert Oddity("end", "", "b") in verdict.oddities


def test_a_source_that_never_settles_does_not_surprise() -> None:
    noisy = model()
    for number in range(600):
        noisy.learn(noisy.judge([f"k{number % 7}"] * (1 + number % 13) + [f"n{number % 50}"] * (number % 29)))
    odd = noisy.judge(["k1"] * 12 + ["n3"] * 23)
    assert not noisy.is_rare(odd, 1000, 0.01)
    assert noisy.is_rare(odd._replace(surprise=99.0), 1000, 0.01)


def test_more_kinds_than_columns_count_as_one() -> None:
    small = model(kinds=4)
    for number in range(300):
        small.learn(small.judge([f"k{number % 9}", "end"]))
    assert small.judge(["never seen", "end"]).oddities[:1] != (Oddity("new", "never seen"),)
    assert len(small.state().kinds) == 4
    assert model().judge([]).surprise >= 0.0


KINDS = st.lists(st.sampled_from("abcdefg"), max_size=9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(KINDS, st.floats(0, 1e6)), max_size=30), st.integers(0, 30))
def test_handing_on_the_state_changes_no_verdict(sessions: list[tuple[list[str], float]], cut: int) -> None:
    def run(one: SequenceModel, part: list[tuple[list[str], float]]) -> list[object]:
        said: list[object] = []
        for steps, seconds in part:
            verdict = one.judge(steps, seconds)
            assert one.judge(steps, seconds) == verdict
            said.append(verdict)
            if len(steps) != 3:
                one.learn(verdict)
        return said

    whole = model(kinds=5, vectors=4)
    first = model(kinds=5, vectors=4)
    before = run(first, sessions[:cut])
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(first.state()), type=Learned)
    second = model(kept, kinds=5, vectors=4)
    assert before + run(second, sessions[cut:]) == run(whole, sessions)
    assert second.state() == whole.state()
    assert len(whole.state().vectors[1]) <= 4


@pytest.mark.skipif(not LOGSEQ.is_dir(), reason="no recorded sequences beside the project")
def test_recorded_sessions_of_a_file_system_are_told_apart() -> None:
    def read(name: str) -> list[list[str]]:
        lines = (LOGSEQ / "hdfs_loghub" / name).read_text("utf-8").splitlines()
        return [line.rpartition(",")[2].split() for line in lines if line.strip()]

    normal, abnormal = read("hdfs_train"), read("hdfs_test_abnormal")[::40]
    known = model(kinds=256, vectors=1000)
    for steps in normal[:3700]:
        known.learn(known.judge(steps))
    assert sum(known.is_rare(known.judge(one), 1000, 0.01) for one in normal[3700:]) <= 2
    assert sum(known.is_rare(known.judge(one), 1000, 0.01) for one in abnormal) >= 0.99 * len(abnormal)
