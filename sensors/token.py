"""The enrolment token: where the center is, which root it must show, and a secret that works once.

Text: ``LH1.`` and base64url of MessagePack ``[addresses, root fingerprint, token id, secret, CRC32C]``; the
checksum finds a token that was cut while pasting, it protects nothing.
"""

import base64
import binascii
from typing import Annotated, Final

import google_crc32c
import msgspec

from crypto.words import BadInput, Words

PREFIX: Final = "LH1."
TOKEN_CHARS_MAX: Final = 2_048
SECRET_BYTES: Final = 32


class Token(msgspec.Struct, frozen=True, kw_only=True, array_like=True, forbid_unknown_fields=True):
    """A parsed token; ``repr`` keeps the secret to itself."""

    addresses: Annotated[list[str], msgspec.Meta(min_length=1, max_length=8)]  # "host:port", "[v6]:port"
    authority: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]  # SM3 of the root's DER
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    secret: Annotated[bytes, msgspec.Meta(min_length=SECRET_BYTES, max_length=SECRET_BYTES)]
    checksum: int = 0

    def __repr__(self) -> str:
        return f"Token(id={self.id!r}, addresses={self.addresses!r})"


_decoder: Final = msgspec.msgpack.Decoder(Token)


def encode_token(token: Token) -> str:
    """The token as one word without spaces."""
    data = msgspec.msgpack.encode(msgspec.structs.replace(token, checksum=_checksum(token)))
    return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_token(text: str) -> Token:
    """A token from its text, surrounding blanks allowed. Raises BadInput; the text is in no message."""
    word = text.strip()
    if not word.startswith(PREFIX) or len(word) > TOKEN_CHARS_MAX:
        raise _bad(f"it does not start with {PREFIX} or is too long")
    body = word.removeprefix(PREFIX)
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        token = _decoder.decode(data)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise _bad("it is incomplete or altered") from error
    if token.checksum != _checksum(token):
        raise _bad("it is incomplete or altered")
    return token


def _checksum(token: Token) -> int:
    data = msgspec.msgpack.encode(msgspec.structs.replace(token, checksum=0))
    return int(google_crc32c.value(data))


def _bad(reason: str) -> BadInput:
    return BadInput(
        "token-malformed",
        Words("注册令牌不完整或不是令牌", f"not an enrolment token: {reason}"),
        Words("请在控制台重新复制整个令牌", "copy the whole token from the console again"),
    )
