"""Other content under the same numbers is found; honest repetitions of any cut are not taken for it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from soc_api.ingest_recent import Place, Recent, digests_of

HERE = Place("a", "bulk", 1)
LINES = [b"%d" % n for n in range(200)]


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 150), st.integers(1, 40)), max_size=20), kept=st.integers(5, 60)
)
def test_the_same_events_are_never_called_others(cuts: list[tuple[int, int]], kept: int) -> None:
    recent = Recent(events_max=100, lane_events_max=kept)
    for first, count in cuts:
        digests = digests_of(LINES[first : first + count])
        assert recent.differs(HERE, first, digests) == 0
        recent.note(HERE, first, digests)


def test_one_other_event_is_named() -> None:
    recent = Recent()
    recent.note(HERE, 10, digests_of(LINES[10:20]))
    other = [*LINES[15:17], b"other", *LINES[18:25]]
    assert recent.differs(HERE, 15, digests_of(other)) == 17
    assert recent.differs(Place("a", "bulk", 2), 15, digests_of(other)) == 0
    assert recent.differs(HERE, 30, digests_of(other)) == 0


def test_memory_is_bounded_over_all_sensors() -> None:
    recent = Recent(events_max=30, lane_events_max=20)
    for n in range(4):
        recent.note(Place(str(n), "bulk", 1), 1, digests_of(LINES[:10]))
    other = digests_of([b"other"])
    assert [recent.differs(Place(str(n), "bulk", 1), 1, other) for n in range(4)] == [0, 1, 1, 1]
