"""SMB 2 and 3 messages (MS-SMB2): the state of one conversation and what its messages tell."""

from struct import Struct, error
from typing import Final

from sensors.network.dcerpc import DceRpc
from sensors.network.dialect import Message
from sensors.network.kerberos import ap_request
from sensors.network.ntlm import ntlm_message
from sensors.network.reading import wide
from sensors.network.smb_words import (
    OPEN_MAX,
    PENDING_MAX,
    file_event,
    login_result,
    mapping,
    negotiated,
    user_of,
)

_HEADER_BYTES: Final = 64
_COMPOUND_MAX: Final = 16
_NEGOTIATE, _SESSION, _TREE, _CREATE, _CLOSE, _WRITE, _IOCTL, _SET_INFO = 0, 1, 3, 5, 6, 9, 11, 17
_PIPE_TRANSCEIVE: Final = 0x0011C017
_REPLY, _ASYNC = 0x1, 0x2
_MORE: Final = 0xC0000016
_PENDING: Final = 0x103
_DELETE_ON_CLOSE: Final = 0x1000
_RENAME, _DISPOSITION, _DISPOSITION_MORE = 10, 13, 64
_SAME_FILE: Final = b"\xff" * 16
_SHARES: Final = {1: "DISK", 2: "PIPE", 3: "PRINT"}
_VERSIONS: Final = {
    0x0202: "2.0.2", 0x0210: "2.1", 0x02FF: "2.?", 0x0300: "3.0", 0x0302: "3.0.2", 0x0311: "3.1.1",
}  # fmt: skip

_header: Final = Struct("<4sHHIHHIIQIIQ").unpack_from
_u16: Final = Struct("<H").unpack_from
_u32: Final = Struct("<I").unpack_from
_u64: Final = Struct("<Q").unpack_from
_words: Final = Struct("<HH").unpack_from

Waiting = tuple[int, str, str, bytes, int]  # command, name, share or previous name, file id, options


