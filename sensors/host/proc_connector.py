"""Kernel process events: the proc connector, a netlink multicast group that tells of every exec.

Wire form (linux/cn_proc.h), host byte order:
nlmsghdr 16 bytes (length, type, flags, sequence, sender) · cn_msg 20 bytes (idx, val, seq, ack, len u16,
flags u16) · proc_event: what u32 @36, cpu u32 @40, timestamp u64 @44, then for EXEC pid i32 @52 and
tgid i32 @56.
Needs CAP_NET_ADMIN and the initial namespaces; where either is missing ``open_connector`` says which.
"""

import ctypes
import errno
import select
import socket
import struct
from collections.abc import Iterator
from typing import Final

from crypto.words import LiuheError, Words

_NETLINK_CONNECTOR: Final = 11
_CN_IDX_PROC: Final = 1
_CN_VAL_PROC: Final = 1
_LISTEN: Final = 1
_IGNORE: Final = 2
_EVENT_EXEC: Final = 0x00000002
_SO_ATTACH_FILTER: Final = 26
_SO_RCVBUFFORCE: Final = 33
_BUFFER_BYTES: Final = 4 * 1024 * 1024  # ~8,000 waiting events: a second of a fork storm
_MESSAGE: Final = struct.Struct("=IHHII IIIIHH I")
_EXEC: Final = struct.Struct("=ii")
_WHAT: Final = struct.Struct("=I")
_BATCH_MAX: Final = 512
_ACK_SECONDS: Final = 1.0


class Overrun(Exception):
    """The kernel dropped process events because they were not read in time."""


class ExecConnector:
    """An open subscription; ``wait`` gives the ids of processes that executed a program."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)

    def wait(self, seconds: float) -> Iterator[int]:
        """Thread-group ids of execs as they come, at most 512, for ``seconds`` at most. Raises Overrun.

        Each id is given before the next is received: its process may live half a millisecond.
        """
        if not self._poll.poll(int(seconds * 1000)):
            return
        for _ in range(_BATCH_MAX):
            try:
                data, sender = self._channel.recvfrom(4096)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    raise Overrun from error
                raise
            tgid = parse_exec(data)
            if tgid > 0 and sender[0] == 0:  # 0: from the kernel
                yield tgid

    def close(self) -> None:
        """Unsubscribe, so that the kernel stops making events nobody reads."""
        try:
            self._channel.send(_subscription(_IGNORE))
        except OSError:
            pass
        self._channel.close()


def parse_exec(data: bytes) -> int:
    """The thread-group id of an EXEC message; 0 where the message is another one."""
    if len(data) < 60 or _WHAT.unpack_from(data, 36)[0] != _EVENT_EXEC:
        return 0
    tgid: int = _EXEC.unpack_from(data, 52)[1]
    return tgid


def open_connector() -> ExecConnector:
    """Subscribe. Raises LiuheError saying what is missing: capability, kernel feature or namespace."""
    try:
        channel = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_CONNECTOR)
    except OSError as error:
        raise _missing(
            "内核没有进程连接器(CONFIG_PROC_EVENTS)", "the kernel has no proc connector (CONFIG_PROC_EVENTS)"
        ) from error
    try:
        channel.bind((0, _CN_IDX_PROC))
        try:
            channel.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _BUFFER_BYTES)
        except OSError:
            channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        channel.settimeout(_ACK_SECONDS)
        channel.send(_subscription(_LISTEN))
        channel.recv(4096)  # the kernel acknowledges; in a container it stays silent
        _attach_filter(channel)
        channel.setblocking(False)
    except TimeoutError as error:
        channel.close()
        raise _missing(
            "内核不向本命名空间发送进程事件", "the kernel sends no process events to this namespace"
        ) from error
    except OSError as error:
        channel.close()
        raise _missing("缺少 CAP_NET_ADMIN 能力", "the capability CAP_NET_ADMIN is missing") from error
    return ExecConnector(channel)


def _subscription(operation: int) -> bytes:
    return _MESSAGE.pack(
        _MESSAGE.size, 3, 0, 0, 0, _CN_IDX_PROC, _CN_VAL_PROC, 0, 0, 4, 0, operation
    )  # 3: NLMSG_DONE


def _attach_filter(channel: socket.socket) -> None:
    """Let only EXEC messages through: forks and exits are twenty times as many."""
    instruction = struct.Struct("=HBBI")
    program = b"".join(
        (
            instruction.pack(0x20, 0, 0, 36),  # load the word at 36 (network order)
            instruction.pack(0x15, 0, 1, socket.htonl(_EVENT_EXEC)),  # equal? else skip one
            instruction.pack(0x06, 0, 0, 0xFFFFFFFF),  # keep
            instruction.pack(0x06, 0, 0, 0),  # drop
        )
    )
    buffer = ctypes.create_string_buffer(program)
    channel.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 4, ctypes.addressof(buffer)))


def _missing(zh: str, en: str) -> LiuheError:
    return LiuheError(
        "proc-connector-missing",
        Words(zh, en),
        Words(
            "以 root 或 CAP_NET_ADMIN 运行可即时看到进程;否则改为轮询 /proc",
            "run as root or with CAP_NET_ADMIN; /proc is polled instead",
        ),
    )
