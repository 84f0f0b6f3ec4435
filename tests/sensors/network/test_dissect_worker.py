"""The worker's framing and its answers, without scapy: a class of the test stands in for a layer."""

import io
from struct import pack

from sensors.network.dissect_worker import answer, dissect, read_request


class Layer:
    """Looks like a dissected packet."""

    def __init__(self, data: bytes) -> None:
        if data == b"bad":
            raise RecursionError

    def layers(self) -> list[type]:
        return [Layer] * 100

    def summary(self) -> str:
        return "s" * 10_000


def test_answers_are_bounded() -> None:
    found = dissect({1: Layer}, 1, b"good")
    assert found["layers"] == ["Layer"] * 32
    assert len(str(found["summary"])) == 512


def test_failures_are_answers() -> None:
    assert dissect({1: Layer}, 1, b"bad") == {"error": "RecursionError"}
    assert dissect({1: Layer}, 147, b"x") == {"error": "link type 147"}


def test_framing() -> None:
    stream = io.BytesIO(pack("!HH", 1, 3) + b"abc" + pack("!HH", 1, 9) + b"cut")
    assert read_request(stream) == (1, b"abc")
    assert read_request(stream) is None
    assert read_request(io.BytesIO(pack("!HH", 1, 5_000) + bytes(5_000))) is None
    out = io.BytesIO()
    answer(out, {"ready": True})
    assert out.getvalue() == b"\0\0\0\x0f" + b'{"ready": true}'
