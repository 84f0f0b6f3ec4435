"""What both generations of SMB say of shares, files and log-ins, told the same way."""

from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message

PENDING_MAX: Final = 64  # requests that wait for their answer
OPEN_MAX: Final = 256  # files and shares remembered
ROOT: Final = "<share_root>"
STATUS: Final = {
    0xC0000022: "ACCESS_DENIED", 0xC000006D: "LOGON_FAILURE", 0xC0000064: "NO_SUCH_USER",
    0xC000006A: "WRONG_PASSWORD", 0xC000006E: "ACCOUNT_RESTRICTION", 0xC0000071: "PASSWORD_EXPIRED",
    0xC0000072: "ACCOUNT_DISABLED", 0xC0000234: "ACCOUNT_LOCKED_OUT", 0xC0000193: "ACCOUNT_EXPIRED",
    0xC0000133: "TIME_DIFFERENCE_AT_DC", 0xC000015B: "LOGON_TYPE_NOT_GRANTED",
    0xC00000CC: "BAD_NETWORK_NAME", 0xC0000034: "OBJECT_NAME_NOT_FOUND", 0xC0000035: "OBJECT_NAME_COLLISION",
    0xC000003A: "OBJECT_PATH_NOT_FOUND", 0xC0000043: "SHARING_VIOLATION", 0xC00000BA: "FILE_IS_A_DIRECTORY",
    0xC0000103: "NOT_A_DIRECTORY", 0xC0000016: "MORE_PROCESSING_REQUIRED", 0x00000103: "PENDING",
}  # fmt: skip


def status_name(status: int) -> str:
    """SUCCESS, the NT status's name, or its number."""
    return "SUCCESS" if status == 0 else STATUS.get(status) or f"0x{status:08x}"


def negotiated(version: str, offered: list[str], *, signing: str, reply: bool) -> Message:
    """What is offered or chosen."""
    words: list[str | int | float | bool | None] = [*offered]
    fields: dict[str, Value] = {"event.action": "smb-negotiated" if reply else "smb-negotiate"}
    if reply:
        fields |= {"gov.smb.version": version, "gov.smb.signing": signing}
    else:
        fields["gov.smb.offered"] = words
    return Message("net.smb", "smb", fields, {"version": version} if reply else {}, reply=reply)


def user_of(told: list[Message]) -> str:
    """Whom the tokens of a session set-up name."""
    return next((str(one.fields["user.name"]) for one in told if one.fields.get("user.name")), "")


def login_result(status: int, user: str, *, guest: bool) -> Message:
    """How a session set-up ended; ``user`` is whom its NTLM token named, if one did."""
    fields: dict[str, Value] = {
        "event.action": "smb-login-result",
        "event.category": "authentication",
        "event.outcome": "failure" if status else "success",
        "gov.smb.status": status_name(status),
        "gov.smb.guest": guest,
    }
    if user:
        fields["user.name"] = user
    return Message("net.smb", "smb", fields, {"status": status_name(status)}, reply=True)


def mapping(path: str, share_type: str, status: int) -> Message:
    """A share that was connected, or refused."""
    fields: dict[str, Value] = {
        "event.action": "smb-tree-connect",
        "event.outcome": "failure" if status else "success",
        "gov.smb.share": path,
        "gov.smb.share_type": share_type,
        "gov.smb.status": status_name(status),
    }
    native: dict[str, Value] = {"path": path}
    if share_type:
        native["share_type"] = share_type
    return Message("net.smb", "smb", fields, native, reply=True, log="smb_mapping")


def file_event(
    action: str, share: str, name: str, *, status: int = 0, size: int = -1, previous: str = ""
) -> Message:
    """``action`` open, create, write, rename, delete: on a file of a share."""
    name = name.lstrip("\\") or ROOT
    zeek = "FILE_OPEN" if action == "create" else f"FILE_{action.upper()}"
    fields: dict[str, Value] = {
        "event.action": f"smb-file-{action}",
        "event.outcome": "failure" if status else "success",
        "gov.smb.share": share,
        "file.path": name,
        "file.name": name.rsplit("\\", 1)[-1],
        "gov.smb.status": status_name(status),
    }
    native: dict[str, Value] = {"action": f"SMB::{zeek}", "name": name}
    if share:
        native["path"] = share
    if size >= 0:
        fields["file.size"] = native["size"] = size
    if previous:
        native["prev_name"] = fields["gov.smb.previous_name"] = previous.lstrip("\\")
    return Message("net.smb", "smb", fields, native, reply=True, log="smb_files")
