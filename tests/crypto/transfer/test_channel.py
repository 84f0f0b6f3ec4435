"""Both ends of a channel: any order, loss and repetition of packages fills each place exactly once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from crypto.package_format import Manifest
from crypto.sm3 import sm3_hex
from crypto.transfer.channel import (
    JUMP_MAX,
    Arrival,
    Gap,
    Receiving,
    Sending,
    after_receiving,
    after_sending,
    allow_epoch,
    check_height,
    decode_resend,
    encode_resend,
    gaps_of,
    heartbeat_due,
    judge,
    new_epoch,
    next_place,
    resend_list,
    silent,
)
from crypto.words import BadInput, Refused

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def name(text: str) -> str:
    return sm3_hex(text.encode())


def arrival(sequence: int, *, previous: str | None = None, epoch: int = 1, **changes: Any) -> Arrival:
    own = name(f"{epoch}:{sequence}")
    members: dict[str, Any] = {
        "package": "0" * 32,
        "kind": "transfer",
        "channel": "a-b",
        "epoch": epoch,
        "sequence": sequence,
        "previous": (name(f"{epoch}:{sequence - 1}") if sequence > 1 else "")
        if previous is None
        else previous,
        "application": "a",
        "purpose": "b",
        "sender": "a",
        "receiver": "b",
        "label": "一般",
        "from_zone": "x",
        "to_zone": "y",
        "issued": NOW,
        "expires": NOW + timedelta(days=1),
        "roles": ("author", "approver"),
        "recipients": ("0" * 64,),
        "files": (),
    }
    package = changes.pop("package_sm3", name(f"package {epoch}:{sequence}"))
    return Arrival(manifest=Manifest(**{**members, **changes}), manifest_sm3=own, package_sm3=package)


def end(one_way: bool = True, **changes: Any) -> Receiving:
    return msgspec.structs.replace(
        Receiving(channel="a-b", sender="a", receiver="b", one_way=one_way), **changes
    )


def refused(state: Receiving, one: Arrival, known: str | None = None) -> str:
    with pytest.raises(Refused) as caught:
        judge(state, one, known)
    return caught.value.code


def filled(*sequences: int, one_way: bool = True) -> Receiving:
    state = end(one_way)
    for sequence in sequences:
        assert judge(state, arrival(sequence), None) == "new"
        state = after_receiving(state, arrival(sequence), NOW)
    return state


def test_the_same_package_is_a_duplicate_and_another_at_its_place_a_replay() -> None:
    state, one = filled(1), arrival(1)
    assert judge(state, one, one.package_sm3) == "duplicate"
    assert refused(state, arrival(1, package_sm3=name("forged")), one.package_sm3) == "transfer-replay"
    assert refused(state, one) == "transfer-replay"
    assert refused(filled(1, 3), arrival(3)) == "transfer-replay"


def test_an_old_manifest_at_a_new_place_breaks_the_chain() -> None:
    assert refused(filled(1), arrival(2, previous=name("old"))) == "transfer-chain"
    assert refused(filled(1, 3), arrival(2, previous=name("old"))) == "transfer-chain"
    wrong = msgspec.structs.replace(arrival(2), manifest_sm3=name("another"))
    assert refused(filled(1, 3), wrong) == "transfer-chain"


@pytest.mark.parametrize("changes", [{"channel": "a-c"}, {"sender": "c"}, {"receiver": "c"}])
def test_a_package_of_another_channel_is_refused(changes: dict[str, str]) -> None:
    assert refused(end(), arrival(1, **changes)) == "transfer-channel"


def test_an_ordered_channel_takes_no_gap_and_a_one_way_one_no_wild_jump() -> None:
    assert refused(filled(1, one_way=False), arrival(3)) == "transfer-gap"
    assert refused(filled(1), arrival(JUMP_MAX + 2)) == "transfer-jump"


def test_a_new_epoch_comes_only_when_it_was_allowed() -> None:
    state = filled(1, 2)
    assert refused(state, arrival(1, epoch=2)) == "transfer-epoch"
    with pytest.raises(Refused):
        allow_epoch(state, 3)
    state = allow_epoch(state, 2)
    assert judge(state, arrival(1, epoch=2), None) == "new"
    state = after_receiving(state, arrival(1, epoch=2), NOW)
    assert (state.epoch, state.low) == (2, 1)
    assert refused(state, arrival(3)) == "transfer-replay"


def test_gaps_and_the_list_of_what_to_send_again() -> None:
    state = filled(1, 4, 8)
    assert gaps_of(state) == (Gap(first=2, last=3), Gap(first=5, last=7))
    assert [gap.count for gap in gaps_of(state)] == [2, 3]
    wanted = resend_list(state, NOW)
    assert decode_resend(encode_resend(wanted)) == wanted


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_a_list_from_outside_is_read_strictly(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_resend(data)


def test_a_list_out_of_order_is_refused() -> None:
    wanted = resend_list(filled(1, 4), NOW)
    for gaps in (
        (Gap(first=3, last=2),),
        (Gap(first=0, last=2),),
        (Gap(first=5, last=6), Gap(first=2, last=3)),
    ):
        with pytest.raises(BadInput):
            decode_resend(encode_resend(msgspec.structs.replace(wanted, gaps=gaps)))


def test_a_state_from_a_backup_is_known_by_its_height() -> None:
    state = filled(1, 2)
    check_height(state, 2)
    with pytest.raises(Refused, match="transfer-state-old"):
        check_height(filled(1), state.height)


def test_the_senders_end_counts_and_starts_over() -> None:
    state = Sending(channel="a-b")
    place = next_place(state)
    state = after_sending(state, place, name("1:1"), NOW)
    assert next_place(state).previous == name("1:1")
    with pytest.raises(Refused, match="transfer-place"):
        after_sending(state, place, name("1:1"), NOW)
    again = new_epoch(state)
    assert (next_place(again).epoch, next_place(again).sequence, next_place(again).previous) == (2, 1, "")
    with pytest.raises(Refused):
        next_place(msgspec.structs.replace(state, sequence=(1 << 53) - 1))


def test_heartbeats_are_due_and_silence_is_noticed() -> None:
    hour = timedelta(hours=1)
    assert heartbeat_due(Sending(channel="a"), NOW, hour)
    assert not heartbeat_due(Sending(channel="a", sent=NOW), NOW, hour)
    assert silent(end(), NOW, hour)
    assert not silent(filled(1), NOW + 2 * hour, hour)
    assert silent(filled(1), NOW + 3 * hour, hour)


class ChannelMachine(RuleBasedStateMachine):
    """Packages come in any order, twice, or forged; the receiver's books always agree with what it took."""

    def __init__(self) -> None:
        super().__init__()
        self.state = end()
        self.taken: dict[int, str] = {}

    @rule(sequence=st.integers(1, 12), forged=st.booleans())
    def come(self, sequence: int, forged: bool) -> None:
        one = arrival(sequence, **({"package_sm3": name("forged")} if forged else {}))
        known = self.taken.get(sequence)
        try:
            verdict = judge(self.state, one, known)
        except Refused:
            assert known is not None
            assert known != one.package_sm3
            return
        assert verdict == ("new" if known is None else "duplicate")
        if verdict == "new":
            self.state = after_receiving(self.state, one, NOW)
            self.taken[sequence] = one.package_sm3

    @invariant()
    def books(self) -> None:
        missing = {number for gap in gaps_of(self.state) for number in range(gap.first, gap.last + 1)}
        highest = max(self.taken, default=0)
        assert missing == set(range(1, highest + 1)) - set(self.taken)
        assert self.state.height == len(self.taken)
        assert msgspec.json.decode(msgspec.json.encode(self.state), type=Receiving) == self.state


ChannelMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
TestChannel = ChannelMachine.TestCase
