"""Bodies of login, second factors and the own session."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from soc_api.bodies import Body, Role


class KeyProof(Body):
    """A challenge of POST /api/v1/session/challenge, signed by the person's registered SM2 key."""

    challenge: str = Field(min_length=1, max_length=512)
    key: str = Field(pattern=r"^[0-9a-f]{64}$")
    signature: str = Field(min_length=1, max_length=512, pattern=r"^[0-9a-fA-F]+$")


class Login(Body):
    """POST /api/v1/session; ``code`` and ``proof`` stay empty in the login of a one-time password."""

    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=256)
    code: str = Field(default="", max_length=16)  # what the bound device shows
    proof: KeyProof | None = None  # a signed challenge in its place


class PasswordChange(Body):
    """POST /api/v1/session/password."""

    old: str = Field(min_length=1, max_length=256)
    new: str = Field(min_length=10, max_length=256)


class ChallengeOrder(Body):
    """POST /api/v1/session/challenge."""

    username: str = Field(min_length=1, max_length=64)


class Challenge(Body):
    """The text to sign, byte for byte, within five minutes."""

    challenge: str


class FactorOrder(Body):
    """POST /api/v1/session/factor: SM3 for tokens that speak it, SHA-256 for common phone apps."""

    hash: Literal["sm3", "sha256"] = "sm3"


class FactorOffer(Body):
    """What the device takes: shown once. ``image`` is the QR code of ``uri``."""

    hash: Literal["sm3", "sha256"]
    secret: str
    uri: str
    image: str


class FactorCode(Body):
    """POST /api/v1/session/factor/code: what the device shows now."""

    code: str = Field(min_length=6, max_length=16)


class Session(Body):
    """GET /api/v1/session; ``csrf`` is sent back in the X-CSRF-Token header of every change."""

    username: str
    display_name: str
    role: Role
    must_change_password: bool
    factor: Literal["", "otp", "key"]  # "": nothing is open before one is bound
    permissions: list[str]
    csrf: str
    expires: datetime
    center: str
    unit: str
