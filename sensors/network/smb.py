"""SMB 1, 2 and 3 over TCP (MS-CIFS, MS-SMB2), with or without NetBIOS session service (RFC 1002).

Read are negotiation, log-ins (NTLM and Kerberos names), shares, and what is opened, written, renamed and
deleted under which name, each once. What is sealed (SMB 3 transform) is said to be, once.
"""

from collections.abc import Sequence
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message, StreamClaim, Talk
from sensors.network.reading import Frames
from sensors.network.smb1 import Smb1
from sensors.network.smb2 import Smb2

SMB_BYTES_MAX: Final = 64 * 1024  # of each side: names come after the log-in, which alone may take 16 KiB
_VERSION_1: Final = b"\xffSMB"
_VERSION_2: Final = b"\xfeSMB"
_SEALED: Final = b"\xfdSMB"
_TOLD_MAX: Final = 1_024
_SESSION: Final = frozenset({0x81, 0x82, 0x83, 0x84, 0x85})  # of NetBIOS


class SmbStream:
    """One SMB conversation, whichever versions it speaks."""

    def __init__(self, _talk: Talk) -> None:
        self._frames = (Frames(_measure), Frames(_measure))
        self._version1 = Smb1()
        self._version2 = Smb2()
        self._is_sealed = False
        self._told: set[tuple[object, ...]] = set()

    @property
    def done(self) -> bool:
        """Whether either side left SMB."""
        return self._frames[0].broken or self._frames[1].broken

    def feed(self, side: int, data: bytes) -> Sequence[Message]:
        """The messages that end with these bytes."""
        found: list[Message] = []
        for frame in self._frames[side].feed(data):
            signature = frame[4:8]
            if signature == _VERSION_2:
                found += self._version2.read(frame[4:])
            elif signature == _VERSION_1:
                found += self._version1.read(frame[4:])
            elif signature == _SEALED and not self._is_sealed:
                self._is_sealed = True
                fields: dict[str, Value] = {"event.action": "smb-sealed", "gov.smb.sealed": True}
                found.append(Message("net.smb", "smb", fields, {}, reply=side == 1))
        return [one for one in found if self._is_new(one)]

    def _is_new(self, message: Message) -> bool:
        """Whether this conversation has not said just that of a file before."""
        if message.log != "smb_files":
            return True
        words = ("event.action", "gov.smb.share", "file.path", "gov.smb.status", "gov.smb.previous_name")
        key = tuple(message.fields.get(word) for word in words)
        if key in self._told:
            return False
        if len(self._told) >= _TOLD_MAX:
            self._told.clear()
        self._told.add(key)
        return True


def _measure(data: bytes) -> int:
    if len(data) < 4:
        return 0
    if data[0] in _SESSION:
        return 4 + int.from_bytes(data[2:4], "big")
    return 4 + int.from_bytes(data[1:4], "big") if data[0] == 0 else -1


def claims_smb(first: bytes, _talk: Talk) -> bool | None:
    """A session message that holds SMB, or a NetBIOS session request of its usual size."""
    if len(first) < 8:
        return None
    if first[0] == 0:
        return first[4:8] in (_VERSION_1, _VERSION_2)
    return first[0] == 0x81 and first[1] == 0 and first[2:5] == b"\x00\x44\x20"


STREAM: Final = StreamClaim(
    "smb", claims_smb, SmbStream, first_bytes=frozenset({0, 0x81}), resumes=True, bytes_max=SMB_BYTES_MAX
)
