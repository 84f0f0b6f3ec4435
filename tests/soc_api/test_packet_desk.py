"""Packets asked for and answered: once each, by the sensor that was asked, whole, or with the reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from crypto.sm3 import sm3_hex
from crypto.words import BadInput, LiuheError, Refused
from sensors.messages import PacketsFound
from soc_api.packet_desk import FILE_BYTES_MAX, NO_PACKETS, PacketCounter
from soc_api.packet_request import WAIT_MAX, PacketRequest

FLOW = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
PCAP = bytes(24) + b"packets"


@pytest.fixture
def asked(world: Any) -> PacketRequest:
    group = world.raise_alert(network__community_id=FLOW).group
    (one,) = world.center.packets.ask(group, "user:analyst", world.now)
    return one


@pytest.fixture
def counter(world: Any) -> PacketCounter:
    return PacketCounter(world.packets, world.packet_files, lambda: world.now)


def part(
    asked: PacketRequest, body: bytes, number: int = 0, *, more: bool = False, reason: str = ""
) -> PacketsFound:
    return PacketsFound(request=asked.id, part=number, more=more, body=body, reason=reason)


def test_a_wish_reaches_its_sensor_and_the_answer_can_be_opened(
    world: Any, asked: PacketRequest, counter: PacketCounter
) -> None:
    ((sensor, (wish,)),) = counter.wanted().items()
    assert (sensor, wish.community_id, wish.request) == ("host-1", FLOW, asked.id)
    assert wish.begins < wish.ends
    before = world.center.packets.revision()
    counter.take("host-1", part(asked, PCAP[:10], more=True))
    counter.take("host-1", part(asked, PCAP[10:], 1))
    found = world.center.packets.request(asked.id)
    assert (found.state, found.bytes, found.sm3) == ("arrived", len(PCAP), sm3_hex(PCAP))
    assert world.center.packets.pcap(asked.id) == PCAP
    assert world.center.packets.revision() > before
    assert counter.wanted() == {}


def test_what_is_on_its_way_is_not_asked_for_again(
    world: Any, asked: PacketRequest, counter: PacketCounter
) -> None:
    desk = world.center.packets
    assert [one.id for one in desk.ask(asked.alert_group, "user:b", world.now)] == [asked.id]
    counter.take("host-1", part(asked, PCAP))
    assert len(desk.ask(asked.alert_group, "user:b", world.now)) == 2  # but later it may be


@pytest.mark.parametrize(
    ("answer", "state", "reason"),
    [
        (lambda asked: part(asked, b""), "empty", ""),
        (lambda asked: part(asked, bytes(24)), "empty", ""),
        (lambda asked: part(asked, b"", reason="input/output error"), "failed", "input/output error"),
    ],
)
def test_answers_without_packets(
    world: Any,
    asked: PacketRequest,
    counter: PacketCounter,
    answer: Callable[[PacketRequest], PacketsFound],
    state: str,
    reason: str,
) -> None:
    counter.take("host-1", answer(asked))
    found = world.center.packets.request(asked.id)
    assert (found.state, found.reason) == (state, reason)
    with pytest.raises(Refused, match="packets-absent"):
        world.center.packets.pcap(asked.id)


def test_a_sensor_answers_only_what_it_was_asked_and_in_order(
    asked: PacketRequest, counter: PacketCounter
) -> None:
    with pytest.raises(BadInput):
        counter.take("other", part(asked, PCAP))
    with pytest.raises(BadInput):
        counter.take("host-1", PacketsFound(request="f" * 32, part=0, more=False, body=b""))
    counter.take("host-1", part(asked, PCAP, more=True))
    with pytest.raises(BadInput):
        counter.take("host-1", part(asked, PCAP, 2))
    with pytest.raises(BadInput):
        counter.take("other", part(asked, PCAP, 1))


def test_a_sensor_that_keeps_none_or_never_comes_is_said(
    world: Any, asked: PacketRequest, counter: PacketCounter
) -> None:
    world.now += WAIT_MAX + timedelta(seconds=1)
    assert counter.wanted() == {}
    found = world.center.packets.request(asked.id)
    assert (found.state, found.reason) == ("failed", "unreachable")
    counter.take("host-1", part(asked, PCAP))  # too late, and nothing to break a connection for
    assert world.center.packets.request(asked.id).state == "failed"
    (again,) = [
        one for one in world.center.packets.ask(asked.alert_group, "u", world.now) if one.id != asked.id
    ]
    counter.none_kept(counter.wanted()["host-1"])
    assert world.center.packets.request(again.id).reason == NO_PACKETS


def test_too_much_is_given_up(
    world: Any, asked: PacketRequest, counter: PacketCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soc_api.packet_desk.FILE_BYTES_MAX", 100)
    assert FILE_BYTES_MAX > 16 << 20  # more than a ring gives
    counter.take("host-1", part(asked, bytes(101), more=True))
    assert world.center.packets.request(asked.id).state == "failed"
    assert list(world.packet_files._folder.glob("*")) == []


def test_an_alert_without_a_flow_is_refused(world: Any) -> None:
    with pytest.raises(Refused, match="packets-no-flow"):
        world.center.packets.ask(world.raise_alert().group, "u", world.now)


def test_a_cut_file_is_found(world: Any, asked: PacketRequest, counter: PacketCounter) -> None:
    counter.take("host-1", part(asked, PCAP, more=True))
    counter.take("host-1", part(asked, b"rest", 1))
    (path,) = world.packet_files._folder.glob("*.sealed")
    path.write_bytes(path.read_bytes()[:-24])  # the whole last part: what is left still opens
    with pytest.raises(LiuheError, match="packets-damaged"):
        world.center.packets.pcap(asked.id)
