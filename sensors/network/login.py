"""A log-in seen on the wire, told the same way whatever the protocol: the attempt, and what came of it.

A secret is never kept: what stays is a fixed mask and its keyed mark (reading.mark_of), which tells that two
log-ins used the same password, not which.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Final

from sensors.event import Value
from sensors.network.dialect import Message
from sensors.network.reading import MASK, mark_of, text

CATEGORY: Final = "authentication"  # of the log source, whatever the service


def attempt(
    service: str,
    user: str,
    secret: bytes,
    key: bytes,
    *,
    method: str = "",
    native: dict[str, Value] | None = None,
) -> Message:
    """Credentials as the client sent them; ``secret`` is b'' where none crossed the wire in clear."""
    fields: dict[str, Value] = {
        "event.category": "authentication",
        "event.action": "login-attempt",
        "user.name": user,
        "gov.credential.clear": bool(secret),
    }
    if secret:
        fields |= {
            "gov.credential.kind": "password",
            "gov.credential.shown": MASK,
            "gov.credential.mark": mark_of(secret, key),
        }
    if method:
        fields["gov.login.method"] = method
    said: dict[str, Value] = {"user": user, **(native or {})}
    return Message("net.login", service, fields, said, category=CATEGORY)


def outcome(
    service: str, user: str, success: bool, said: str = "", native: dict[str, Value] | None = None
) -> Message:
    """What the server made of the last attempt."""
    fields: dict[str, Value] = {
        "event.category": "authentication",
        "event.action": "login-result",
        "event.outcome": "success" if success else "failure",
        "user.name": user,
    }
    if said:
        fields["gov.login.said"] = said
    told: dict[str, Value] = {"user": user, "success": success, **(native or {})}
    return Message("net.login", service, fields, told, reply=True, category=CATEGORY)


def plain_parts(token: bytes) -> tuple[str, bytes] | None:
    """(user, secret) of a SASL PLAIN response (RFC 4616) in base64."""
    raw = decoded(token)
    parts = raw.split(b"\0") if raw is not None else []
    return (text(parts[1] or parts[0], 256), parts[2]) if len(parts) == 3 else None


def decoded(token: bytes) -> bytes | None:
    """Base64 undone, None where it is none."""
    try:
        return b64decode(token[:2_048].strip(), validate=True)
    except (Base64Error, ValueError):
        return None
