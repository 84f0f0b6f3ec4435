"""Half-read conversations are bounded; the oldest lets go."""

from sensors.network.live_set import LiveSet


class Held:
    """Remembers whether it was released."""

    def __init__(self) -> None:
        self.released = False

    def release(self) -> None:
        self.released = True


def test_the_oldest_lets_go() -> None:
    live = LiveSet(2)
    first, second, third = Held(), Held(), Held()
    for one in (first, second, third):
        live.add(one)
    assert (first.released, second.released, third.released) == (True, False, False)
    assert len(live) == 2
