"""One-time codes of six digits in the shape of RFC 4226 and RFC 6238, over HMAC-SM3 or HMAC-SHA-256.

The counter is the number of the 30-second step since 1970. SM3 is for tokens and cards that speak it,
SHA-256 for the common phone apps; both truncate as RFC 4226 section 5.3 says.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from typing import Final, Literal
from urllib.parse import quote, urlencode

from crypto.sm3 import hmac_sm3
from crypto.words import BadInput, Words

Hash = Literal["sm3", "sha256"]

DIGITS: Final = 6
STEP_SECONDS: Final = 30
SECRET_BYTES: Final = 20  # RFC 4226 recommends 160 bits; 32 letters are still typed by hand
DRIFT_STEPS: Final = 1  # a clock half a minute off, or a code read at the end of its step

_URI_NAMES: Final[dict[Hash, str]] = {"sm3": "SM3", "sha256": "SHA256"}


def new_secret() -> bytes:
    """A random secret to be shared with a person's device."""
    return secrets.token_bytes(SECRET_BYTES)


def code_of_counter(secret: bytes, counter: int, hash_name: Hash = "sm3") -> str:
    """The code of a counter (RFC 4226)."""
    digest = _keyed(secret, counter.to_bytes(8, "big"), hash_name)
    place = digest[-1] & 0xF
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def step_of(now: datetime) -> int:
    """The number of the step ``now`` lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, now: datetime, hash_name: Hash = "sm3") -> str:
    """The code a device shows at ``now`` (RFC 6238)."""
    return code_of_counter(secret, step_of(now), hash_name)


def matching_step(
    secret: bytes, code: str, now: datetime, hash_name: Hash = "sm3", *, after: int = 0
) -> int | None:
    """The step whose code was given, among those near ``now`` and later than ``after``; None where none is.

    All steps are compared, each in constant time. A caller that keeps the step as the next ``after``
    refuses the same code a second time.
    """
    given = code.strip().replace(" ", "")
    found: int | None = None
    middle = step_of(now)
    for step in range(middle - DRIFT_STEPS, middle + DRIFT_STEPS + 1):
        same = hmac.compare_digest(code_of_counter(secret, step, hash_name).encode(), given.encode())
        if same and step > after and found is None:
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """The secret as a person types it: base 32 in groups of four."""
    text = base64.b32encode(secret).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def secret_of(text: str) -> bytes:
    """What ``secret_text`` made, typed in any case and with any spaces. Raises BadInput (otp-secret)."""
    letters = "".join(text.split()).replace("-", "").upper().rstrip("=")
    try:
        return base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError as error:
        raise BadInput(
            "otp-secret",
            Words("动态口令密钥不是 Base32 文本", "the secret of one-time codes is not base 32"),
            Words("请原样抄写绑定页给出的密钥", "copy it from the page that gave it"),
            field="secret",
        ) from error


def enrol_uri(secret: bytes, *, issuer: str, person: str, hash_name: Hash) -> str:
    """The ``otpauth:`` address a device takes the secret from, as a QR code or a link."""
    query = {
        "secret": secret_text(secret).replace(" ", ""),
        "issuer": issuer,
        "algorithm": _URI_NAMES[hash_name],
        "digits": str(DIGITS),
        "period": str(STEP_SECONDS),
    }
    return f"otpauth://totp/{quote(issuer)}:{quote(person)}?{urlencode(query, quote_via=quote)}"


def _keyed(secret: bytes, data: bytes, hash_name: Hash) -> bytes:
    if hash_name == "sm3":
        return hmac_sm3(secret, data)
    return hmac.new(secret, data, hashlib.sha256).digest()
