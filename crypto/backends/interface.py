"""What an implementation of the SM algorithms offers: the port that ``sm2``, ``sm3``, ``sm4`` stand on.

The modules above check everything that can be checked outside (lengths, ranges, points on the curve,
padding), so that a refusal is the same whichever backend serves. A backend only computes; what it must
refuse itself is a wrong C3 and a wrong GCM tag. Handles are safe to share between threads, running
digests and ciphers are not.
"""

from typing import Literal, NamedTuple, Protocol

from crypto.words import BadInput, Refused, Words

Mode = Literal["ecb", "cbc", "ctr"]


class About(NamedTuple):
    """What a status page says of a backend."""

    name: str
    library: str  # the libraries that compute, with their versions
    reference: bool  # for comparison only: slow, not constant-time
    note: Words


class Digest(Protocol):
    """A running SM3; ``update`` may be called any number of times, ``digest`` does not end it."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        ...

    def digest(self) -> bytes:
        """The 32 bytes of everything taken so far."""
        ...

    def hexdigest(self) -> str:
        """The same as 64 lower-case hex digits."""
        ...


class Cipher(Protocol):
    """A running SM4 mode without padding."""

    def update(self, data: bytes, /) -> bytes:
        """Whatever is complete so far."""
        ...

    def finalize(self) -> bytes:
        """The rest; in block modes the whole must have been full blocks."""
        ...


class Sealing(Protocol):
    """A running SM4-GCM encryption."""

    def update(self, data: bytes, /) -> bytes:
        """The ciphertext of the data, as many bytes."""
        ...

    def finalize(self) -> bytes:
        """The tag, 16 bytes."""
        ...


class Opening(Protocol):
    """A running SM4-GCM decryption; nothing it gave is authentic before ``finalize`` returned."""

    def update(self, data: bytes, /) -> bytes:
        """The unproven plaintext of the data, as many bytes."""
        ...

    def finalize(self, tag: bytes, /) -> None:
        """Return silently, or raise Refused where the tag of 16 bytes is not the right one."""
        ...


class PublicHandle(Protocol):
    """An SM2 public key ready for use; its point was found on the curve."""

    def verify_digest(self, digest: bytes, signature: bytes) -> bool:
        """Whether r and s (32 bytes each, in range) sign the digest e of 32 bytes."""
        ...

    def encrypt(self, data: bytes) -> bytes:
        """C1, C3, C2 with C1 as 65 bytes; the data is not empty."""
        ...


class PrivateHandle(Protocol):
    """An SM2 private key ready for use, perhaps inside a device."""

    @property
    def point(self) -> bytes:
        """The public point, 65 bytes."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """r and s, 32 bytes each, over the digest e of 32 bytes."""
        ...

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext of C1, C3, C2 whose C1 is on the curve. Raises Refused where C3 is wrong."""
        ...

    def agree(self, ephemeral: "PrivateHandle", peer: bytes, peer_ephemeral: bytes, /) -> bytes:
        """xV and yV of GB/T 32918.3, 32 bytes each. Raises Refused: infinity, or not offered here."""
        ...

    def scalar(self) -> bytearray:
        """The private number, 32 bytes, to be wiped. Raises Refused where it never leaves a device."""
        ...


class Backend(Protocol):
    """One implementation of the algorithms."""

    def about(self) -> About:
        """Its name, libraries and limits."""
        ...

    def sm3(self, data: bytes = b"") -> Digest:
        """A running digest that has taken the data."""
        ...

    def sm4(self, mode: Mode, key: bytes, iv: bytes, *, encrypt: bool) -> Cipher:
        """A running cipher; the key has 16 bytes, the iv 16, none in ecb."""
        ...

    def sm4_seal(self, key: bytes, nonce: bytes, aad: bytes) -> Sealing:
        """A running GCM encryption; the nonce has 12 bytes."""
        ...

    def sm4_open(self, key: bytes, nonce: bytes, aad: bytes) -> Opening:
        """A running GCM decryption."""
        ...

    def sm2_generate(self) -> PrivateHandle:
        """A fresh key pair."""
        ...

    def sm2_private(self, scalar: bytes | bytearray, point: bytes | None, /) -> PrivateHandle:
        """The key of a scalar in [1, n-2]; a point that is not its own is BadInput."""
        ...

    def sm2_public(self, point: bytes) -> PublicHandle:
        """The key of a point that is on the curve."""
        ...


def not_offered(name: str, what: Words) -> Refused:
    """The refusal of a backend that lacks an operation."""
    return Refused(
        "backend-lacks",
        Words(
            f"密码后端 {name} 不提供{what.zh}", f"the cryptographic backend {name} does not offer {what.en}"
        ),
        Words("请改用 openssl 后端", "use the openssl backend"),
    )


def wrong_ciphertext(reason: str) -> Refused:
    """The one refusal of an SM2 ciphertext."""
    return Refused(
        "sm2-ciphertext",
        Words(f"SM2 密文无效:{reason}", f"invalid SM2 ciphertext: {reason}"),
        Words("请核对密文与解密密钥", "check the ciphertext and the key"),
    )


def wrong_tag() -> Refused:
    """The one refusal of an SM4-GCM or CCM text."""
    return Refused(
        "sm4-tag",
        Words("SM4 认证标签不符,密文已被改动或密钥有误", "the SM4 tag is wrong: altered text or another key"),
        Words("请勿使用已解出的内容,重新获取密文", "discard what was opened and fetch the text again"),
    )


def wrong_key(reason: str) -> BadInput:
    """The one error of bytes that are not an SM2 key."""
    return BadInput(
        "key-malformed",
        Words(f"不是有效的 SM2 密钥:{reason}", f"not a valid SM2 key: {reason}"),
        Words("请换用未损坏的密钥", "use an undamaged key"),
        field="key",
    )
