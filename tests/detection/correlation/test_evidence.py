"""Events kept to be shown: bounded in bytes, the first seen goes first, counted."""

from correlation_scenes import event

from detection.correlation.evidence import Evidence


def test_the_oldest_go_where_there_is_too_much() -> None:
    evidence = Evidence(20_000)
    for number in range(100):
        evidence.remember(bytes([number]), event(number, number=number, text="x" * 200))
    assert len(evidence) == 100  # a batch finds its own
    evidence.bound()
    assert 1 < len(evidence) < 30
    assert evidence.evicted == 100 - len(evidence)
    assert evidence.get(bytes([0])) is None
    assert evidence.get(bytes([99])) == event(99, number=99, text="x" * 200)
    assert [mark for mark, _ in evidence.items()] == [bytes([n]) for n in range(100 - len(evidence), 100)]
    assert len(list(evidence.values())) == len(evidence)
    before = len(evidence)
    evidence.remember(bytes([99]), event(1))
    evidence.bound()
    assert len(evidence) == before


def test_one_huge_event_stays() -> None:
    evidence = Evidence(1_000)
    evidence.remember(b"1", event(1, text="x" * 5_000))
    evidence.bound()
    assert len(evidence) == 1
