"""Peer groups: the young lean on the wider group, hours are theirs, names and places are bounded and kept."""

import numpy as np

from detection.anomaly.group_hours import GroupHours


def groups(most: int = 8) -> GroupHours:
    return GroupHours(1, groups_max=most, rate_min=0.01, spread_min=0.25, own_windows=30)


def taught(times: int) -> GroupHours:
    """Servers around 5 in their logarithm, desks around 2, by night, slot 3, one less; a day shift at 8."""
    made = groups()
    servers, desks, shift = (made.place(f"unit\0{name}") for name in ("server", "desk", "shift"))
    for number in range(times):
        slot = (9, 3)[number % 2]
        members = np.array([servers] * 3 + [desks] * 9, dtype=np.uint16)
        logs = np.array([[5.0]] * 3 + [[2.0]] * 9, dtype=np.float32) - (slot == 3)
        made.pull(members, logs, slot)
        if slot == 9:
            made.pull(np.array([shift], dtype=np.uint16), np.array([[8.0]], dtype=np.float32), slot)
        made.settle(slot)
    return made


def test_a_group_speaks_for_itself_the_more_it_is_known() -> None:
    few, many = taught(4), taught(600)
    server = few.place("unit\0server")
    fleet, early, late = few.hour(9)[0][0, 0], few.hour(9)[0][server, 0], many.hour(9)[0][server, 0]
    assert 2.0 <= fleet < early < late
    assert abs(late - 5.0) < 0.2
    fresh = few.place("unit\0fresh")
    assert few.hour(9)[0][fresh, 0] == few.hour(9)[0][few.place("unit"), 0]


def test_an_hour_not_seen_takes_the_pattern_of_the_wider_group() -> None:
    made = taught(600)
    shift = made.place("unit\0shift")
    day, night = made.hour(9)[0][shift, 0], made.hour(3)[0][shift, 0]
    assert abs(day - 8.0) < 0.6
    assert 0.3 < day - night < 1.5


def test_members_are_told_how_much_their_group_moved_as_its_word_grew() -> None:
    made = taught(30)
    server = made.place("unit\0server")
    moved = []
    for number in range(30, 70):
        members = np.array([server] * 3, dtype=np.uint16)
        made.pull(members, np.full((3, 1), 5.0, dtype=np.float32), 9)
        step = made.settle(9)
        if step is not None:
            moved.append((number, float(step[server, 0])))
    assert moved
    assert all(by > 0 for _, by in moved)


def test_groups_are_bounded_and_fall_back_to_the_wider_one() -> None:
    made = groups(3)
    unit = made.place("unit")
    first = made.place("unit\0a")
    assert made.place("unit\0b") == unit
    assert made.place("other") == 0
    assert made.place("unit\0a") == first
    assert made.place("a\0b\0c\0d\0e\0f") == 0
    assert len(made) == 3


def test_what_was_kept_is_taken_up_and_other_shapes_are_not() -> None:
    made, again = taught(20), groups()
    assert again.recall(made.names(), made.arrays())
    assert (again.hour(9)[0] == made.hour(9)[0][: len(again)]).all()
    assert (again.hour(9)[1] == made.hour(9)[1]).all()
    before = again.arrays()["group_center"].copy()
    assert not again.recall(
        ("", "unit\0server", "unit", "unit\0desk"), made.arrays()
    )  # a part before its whole
    assert not again.recall(("", "unit"), made.arrays())
    assert not again.recall(("x",), made.arrays())
    assert not groups(2).recall(made.names(), made.arrays())
    assert (again.arrays()["group_center"] == before).all()


def test_room_is_made_as_groups_come() -> None:
    made, again = groups(300), groups(300)
    for number in range(250):
        place = made.place(f"deed{number}")
        made.pull(np.array([place], dtype=np.uint16), np.full((1, 1), number / 50, dtype=np.float32), 9)
        made.settle(9)
    assert len(made) == 251
    assert again.recall(made.names(), made.arrays())
    for one in range(2):
        assert (made.hour(9)[one] == again.hour(9)[one]).all()
