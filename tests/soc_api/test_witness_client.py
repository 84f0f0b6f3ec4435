"""The client: whatever the other end does is an answer or an OSError, within bounds."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from soc_api.witness_client import asker


@contextmanager
def peer(answer: bytes) -> Iterator[str]:
    """One connection answered with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(30)
            connection.recv(65_536)
            connection.sendall(answer)

    worker = threading.Thread(target=serve, daemon=True)
    worker.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/w"
    finally:
        worker.join(30)
        listener.close()


def test_an_answer_is_status_and_text() -> None:
    with peer(b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n7\n") as url:
        assert asker(None)(url, b"body") == (409, "7\n")


@pytest.mark.parametrize(
    "answer", [b"", b"rubbish\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n" + bytes(70_000), b"HTTP/1.1 x\r\n\r\n"]
)
def test_rubbish_is_an_error(answer: bytes) -> None:
    with peer(answer) as url, pytest.raises(OSError):
        asker(None)(url, b"body")


def test_nobody_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/w", f"https://127.0.0.1:{port}/w", "http://127.0.0.1:x/w"):
        with pytest.raises(OSError):
            asker(tmp_path / "ca.pem", timeout_seconds=5)(url, b"body")
