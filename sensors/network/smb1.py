"""SMB 1 messages (MS-CIFS, MS-SMB): the state of one conversation and what its messages tell."""

from struct import Struct, error
from typing import Final

from sensors.network.dcerpc import DceRpc
from sensors.network.dialect import Message
from sensors.network.kerberos import ap_request
from sensors.network.ntlm import ntlm_message
from sensors.network.reading import text, until_zero, wide
from sensors.network.smb_words import (
    OPEN_MAX,
    PENDING_MAX,
    file_event,
    login_result,
    mapping,
    negotiated,
    user_of,
)

_HEADER_BYTES: Final = 32
_CHAIN_MAX: Final = 4
_TRANSACTION, _PIPE_CALL = 0x25, 0x26
_DELETE, _RENAME, _WRITE, _NEGOTIATE, _SESSION, _TREE, _CREATE = 0x06, 0x07, 0x2F, 0x72, 0x73, 0x75, 0xA2
_CHAINED: Final = frozenset({_SESSION, _TREE, _CREATE, _WRITE})
_REPLY: Final = 0x80
_WIDE: Final = 0x8000
_MORE: Final = 0xC0000016
_DELETE_ON_CLOSE: Final = 0x1000

_header: Final = Struct("<4sBIBHH8sHHHHH").unpack_from
_u16: Final = Struct("<H").unpack_from
_u32: Final = Struct("<I").unpack_from
_u64: Final = Struct("<Q").unpack_from


