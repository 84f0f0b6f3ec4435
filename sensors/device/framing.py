"""Syslog over a stream: where one message ends and the next begins (RFC 6587, RFC 5425). No IO.

A message is either counted (``123 <34>1 …``) or ended by a line feed; the first octets of
each tell which, so nothing needs to be configured.
"""

from typing import Final

from sensors.device.syslog import MESSAGE_BYTES_MAX

_DIGITS: Final = frozenset(b"0123456789")
_LESS: Final = ord("<")  # every counted message begins with its priority
_COUNT_DIGITS_MAX: Final = 7


class Framing:
    """Feed bytes, get whole messages; one longer than MESSAGE_BYTES_MAX is cut and counted in ``cut``."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skip = 0  # octets of an overlong counted message still to come
        self.cut = 0  # messages that were longer than we keep

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are complete now, in order."""
        self._held += data
        messages: list[bytes] = []
        while self._held:
            if self._skip:
                passed = min(self._skip, len(self._held))
                del self._held[:passed]
                self._skip -= passed
                continue
            message = self._next()
            if message is None:
                break
            if message.strip():
                messages.append(message)
        return messages

    def finish(self) -> list[bytes]:
        """What the end of the connection left without an end."""
        left, self._held = bytes(self._held), bytearray()
        return [left] if left.strip() and not self._skip else []

    def _next(self) -> bytes | None:
        if self._held[0] in _DIGITS:
            space = self._held.find(b" ", 0, _COUNT_DIGITS_MAX + 1)
            digits = self._held[:space] if space > 0 else self._held
            if len(self._held) <= max(space + 1, 1) and digits.isdigit() and len(digits) <= _COUNT_DIGITS_MAX:
                return None  # a count still on its way
            if space > 0 and digits.isdigit() and self._held[space + 1] == _LESS:
                return self._counted(int(digits), space + 1)
        end = self._held.find(b"\n")
        if end < 0:
            if len(self._held) <= MESSAGE_BYTES_MAX:
                return None
            self.cut += 1
            end = MESSAGE_BYTES_MAX - 1
        message = bytes(self._held[:end])
        del self._held[: end + 1]
        return message

    def _counted(self, count: int, start: int) -> bytes | None:
        kept = min(count, MESSAGE_BYTES_MAX)
        if len(self._held) < start + kept:
            return None
        message = bytes(self._held[start : start + kept])
        del self._held[: start + kept]
        if count > kept:
            self.cut += 1
            self._skip = count - kept
        return message
