"""The kernel's audit state, asked by netlink (NETLINK_AUDIT, AUDIT_GET).

Reply: nlmsghdr 16 bytes, then struct audit_status of u32: mask · enabled (2: locked until reboot) · failure ·
pid of the daemon · rate_limit · backlog_limit · lost · backlog. Needs CAP_AUDIT_CONTROL, initial namespaces.
"""

import errno
import socket
import struct
from typing import Final, NamedTuple

NETLINK_AUDIT: Final = 9
_AUDIT_GET: Final = 1000
_ERROR: Final = 2
_REQUEST: Final = 1
_HEADER: Final = struct.Struct("=IHHII")
_STATUS: Final = struct.Struct("=8I")
_SECONDS: Final = 1.0
_ANSWERS_MAX: Final = 16


class AuditStatus(NamedTuple):
    """What the kernel says of its auditing."""

    enabled: int
    failure: int
    daemon: int
    backlog_limit: int
    lost: int
    backlog: int


def audit_status() -> AuditStatus:
    """The state now. Raises OSError where the kernel has no auditing or will not tell."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_AUDIT) as channel:
        channel.settimeout(_SECONDS)
        channel.sendto(_HEADER.pack(_HEADER.size, _AUDIT_GET, _REQUEST, 1, 0), (0, 0))
        for _ in range(_ANSWERS_MAX):
            found = parse_status(channel.recv(4096))
            if found is not None:
                return found
    raise OSError(errno.EPROTO, "no answer of the audit subsystem")


def parse_status(data: bytes) -> AuditStatus | None:
    """The state in a reply; None where it is another message. Raises OSError where it is a refusal."""
    if len(data) < _HEADER.size:
        return None
    kind = _HEADER.unpack_from(data)[1]
    if kind == _ERROR and len(data) >= _HEADER.size + 4:
        code = struct.unpack_from("=i", data, _HEADER.size)[0]
        if code < 0:
            raise OSError(-code, "audit subsystem")
        return None
    if kind != _AUDIT_GET or len(data) < _HEADER.size + _STATUS.size:
        return None
    _, enabled, failure, daemon, _, limit, lost, backlog = _STATUS.unpack_from(data, _HEADER.size)
    return AuditStatus(enabled, failure, daemon, limit, lost, backlog)
