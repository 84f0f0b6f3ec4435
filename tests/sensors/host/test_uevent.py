"""Kernel device events: which kinds a message names, and that only the kernel is believed."""

import socket

import pytest

from sensors.host.uevent import DeviceEvents, kinds_of, open_device_events


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"add@/devices/usb1/1-1\0ACTION=add\0SUBSYSTEM=usb\0", {"usb"}),
        (b"remove@/module/nf\0SUBSYSTEM=module\0", {"modules"}),
        (b"change@/devices/x\0SUBSYSTEM=block\0", {"mounts"}),
        (b"add@/devices/x\0SUBSYSTEM=input\0", set()),
        (b"libudev\0\xfe\xed\xca\xfe", set()),
        (b"", set()),
        (b"offline@/x\0SUBSYSTEM=usb\0", set()),
    ],
)
def test_kinds(data: bytes, expected: set[str]) -> None:
    assert kinds_of(data) == expected


def test_a_message_of_a_process_is_passed_over() -> None:
    ours, theirs = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    ours.bind(("127.0.0.1", 0))
    ours.setblocking(False)
    events = DeviceEvents(ours)
    theirs.sendto(b"add@/x\0SUBSYSTEM=usb\0", ours.getsockname())
    assert events.changed(5) == frozenset(), "its sender is not the kernel"
    assert events.changed(0) == frozenset()
    events.close()
    theirs.close()


def test_a_subscription_waits_no_longer_than_asked() -> None:
    events = open_device_events()
    if events is None:
        pytest.skip("the kernel grants no device events here")
    events.changed(0.01)
    events.close()
