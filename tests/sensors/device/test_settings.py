"""Endpoints as operators write them."""

import pytest

from crypto.words import BadInput
from sensors.device.settings import FLOW_SCHEMES, SYSLOG_SCHEMES, endpoint


@pytest.mark.parametrize("text", ["udp://0.0.0.0:514", "tcp://[::]:601", "tls://10.0.0.1:6514"])
def test_an_endpoint_is_read_as_it_is_written(text: str) -> None:
    assert str(endpoint(text, SYSLOG_SCHEMES)) == text


@pytest.mark.parametrize("text", ["0.0.0.0:514", "http://0.0.0.0:1", "udp://0.0.0.0", "udp://", "tcp://h:0"])
def test_others_are_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput):
        endpoint(text, SYSLOG_SCHEMES)


def test_flows_come_over_udp_alone() -> None:
    with pytest.raises(BadInput, match="udp://"):
        endpoint("tcp://0.0.0.0:2055", FLOW_SCHEMES)
