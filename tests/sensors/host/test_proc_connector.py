"""The proc connector's messages, and the real one where the kernel lets us."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.words import LiuheError
from sensors.host.proc_connector import open_connector, parse_exec


def _message(what: int, tgid: int) -> bytes:
    head = struct.pack("=IHHII", 76, 3, 0, 0, 0) + struct.pack("=IIIIHH", 1, 1, 0, 0, 40, 0)
    return head + struct.pack("=IIQii", what, 0, 1, tgid, tgid) + bytes(16)


def test_only_exec_messages_have_an_id() -> None:
    assert parse_exec(_message(2, 4711)) == 4711
    assert parse_exec(_message(1, 4711)) == 0


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=90))
def test_any_bytes_are_parsed(raw: bytes) -> None:
    assert isinstance(parse_exec(raw), int)


@pytest.mark.slow
def test_a_started_program_is_told() -> None:
    import subprocess

    try:
        connector = open_connector()
    except LiuheError as error:
        pytest.skip(error.what.en)
    try:
        child = subprocess.Popen(["/bin/sleep", "1"])
        seen = [pid for _ in range(20) for pid in connector.wait(0.1)]
        child.kill()
        child.wait()
        assert child.pid in seen
    finally:
        connector.close()
