"""SM TLS over asyncio, both sides: plain streams below, a session between, the same calls above.

    server:  stream = await accept(reader, writer, context, seconds)      in the callback of start_server
             stream.peer_chain                                            () where the client showed none
    client:  stream = await connect(host, port, context, judge, seconds)
    both:    await stream.read(), await stream.readexactly(n); stream.write(data); await stream.drain()
             stream.close(); await stream.wait_closed(); stream.abort()

``accept`` does not judge, because a listener may let in those who have no certificate yet: it must hand
``peer_chain`` to its judge before it believes a byte. Reading and writing may happen in different tasks, two
reading tasks may not.
"""

import asyncio
from typing import Final

from crypto.link_peers import Peer
from crypto.sm_stream import Judge
from crypto.sm_tls import READ_BYTES, Context, Session, TlsError

STREAM_BYTES: Final = 64 * 1024  # read ahead of a connection: with 2,000 of them, each one counts


class SmAsyncStream:
    """An established connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session) -> None:
        self.peer: Peer | None = None
        """Set by whoever judged ``peer_chain``."""
        self.peer_chain: Final = session.peer_chain
        self.suite: Final = session.suite
        self.group: Final = session.group
        self._reader: Final = reader
        self._writer: Final = writer
        self._session: Final = session
        self._kept = b""  # decrypted by ``readexactly`` beyond what it gave

    async def read(self, size: int = READ_BYTES) -> bytes:
        """Some bytes; b"" where the peer has ended. Raises OSError."""
        if self._kept:
            data, self._kept = self._kept[:size], self._kept[size:]
            return data
        while (found := self._session.read(size)) is None:
            came = await self._reader.read(READ_BYTES)
            if not came:
                return b""
            self._session.feed(came)
        self._flush()  # answers of TLS itself
        return found

    async def readexactly(self, size: int) -> bytes:
        """So many bytes. Raises asyncio.IncompleteReadError, OSError."""
        parts: list[bytes] = []
        missing = size
        while missing > 0:
            data = await self.read(max(missing, READ_BYTES))
            if not data:
                raise asyncio.IncompleteReadError(b"".join(parts), size)
            parts.append(data[:missing])
            self._kept = data[missing:] + self._kept
            missing -= len(parts[-1])
        return b"".join(parts)

    def write(self, data: bytes) -> None:
        """Encrypt and queue; ``drain`` waits until the wire has taken most of it. Raises TlsError."""
        self._session.write(data)
        self._flush()

    async def drain(self) -> None:
        """Wait while too much is queued. Raises OSError where the connection is lost."""
        await self._writer.drain()

    @property
    def unsent_bytes(self) -> int:
        """What the peer has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    @property
    def address(self) -> str:
        """Where the peer is, for logs."""
        found = self._writer.get_extra_info("peername")
        return str(found[0]) if found else "unknown"

    def close(self) -> None:
        """Say farewell; what was written still goes out."""
        if not self._writer.is_closing():
            self._session.close()
            self._flush()
            self._writer.close()

    async def wait_closed(self) -> None:
        """Until it is. Raises OSError."""
        await self._writer.wait_closed()

    def abort(self) -> None:
        """Cut it off at once."""
        self._writer.transport.abort()

    def _flush(self) -> None:
        if waiting := self._session.take():
            self._writer.write(waiting)


async def accept(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, context: Context, seconds: float
) -> SmAsyncStream:
    """Shake hands as the server. Raises Refused (link-not-sm), TimeoutError, OSError."""
    return await _shaken(reader, writer, Session(context, server=True), seconds)


async def connect(
    host: str,
    port: int,
    context: Context,
    judge: Judge,
    seconds: float,
    *,
    stream_bytes: int = STREAM_BYTES,
) -> SmAsyncStream:
    """Connect, shake hands as the client and judge who answered. Raises Refused, TimeoutError, OSError."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port, limit=stream_bytes)
    try:
        stream = await _shaken(reader, writer, Session(context, server=False), seconds)
        stream.peer = await asyncio.to_thread(judge, stream.peer_chain)
    except BaseException:
        writer.transport.abort()
        raise
    return stream


async def _shaken(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: Session, seconds: float
) -> SmAsyncStream:
    async with asyncio.timeout(seconds):
        while True:
            try:
                done = session.handshake()
            finally:
                if waiting := session.take():  # also the alert that says why not
                    writer.write(waiting)
            if done:
                return SmAsyncStream(reader, writer, session)
            await writer.drain()
            came = await reader.read(READ_BYTES)
            if not came:
                raise TlsError("the peer closed the connection in the handshake")
            session.feed(came)
