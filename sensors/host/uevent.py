"""Kernel device events (NETLINK_KOBJECT_UEVENT): a USB device that is plugged in is told of at once.

A datagram is ``action@path`` and then ``NAME=value`` texts, each ended by a NUL. Only the kernel may be
believed: any process may send to the socket.
"""

import select
import socket
from typing import Final

_KOBJECT_UEVENT: Final = 15
_KERNEL_GROUP: Final = 1
_MESSAGE_BYTES_MAX: Final = 8 * 1024
_MESSAGES_MAX: Final = 256
_KINDS: Final = {"usb": "usb", "block": "mounts", "module": "modules", "net": "interfaces"}
_ACTIONS: Final = ("add", "remove", "bind", "unbind", "change", "move")


class DeviceEvents:
    """Which kinds of inventory the kernel says have changed."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def changed(self, seconds: float) -> frozenset[str]:
        """Kinds named by the messages that wait, after at most ``seconds``; all where some were lost."""
        if not self._poll.poll(int(seconds * 1000)):
            return frozenset()
        found: set[str] = set()
        for _ in range(_MESSAGES_MAX):
            try:
                data, sender = self._channel.recvfrom(_MESSAGE_BYTES_MAX)
            except BlockingIOError:
                break
            except OSError:  # the queue overflowed
                return frozenset(_KINDS.values())
            if sender[0] == 0:  # 0: from the kernel
                found |= kinds_of(data)
        return frozenset(found)

    def close(self) -> None:
        """Stop listening."""
        self._channel.close()


def kinds_of(data: bytes) -> set[str]:
    """The kinds a message concerns; none where it is no device event."""
    head, _, rest = data.partition(b"\0")
    action, at, _ = head.partition(b"@")
    if not at or action.decode("ascii", "replace") not in _ACTIONS:
        return set()
    for text in rest.split(b"\0"):
        name, _, value = text.partition(b"=")
        if name == b"SUBSYSTEM" and (kind := _KINDS.get(value.decode("ascii", "replace"))):
            return {kind}
    return set()


def open_device_events() -> DeviceEvents | None:
    """A subscription; None where the kernel grants none: devices are then seen at the next interval."""
    try:
        channel = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC, _KOBJECT_UEVENT)
    except OSError:
        return None
    try:
        channel.bind((0, _KERNEL_GROUP))
        channel.setblocking(False)
    except OSError:
        channel.close()
        return None
    return DeviceEvents(channel)
