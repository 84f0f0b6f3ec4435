"""A blocking client stream of SM TLS over a socket, for sensors: connected, judged, then bytes both ways.

    with client_stream(sock, context, judge.center, seconds) as stream:
        stream.peer.id
        stream.sendall(data); stream.settimeout(s); stream.recv(65536)

Waits are bounded by ``settimeout`` as with sockets, and ``TimeoutError`` is raised; a timeout loses nothing,
``recv`` may be called again. One thread at a time.
"""

import socket
import time
from collections.abc import Callable, Sequence
from typing import Final, Self

from crypto.link_peers import Peer
from crypto.sm_tls import READ_BYTES, Context, Session, TlsError

Judge = Callable[[Sequence[bytes]], Peer]


class SmStream:
    """An established connection; closing sends the alert and closes the socket."""

    def __init__(self, sock: socket.socket, session: Session, peer: Peer | None) -> None:
        self.peer: Final = peer
        """Who answered; None where nobody was asked to judge."""
        self.suite: Final = session.suite
        self.group: Final = session.group
        self._sock: Final = sock
        self._session: Final = session
        self._seconds: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        """The bound of each wait that follows."""
        self._seconds = seconds

    def sendall(self, data: bytes) -> None:
        """Send whole or raise OSError; after an error the connection is of no more use."""
        self._session.write(data)
        self._flush()

    def recv(self, size: int = READ_BYTES) -> bytes:
        """Some bytes; b"" where the peer has ended. Raises TimeoutError, OSError."""
        end = None if self._seconds is None else time.monotonic() + self._seconds
        while (data := self._session.read(size)) is None:
            self._sock.settimeout(None if end is None else _left(end))
            came = self._sock.recv(READ_BYTES)
            if not came:
                return b""
            self._session.feed(came)
        self._flush()
        return data

    def close(self) -> None:
        """Say farewell where that is possible at once, and close."""
        try:
            self._session.close()
            self._sock.settimeout(0.0)
            self._sock.sendall(self._session.take())
        except OSError:
            pass  # nobody is there to hear it
        self._sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _flush(self) -> None:
        """Send what the session has for the wire, also answers of TLS itself."""
        if waiting := self._session.take():
            self._sock.settimeout(self._seconds)
            self._sock.sendall(waiting)


def client_stream(sock: socket.socket, context: Context, judge: Judge | None, seconds: float) -> SmStream:
    """Shake hands over a connected socket within ``seconds`` and judge who answered.

    ``judge`` None believes nobody: only for fetching what is then held against a fingerprint. Raises Refused
    (link-not-sm, chain-*), OSError. The socket belongs to the stream, and is closed where this raises.
    """
    end = time.monotonic() + seconds
    session = Session(context, server=False)
    try:
        while True:
            try:
                done = session.handshake()
            finally:
                if waiting := session.take():  # also the alert that says why not
                    sock.settimeout(_left(end))
                    sock.sendall(waiting)
            if done:
                break
            sock.settimeout(_left(end))
            came = sock.recv(READ_BYTES)
            if not came:
                raise TlsError("the peer closed the connection in the handshake")
            session.feed(came)
        peer = None if judge is None else judge(session.peer_chain)
        return SmStream(sock, session, peer)
    except BaseException:
        sock.close()
        raise


def _left(end: float) -> float:
    """Seconds until ``end``; raises TimeoutError once it is past."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
