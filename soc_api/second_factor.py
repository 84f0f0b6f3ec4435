"""The second factor: a device that shows one-time codes, or a signature by the person's own SM2 key.

A device is bound in the session of a one-time password, by a code it shows. A code opens one session.
"""

import secrets
import threading
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

import msgspec

from crypto.otp import Hash, enrol_uri, matching_step, new_secret, secret_text
from crypto.words import LiuheError, Refused, Words
from soc_api.audit import Entry
from soc_api.second_factor_store import Factor, FactorStore
from soc_api.secret_box import SecretBox

FactorName = Literal["", "otp", "key"]  # "" only in the session of a one-time password

CHALLENGE_VALID: Final = timedelta(minutes=5)  # time to carry it to the key and back
CHALLENGES_MAX: Final = 1_000
PURPOSE: Final = "second factor"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a person puts into their device; shown once, kept sealed."""

    hash: Hash
    secret: str
    uri: str


class KeyProof(msgspec.Struct, frozen=True, kw_only=True):
    """A challenge signed by the person's key, ``key`` its fingerprint and ``signature`` in hex."""

    challenge: str
    key: str
    signature: str


class Signatures(Protocol):
    """Whether ``person`` signed ``data`` by a registered key of theirs."""

    def holds(self, data: bytes, proof: KeyProof, person: str, made: datetime, now: datetime) -> bool: ...


class Challenges:
    """Texts given out to be signed, each for one name and one try; a restart forgets them."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[str, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def give(self, username: str, now: datetime) -> str:
        """A new text for ``username``, known or not."""
        text = f"liuhe login {username} {secrets.token_hex(16)} {now.isoformat()}"
        with self._lock:
            self._open[text] = (username, now)
            while len(self._open) > CHALLENGES_MAX:
                self._open.popitem(last=False)
        return text

    def take(self, text: str, username: str, now: datetime) -> datetime | None:
        """When the text was given to ``username``; None where it was not, is too old, or was used."""
        with self._lock:
            found = self._open.pop(text, None)
        if found is None or found[0] != username or now - found[1] > CHALLENGE_VALID:
            return None
        return found[1]


class SecondFactors:
    """Devices and keys over a ``FactorStore``; ``box`` seals what devices share with the center."""

    def __init__(
        self, store: FactorStore, box: SecretBox, signatures: Signatures, *, issuer: str = "Liuhe 六合"
    ) -> None:
        self._store = store
        self._box = box
        self._signatures = signatures
        self._issuer = issuer
        self._challenges = Challenges()

    def bound(self, account: int) -> Factor | None:
        """The device of an account, where one has proven itself."""
        found = self._store.factor(account)
        return found if found is not None and found.bound is not None else None

    def offer(self, account: int, username: str, hash_name: Hash, now: datetime, said: Entry) -> Offer:
        """A fresh secret for a device to come. Raises Refused (second-factor-bound)."""
        secret = new_secret()
        new = Factor(
            account=account,
            hash=hash_name,
            secret=self._box.seal(secret, _owner(account)),
            made=now,
            bound=None,
            last_step=0,
        )
        if not self._store.offer(new, said):
            raise _bound_already()
        uri = enrol_uri(secret, issuer=self._issuer, person=username, hash_name=hash_name)
        return Offer(hash=hash_name, secret=secret_text(secret), uri=uri)

    def bind(self, account: int, code: str, token_digest: str, now: datetime, said: Entry) -> None:
        """The device shows ``code``: it is bound. Raises Refused (second-factor-code, -bound)."""
        found = self._store.factor(account)
        if found is not None and found.bound is not None:
            raise _bound_already()
        step = None if found is None else self._step(found, code, now)
        if step is None:
            raise Refused(
                "second-factor-code",
                Words("动态码不对", "the code is wrong"),
                Words(
                    "请核对设备时间与算法,输入设备当前显示的 6 位数字",
                    "check the device's clock and algorithm, and type the six digits it shows now",
                ),
                field="code",
            )
        if not self._store.bind(account, step, token_digest, now, said):
            raise _bound_already()

    def step(self, account: int, code: str, now: datetime) -> int | None:
        """The step of a code that the bound device shows and that is not spent; None where there is none."""
        found = self.bound(account)
        return None if found is None else self._step(found, code, now)

    def challenge(self, username: str, now: datetime) -> str:
        """A text for the person's key to sign."""
        return self._challenges.give(username, now)

    def proven(self, username: str, proof: KeyProof, now: datetime) -> bool:
        """Whether the person's key signed the challenge; either way the challenge is used up."""
        made = self._challenges.take(proof.challenge, username, now)
        if made is None:
            return False
        data = proof.challenge.encode()
        return self._signatures.holds(data, proof, f"user:{username}", made, now)

    def _step(self, factor: Factor, code: str, now: datetime) -> int | None:
        secret = self._box.open(factor.secret, _owner(factor.account))
        return matching_step(secret, code, now, factor.hash, after=factor.last_step)


def unbound() -> LiuheError:
    """The refusal of a chosen password that has no second factor beside it."""
    return Refused(
        "second-factor-unbound",
        Words("此账号没有第二因素", "this account has no second factor"),
        Words(
            "请让系统管理员重新签发一次性口令,登录后绑定",
            "ask the system administrator for a new one-time password, then bind one",
        ),
    )


def required() -> LiuheError:
    """The refusal of everything else before a second factor is bound."""
    return Refused(
        "second-factor-required",
        Words("须先绑定第二因素", "a second factor must be bound first"),
        Words("请在绑定页完成绑定", "bind one on its page"),
    )


def _owner(account: int) -> str:
    return f"account:{account}"


def _bound_already() -> LiuheError:
    return Refused(
        "second-factor-bound",
        Words("此账号已绑定设备", "this account has a device already"),
        Words("设备遗失请由管理员重置", "if it is lost, the administrators reset it"),
    )
