"""What has a leaf and what was begun: notes that outlive the process that made them."""

from typing import Any

from compliance.ledgered_store import LedgeredStore


def test_a_note_stays_until_its_effect_is_kept(world: Any) -> None:
    store = LedgeredStore(world.engine)
    assert (store.begun("audit"), store.up_to("audit")) == (None, 0)
    store.begin("audit", 4)
    store.begin("audit", 9)  # the older one still has to be looked into
    store.begin("segment", 7)
    assert LedgeredStore(world.engine).begun("audit") == 4
    store.mark("audit", 12)
    assert (store.begun("audit"), store.up_to("audit")) == (None, 12)
    assert store.begun("segment") == 7
    store.mark("audit", 13)
    assert store.up_to("audit") == 13
