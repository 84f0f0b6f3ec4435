"""Passwords: scrypt hashes that carry their parameters, the rules for a new one, and one-time passwords.

Stored form: ``scrypt$<log2 n>$<r>$<p>$<salt hex>$<hash hex>``. A stored hash names its own cost, so raising
the cost later leaves old passwords usable until they are next changed.
"""

import hashlib
import hmac
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from typing import Final

from crypto.words import BadInput, Words
from soc_api.common_words import is_common

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 256
CLASSES_MIN: Final = 3  # of lower case, upper case, digits and everything else
PAST_KEPT: Final = 5  # a new password is none of these

_SALT_BYTES: Final = 16
_HASH_BYTES: Final = 32
_HASHING_AT_ONCE_MAX: Final = 2  # 32 MiB each: a flood of logins must not take the memory
# Without letters and digits that look alike, since a person copies it from a terminal.
_ONE_TIME_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz"
_ONE_TIME_DIGITS: Final = "23456789"

_hashing: Final = threading.BoundedSemaphore(_HASHING_AT_ONCE_MAX)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """scrypt's parameters: memory is 128 * r * 2**log2_n bytes (32 MiB by default, about 0.1 s)."""

    log2_n: int = 15
    r: int = 8
    p: int = 1


def hash_password(password: str, cost: Cost) -> str:
    """The stored form of ``password`` with a new salt."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"scrypt${cost.log2_n}${cost.r}${cost.p}${salt.hex()}${_scrypt(password, salt, cost).hex()}"


def matches(password: str, stored: str) -> bool:
    """Whether ``password`` is the stored one, compared in constant time."""
    _, log2_n, r, p, salt, expected = stored.split("$")
    cost = Cost(log2_n=int(log2_n), r=int(r), p=int(p))
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt), cost), bytes.fromhex(expected))


def one_time_password() -> str:
    """A random password of four groups, about 80 bits, which keeps the rules itself."""
    groups = [
        "".join(secrets.choice(_ONE_TIME_LETTERS) for _ in range(4)),
        "".join(secrets.choice(_ONE_TIME_DIGITS) for _ in range(4)),
        "".join(secrets.choice(_ONE_TIME_LETTERS.upper()) for _ in range(4)),
        "".join(secrets.choice(_ONE_TIME_LETTERS + _ONE_TIME_DIGITS) for _ in range(6)),
    ]
    return "-".join(groups)


def check_rules(password: str, *, username: str, display_name: str) -> None:
    """Nothing, or BadInput (password-weak) that says which rule the new password breaks."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise _weak(
            Words(
                f"口令须为 {LENGTH_MIN}-{LENGTH_MAX} 个字符",
                f"a password has {LENGTH_MIN}-{LENGTH_MAX} characters",
            )
        )
    if _classes(password) < CLASSES_MIN:
        raise _weak(
            Words(
                "口令须含大写字母、小写字母、数字、其他字符中的至少三类",
                "a password mixes at least three of upper case, lower case, digits and other characters",
            )
        )
    folded = _folded(password)
    if any(len(name) > 1 and _folded(name) in folded for name in (username, display_name)):
        raise _weak(Words("口令不得包含用户名或姓名", "a password does not contain the user's name"))
    if is_common(password):
        raise _weak(
            Words(
                "口令不得由常见词、键盘序列或重复字符构成",
                "a password is no common word, key sequence or repetition",
            )
        )


def used_before() -> BadInput:
    """The refusal of a password that is one of the last ones."""
    return _weak(
        Words(f"不得使用最近 {PAST_KEPT} 次用过的口令", f"the last {PAST_KEPT} passwords are barred")
    )


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    n = 1 << cost.log2_n
    text = unicodedata.normalize("NFKC", password).encode()
    with _hashing:
        return hashlib.scrypt(
            text, salt=salt, n=n, r=cost.r, p=cost.p, maxmem=256 * n * cost.r, dklen=_HASH_BYTES
        )


def _classes(password: str) -> int:
    kinds = {
        "upper" if sign.isupper() else "lower" if sign.islower() else "digit" if sign.isdigit() else "other"
        for sign in password
    }
    return len(kinds)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _weak(reason: Words) -> BadInput:
    return BadInput("password-weak", reason, Words("请换一个口令", "choose another password"), field="new")
