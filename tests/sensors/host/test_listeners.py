"""The listener source with a real socket."""

import os
import socket
import threading
from collections.abc import Sequence

from sensors.event import Observation
from sensors.host.listeners import ListenerSource, changes, scan, scope
from sensors.host.proc_net import Endpoint


def test_a_listener_that_comes_and_goes_is_told() -> None:
    seen: list[Observation] = []
    stop = threading.Event()
    came, went, first = threading.Event(), threading.Event(), threading.Event()
    port = 0

    def emit(batch: Sequence[Observation]) -> None:
        seen.extend(batch)
        first.set()
        for one in batch:
            if one.fields["server.port"] == port:
                (came if one.fields["event.action"] == "listener-added" else went).set()

    present = socket.create_server(("127.0.0.1", 0))
    source = ListenerSource(interval_seconds=0.05)
    thread = threading.Thread(target=source.run, args=(emit, stop))
    thread.start()
    try:
        assert first.wait(5)
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            port = server.getsockname()[1]
            server.listen(1)
            assert came.wait(5)
        assert went.wait(5)
    finally:
        stop.set()
        thread.join(5)
        present.close()
    added = next(one for one in seen if one.fields["event.action"] == "listener-added")
    here = [one for one in seen if one.fields["server.port"] == port]
    assert added.logsource.category == "listener"
    assert {one.fields["process.pid"] for one in here} == {os.getpid()}
    assert {one.native["LocalAddress"] for one in here} == {"127.0.0.1"}
    assert any(one.fields["event.action"] == "listener-present" for one in seen)


def test_a_port_taken_over_by_another_socket_goes_and_comes() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        endpoint = Endpoint("tcp", "127.0.0.1", server.getsockname()[1])
        now = {endpoint: scan({})[endpoint]}
        before = {endpoint: now[endpoint]._replace(inodes=frozenset({1}))}
        assert [action for _, action in changes(before, now)] == ["listener-removed", "listener-added"]
        assert changes(now, now) == []


def test_scope() -> None:
    assert [scope(one) for one in ("::1", "0.0.0.0", "::", "10.0.0.1")] == [
        "loopback",
        "any",
        "any",
        "address",
    ]
