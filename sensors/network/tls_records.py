"""The record layer of TLS and TLCP (RFC 8446 5.1): handshake messages, alerts and the turn to ciphertext.

One object per direction, fed the stream in order. It holds at most one message of ``MESSAGE_BYTES_MAX`` and
wants no more once the records are encrypted.
"""

from typing import Final, NamedTuple

MESSAGES_MAX: Final = 64  # of one direction; a handshake has a tenth of them
MESSAGE_BYTES_MAX: Final = 64 * 1024  # a chain of certificates; larger messages end the reading
RECORD_BYTES_MAX: Final = 16 * 1024 + 2_048  # RFC 5246 6.2.3; TLS 1.3 allows less
CHANGE_CIPHER: Final = 20
ALERT: Final = 21
HANDSHAKE: Final = 22
APPLICATION: Final = 23
HELLO_REQUEST: Final = 0
_KINDS: Final = frozenset({CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION, 24})


class Record(NamedTuple):
    """What one record, or one whole handshake message, told; ``data`` has a handshake's 4-byte header."""

    kind: int
    data: bytes


class Records:
    """Reads one direction; ``feed`` gives handshake messages and the other records' contents."""

    def __init__(self) -> None:
        self.done = False
        self._encrypted = False
        self._messages = 0
        self._waiting = bytearray()  # an incomplete record
        self._message = bytearray()  # an incomplete handshake message

    def feed(self, data: bytes) -> list[Record]:
        """What the bytes complete."""
        found: list[Record] = []
        waiting = self._waiting
        waiting += data
        at = 0
        while not self.done and len(waiting) - at >= 5:
            kind, size = waiting[at], waiting[at + 3] << 8 | waiting[at + 4]
            if kind not in _KINDS or size > RECORD_BYTES_MAX or waiting[at + 1] not in (1, 3):
                self.done = True
                break
            if kind == APPLICATION:  # its content is not read, so it is not waited for
                found.append(Record(kind, b""))
                self.done = True
                break
            if len(waiting) - at < 5 + size:
                break
            self._take(kind, bytes(waiting[at + 5 : at + 5 + size]), found)
            at += 5 + size
        del waiting[:at]
        if self.done:
            waiting.clear()
            self._message.clear()
        return found

    def _take(self, kind: int, content: bytes, found: list[Record]) -> None:
        if kind == CHANGE_CIPHER:
            self._encrypted = True
            found.append(Record(kind, b""))
        elif kind == ALERT:
            if not self._encrypted and len(content) == 2:
                found.append(Record(kind, content))
        elif kind == HANDSHAKE:
            if not content:
                self.done = True
            self._join(content, found)

    def _join(self, content: bytes, found: list[Record]) -> None:
        message = self._message
        message += content
        while len(message) >= 4 and not self.done:
            needed = 4 + int.from_bytes(message[1:4], "big")
            if needed > MESSAGE_BYTES_MAX or (self._encrypted and message[0] not in (1, 2)):
                # After the change of ciphers only a second hello (TLS 1.3) is still in the clear.
                self.done = needed > MESSAGE_BYTES_MAX and not self._encrypted
                message.clear()
                return
            if len(message) < needed:
                return
            found.append(Record(HANDSHAKE, bytes(message[:needed])))
            del message[:needed]
            self._messages += 1
            self.done = self._messages >= MESSAGES_MAX