class Smb2:
    """Names of shares and files by their handles; requests by their message id. All bounded."""

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}
        self._trees: dict[int, str] = {}
        self._files: dict[bytes, tuple[str, str, bool]] = {}  # file id -> share, name, deleted on close
        self._written: set[bytes] = set()
        self._last_file = b""
        self._user = ""
        self._pipes: dict[bytes, DceRpc] = {}

    def read(self, data: bytes) -> list[Message]:
        """What the (compounded) messages of one frame tell."""
        found: list[Message] = []
        try:
            for _ in range(_COMPOUND_MAX):
                head = _header(data, 0)
                following = head[7]
                body = data[:following] if following >= _HEADER_BYTES else data
                found += self._reply(body, head) if head[6] & _REPLY else self._request(body, head)
                if following < _HEADER_BYTES or following >= len(data):
                    break
                data = data[following:]
        except (error, IndexError):
            pass  # cut or lied: what was read stands
        return found

    def _request(self, data: bytes, head: tuple[int, ...]) -> list[Message]:
        command, number, tree = head[4], head[8], head[10]
        if command == _NEGOTIATE:
            count = min(_u16(data, 66)[0], 16)
            offered = [_version(_u16(data, 100 + 2 * place)[0]) for place in range(count)]
            return [negotiated("", offered, signing="", reply=False)]
        if command == _SESSION:
            self._wait(number, (command, "", "", b"", 0))
            tokens = _tokens(data)
            self._user = user_of(tokens)
            return tokens
        if command == _TREE:
            self._wait(number, (command, _name(data, 68), "", b"", 0))
        elif command == _CREATE:
            options = _u32(data, 104)[0]
            self._wait(number, (command, _name(data, 108), self._trees.get(tree, ""), b"", options))
        elif command == _CLOSE:
            self._close(data[72:88])
        elif command == _WRITE:
            at, size = _u16(data, 66)[0], _u32(data, 68)[0]
            return self._write(data[80:96], data[at : at + size])
        elif command == _IOCTL and _u32(data, 68)[0] == _PIPE_TRANSCEIVE:
            at, size = _u32(data, 88)[0], _u32(data, 92)[0]
            return self._piped(data[72:88], data[at : at + size])
        elif command == _SET_INFO:
            self._set(data, number)
        return []

    def _write(self, identifier: bytes, written: bytes) -> list[Message]:
        if written[:2] == b"\x05\0":
            return self._piped(identifier, written)
        if identifier in self._written or identifier not in self._files:
            return []
        if len(self._written) < OPEN_MAX:
            self._written.add(identifier)
        share, name, _ = self._files[identifier]
        message = file_event("write", share, name)
        return [message._replace(reply=False)]

    def _piped(self, identifier: bytes, written: bytes) -> list[Message]:
        """DCE/RPC through a named pipe."""
        if identifier not in self._pipes and len(self._pipes) < PENDING_MAX:
            name = self._files[identifier][1] if identifier in self._files else ""
            self._pipes[identifier] = DceRpc(name)
        pipe = self._pipes.get(identifier)
        return pipe.read(written, "smb") if pipe is not None else []

    def _set(self, data: bytes, number: int) -> None:
        kind, detail = data[66], data[67]
        at, identifier = _u16(data, 72)[0], data[80:96]
        if identifier == _SAME_FILE:
            identifier = self._last_file
        if kind != 1 or identifier not in self._files:
            return
        share, name, _ = self._files[identifier]
        if detail == _RENAME:
            size = min(_u32(data, at + 16)[0], 1_024)
            self._wait(number, (_SET_INFO, wide(data[at + 20 : at + 20 + size]), name, identifier, _RENAME))
        elif detail in (_DISPOSITION, _DISPOSITION_MORE) and data[at : at + 1] not in (b"\0", b""):
            self._wait(number, (_SET_INFO, name, share, identifier, _DISPOSITION))

    def _reply(self, data: bytes, head: tuple[int, ...]) -> list[Message]:
        status, command, number = head[3], head[4], head[8]
        if command == _NEGOTIATE:
            if status:
                return []
            mode, version = _words(data, 66)
            signing = "required" if mode & 2 else "enabled" if mode & 1 else "off"
            return [negotiated(_version(version), [], signing=signing, reply=True), *_tokens(data)]
        if status == _PENDING:
            return []
        waited = self._waiting.pop(number, None)
        if command == _SESSION:
            if status == _MORE:
                return _tokens(data)
            return [login_result(status, self._user, guest=not status and bool(_u16(data, 66)[0] & 3))]
        if waited is None or waited[0] != command:
            return []
        if command == _TREE:
            if not status and len(self._trees) < OPEN_MAX:
                self._trees[head[10]] = waited[1]
            share_type = "" if status else _SHARES.get(data[66], "")
            return [mapping(waited[1], share_type, status)]
        return self._opened(data, status, waited) if command == _CREATE else self._changed(status, waited)

    def _opened(self, data: bytes, status: int, waited: Waiting) -> list[Message]:
        _, name, share, _, options = waited
        if status:
            return [file_event("open", share, name, status=status)]
        action, size, identifier = _u32(data, 68)[0], _u64(data, 112)[0], data[128:144]
        is_deleted = bool(options & _DELETE_ON_CLOSE)
        if len(self._files) < OPEN_MAX:
            self._files[identifier] = (share, name, is_deleted)
        self._last_file = identifier
        found = [file_event("create" if action == 2 else "open", share, name, size=size)]
        if is_deleted:
            found.append(file_event("delete", share, name, size=size))
        return found

    def _changed(self, status: int, waited: Waiting) -> list[Message]:
        _, name, other, identifier, detail = waited
        if detail == _DISPOSITION:
            return [file_event("delete", other, name, status=status)]
        share = self._files[identifier][0] if identifier in self._files else ""
        if not status and identifier in self._files:
            self._files[identifier] = (share, name, False)
        return [file_event("rename", share, name, status=status, previous=other)]

    def _close(self, identifier: bytes) -> None:
        self._files.pop(self._last_file if identifier == _SAME_FILE else identifier, None)
        self._written.discard(identifier)
        self._pipes.pop(identifier, None)

    def _wait(self, number: int, waiting: Waiting) -> None:
        if len(self._waiting) >= PENDING_MAX:
            self._waiting.pop(next(iter(self._waiting)))
        self._waiting[number] = waiting


def _name(data: bytes, at: int) -> str:
    offset, size = _words(data, at)
    return wide(data[offset : offset + min(size, 1_024)]) if offset >= _HEADER_BYTES else ""


def _version(number: int) -> str:
    return _VERSIONS.get(number, f"0x{number:04x}")


def _tokens(data: bytes) -> list[Message]:
    return [one for one in (ntlm_message(data, "smb"), ap_request(data, "smb")) if one is not None]
