"""States of flows that are not TCP; those of TCP are tested with the table that makes them."""

import pytest

from sensors.network.conn_state import conn_state
from sensors.network.flow import Flow
from sensors.network.packet import ICMP, UDP


@pytest.mark.parametrize(
    ("protocol", "packets", "state"),
    [(UDP, [1, 1], "SF"), (UDP, [3, 0], "S0"), (UDP, [0, 2], "SHR"), (ICMP, [1, 1], "OTH")],
)
def test_states_without_handshake(protocol: int, packets: list[int], state: str) -> None:
    flow = Flow((protocol, bytes(4), 1, bytes(4), 2), 0.0, -1)
    flow.counts[0], flow.counts[1] = packets
    assert conn_state(flow) == state