class Smb1:
    """Shares by tree id, requests by (process, multiplex) id, files by handle. All bounded."""

    def __init__(self) -> None:
        self._trees: dict[int, str] = {}
        self._waiting: dict[tuple[int, int], tuple[str, str, int]] = {}
        self._files: dict[int, tuple[str, str]] = {}
        self._offered: list[str] = []
        self._user = ""
        self._pipes: dict[int, DceRpc] = {}

    def read(self, data: bytes) -> list[Message]:
        """What the (chained) commands of one frame tell."""
        found: list[Message] = []
        try:
            head = _header(data, 0)
            command, at = head[1], _HEADER_BYTES
            for _ in range(_CHAIN_MAX):
                words = 2 * data[at]
                body = at + 1 + words + 2
                if head[3] & _REPLY:
                    found += self._reply(data, head, command, at + 1, words, body)
                else:
                    found += self._request(data, head, command, at + 1, words, body)
                if command not in _CHAINED or words < 4:
                    break
                command, following = data[at + 1], _u16(data, at + 3)[0]
                if command == 0xFF or following <= at:
                    break
                at = following
        except (error, IndexError):
            pass  # cut or lied: what was read stands
        return found

    def _request(
        self, data: bytes, head: tuple[int, ...], command: int, words_at: int, words: int, body: int
    ) -> list[Message]:
        is_wide, tree = bool(head[4] & _WIDE), head[8]
        key = (head[9], head[11])
        share = self._trees.get(tree, "")
        if command == _NEGOTIATE:
            self._offered = [text(one[1:], 64) for one in data[body : body + 512].split(b"\0")[:16] if one]
            return [negotiated("", self._offered, signing="", reply=False)]
        if command == _SESSION:
            tokens = [one for one in (ntlm_message(data, "smb"), ap_request(data, "smb")) if one is not None]
            told = tokens or _plain_login(data, words_at, words, body, is_wide)
            self._user = user_of(told)
            return told
        if command == _TREE:
            self._wait(key, _string(data, body + _u16(data, words_at + 6)[0], is_wide), "", 0)
        elif command == _CREATE and words >= 48:
            size, options = _u16(data, words_at + 5)[0], _u32(data, words_at + 39)[0]
            start = _aligned(body, is_wide)
            raw = data[start : start + min(size, 1_024)]
            self._wait(key, wide(raw) if is_wide else text(raw), share, options)
        elif command in (_DELETE, _RENAME):
            return [self._named(data, command, body, share, is_wide)]
        elif command == _TRANSACTION and words >= 32 and _u16(data, words_at + 28)[0] == _PIPE_CALL:
            return self._piped(_u16(data, words_at + 30)[0], data[_u16(data, words_at + 24)[0] :])
        elif command == _WRITE and words >= 24:
            handle, written = _u16(data, words_at + 4)[0], data[_u16(data, words_at + 22)[0] :]
            if written[:2] == b"\x05\0":
                return self._piped(handle, written)
            file = self._files.get(handle)
            return [file_event("write", *file)._replace(reply=False)] if file else []
        return []

    def _piped(self, handle: int, written: bytes) -> list[Message]:
        """DCE/RPC through a named pipe."""
        if handle not in self._pipes and len(self._pipes) < PENDING_MAX:
            name = self._files[handle][1].lstrip("\\") if handle in self._files else ""
            self._pipes[handle] = DceRpc(name)
        pipe = self._pipes.get(handle)
        return pipe.read(written, "smb") if pipe is not None else []

    def _named(self, data: bytes, command: int, body: int, share: str, is_wide: bool) -> Message:
        name = _string(data, body + 1, is_wide)
        if command == _DELETE:
            return file_event("delete", share, name)._replace(reply=False)
        behind = _aligned(body + 1, is_wide) + (2 * len(name) + 2 if is_wide else len(name) + 1)
        other = _string(data, behind + 1, is_wide)
        return file_event("rename", share, other, previous=name)._replace(reply=False)

    def _reply(
        self, data: bytes, head: tuple[int, ...], command: int, words_at: int, words: int, body: int
    ) -> list[Message]:
        status, tree = head[2], head[8]
        if command == _NEGOTIATE and words >= 2:
            chosen = _u16(data, words_at)[0]
            name = self._offered[chosen] if chosen < len(self._offered) else ""
            mode = data[words_at + 2] if words >= 34 else 0
            signing = "required" if mode & 8 else "enabled" if mode & 4 else "off"
            return [negotiated(name, [], signing=signing, reply=True)] if chosen != 0xFFFF else []
        if command == _SESSION:
            if status == _MORE:
                token = ntlm_message(data, "smb")
                return [token] if token is not None else []
            guest = not status and words >= 6 and bool(_u16(data, words_at + 4)[0] & 1)
            return [login_result(status, self._user, guest=guest)]
        if command not in (_TREE, _CREATE):
            return []
        waited = self._waiting.pop((head[9], head[11]), None)
        if waited is None:
            return []
        name, share, options = waited
        if command == _TREE:
            if not status and len(self._trees) < OPEN_MAX:
                self._trees[tree] = name
            kind = until_zero(data[body : body + 16])
            share_type = (
                "" if status else "PIPE" if kind == b"IPC" else "PRINT" if kind[:3] == b"LPT" else "DISK"
            )
            return [mapping(name, share_type, status)]
        return self._opened(data, status, words_at, (name, share, options))

    def _opened(self, data: bytes, status: int, words_at: int, waited: tuple[str, str, int]) -> list[Message]:
        name, share, options = waited
        if status:
            return [file_event("open", share, name, status=status)]
        handle, action, size = (
            _u16(data, words_at + 5)[0],
            _u32(data, words_at + 7)[0],
            _u64(data, words_at + 55)[0],
        )
        if len(self._files) < OPEN_MAX:
            self._files[handle] = (share, name)
        found = [file_event("create" if action == 2 else "open", share, name, size=size)]
        if options & _DELETE_ON_CLOSE:
            found.append(file_event("delete", share, name, size=size))
        return found

    def _wait(self, key: tuple[int, int], name: str, share: str, options: int) -> None:
        if len(self._waiting) >= PENDING_MAX:
            self._waiting.pop(next(iter(self._waiting)))
        self._waiting[key] = (name, share, options)


def _plain_login(data: bytes, words_at: int, words: int, body: int, is_wide: bool) -> list[Message]:
    """A log-in of NT LM 0.12 without extended security: account and domain in clear."""
    if words != 26:
        return []
    start = body + _u16(data, words_at + 14)[0] + _u16(data, words_at + 16)[0]
    user = _string(data, start, is_wide)
    behind = _aligned(start, is_wide) + (2 * len(user) + 2 if is_wide else len(user) + 1)
    fields = {
        "event.action": "smb-login",
        "event.category": "authentication",
        "user.name": user,
        "user.domain": _string(data, behind, is_wide),
    }
    return [Message("net.smb", "smb", {**fields}, {"username": user})]


def _aligned(at: int, is_wide: bool) -> int:
    return at + (at & 1) if is_wide else at


def _string(data: bytes, at: int, is_wide: bool) -> str:
    if not is_wide:
        return text(until_zero(data[at : at + 512]))
    at = _aligned(at, True)
    raw = data[at : at + 1_024]
    for end in range(0, len(raw) - 1, 2):
        if raw[end] == 0 and raw[end + 1] == 0:
            return wide(raw[:end])
    return wide(raw)
