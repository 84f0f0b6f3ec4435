"""SM4 (GB/T 32907-2016) in the modes of GB/T 17964: CBC, CTR, GCM and CCM, by the backend in force.

Streams take chunks of any size: ``update`` then ``finalize``. **GcmOpen gives bytes before they are proven**:
whoever uses them before ``finalize`` returned silently uses forged data; write to quarantine, rename after.
A nonce must never serve twice under one key; use a fresh key per content, or a counter.

Wrong lengths of keys, nonces and tags are BadInput; texts that do not open are Refused, all padding faults
with one and the same error. Keys may be ``bytes`` or ``bytearray``; wiping a ``bytearray`` is the caller's,
and copies inside libraries stay until they free them.
"""

from typing import Final

from crypto.backends.choice import current
from crypto.backends.interface import Backend, Cipher, Mode, wrong_tag
from crypto.sm3 import same_digest
from crypto.words import BadInput, Refused, Words

KEY_BYTES: Final = 16
BLOCK_BYTES: Final = 16
NONCE_BYTES: Final = 12  # of GCM and CCM, as RFC 8998 has it
TAG_BYTES: Final = 16
GCM_BYTES_MAX: Final = (1 << 36) - 32  # NIST SP 800-38D: the block counter has 32 bits
_CCM_LENGTH_BYTES: Final = 15 - NONCE_BYTES
CCM_BYTES_MAX: Final = (1 << 8 * _CCM_LENGTH_BYTES) - 1
CCM_AAD_BYTES_MAX: Final = 0xFEFF

Secret = bytes | bytearray


def _ready(mode: Mode, key: Secret, iv: bytes, backend: Backend | None, *, encrypt: bool) -> Cipher:
    check_size("key", key, KEY_BYTES)
    check_size("iv", iv, 0 if mode == "ecb" else BLOCK_BYTES)
    return (backend or current()).sm4(mode, bytes(key), bytes(iv), encrypt=encrypt)


class CbcEncrypt:
    """Running CBC encryption with PKCS#7 padding."""

    __slots__ = ("_cipher", "_size")

    def __init__(self, key: Secret, iv: bytes, *, backend: Backend | None = None) -> None:
        self._cipher = _ready("cbc", key, iv, backend, encrypt=True)
        self._size = 0

    def update(self, data: bytes) -> bytes:
        """The blocks complete so far."""
        self._size += len(data)
        return self._cipher.update(data)

    def finalize(self) -> bytes:
        """The last block."""
        missing = BLOCK_BYTES - self._size % BLOCK_BYTES
        return self._cipher.update(bytes((missing,)) * missing) + self._cipher.finalize()


class CbcDecrypt:
    """Running CBC decryption; the last block is held back until its padding was checked.

    CBC proves nothing: whoever can ask again and again with altered text learns from the refusal. Verify a
    signature or a keyed digest over the ciphertext first, or use GCM.
    """

    __slots__ = ("_cipher", "_held", "_size")

    def __init__(self, key: Secret, iv: bytes, *, backend: Backend | None = None) -> None:
        self._cipher = _ready("cbc", key, iv, backend, encrypt=False)
        self._held = b""
        self._size = 0

    def update(self, data: bytes) -> bytes:
        """The blocks that are surely not the last."""
        self._size += len(data)
        plain = self._held + self._cipher.update(data)
        self._held = plain[-BLOCK_BYTES:]
        return plain[:-BLOCK_BYTES]

    def finalize(self) -> bytes:
        """The last block without its padding. Raises Refused, one error for every fault."""
        if not self._size or self._size % BLOCK_BYTES:
            raise wrong_padding()
        last = (self._held + self._cipher.finalize())[-BLOCK_BYTES:]
        padding = last[-1]
        wrong = int(padding == 0) | int(padding > BLOCK_BYTES)
        for place in range(BLOCK_BYTES):  # every byte is looked at whatever the others are
            inside = int(place >= BLOCK_BYTES - padding)
            wrong |= inside * (last[place] ^ padding)
        if wrong:
            raise wrong_padding()
        return last[: BLOCK_BYTES - padding]


def cbc_encrypt(key: Secret, iv: bytes, data: bytes, *, backend: Backend | None = None) -> bytes:
    """CBC with PKCS#7 padding."""
    running = CbcEncrypt(key, iv, backend=backend)
    return running.update(data) + running.finalize()


def cbc_decrypt(key: Secret, iv: bytes, data: bytes, *, backend: Backend | None = None) -> bytes:
    """The plaintext; Refused with ``sm4-padding`` where length or padding is wrong."""
    running = CbcDecrypt(key, iv, backend=backend)
    return running.update(data) + running.finalize()


class Ctr:
    """Running CTR; encrypting and decrypting are the same. It proves nothing by itself."""

    __slots__ = ("_cipher", "update")

    def __init__(self, key: Secret, counter: bytes, *, backend: Backend | None = None) -> None:
        self._cipher = _ready("ctr", key, counter, backend, encrypt=True)
        self.update = self._cipher.update

    def finalize(self) -> bytes:
        """Nothing is left over in this mode; for the common shape."""
        return self._cipher.finalize()


def ecb_encrypt(key: Secret, data: bytes, *, backend: Backend | None = None) -> bytes:
    """Whole blocks one by one: a building block and the standard's example, no way to protect content."""
    return _blocks(_ready("ecb", key, b"", backend, encrypt=True), data)


def ecb_decrypt(key: Secret, data: bytes, *, backend: Backend | None = None) -> bytes:
    """Whole blocks one by one: only to read envelopes of others that were written so."""
    return _blocks(_ready("ecb", key, b"", backend, encrypt=False), data)


def _blocks(cipher: Cipher, data: bytes) -> bytes:
    if len(data) % BLOCK_BYTES:
        raise wrong_padding()
    return cipher.update(data) + cipher.finalize()


class GcmSeal:
    """Running GCM encryption."""

    __slots__ = ("_left", "_sealing")

    def __init__(
        self, key: Secret, nonce: bytes, aad: bytes = b"", *, backend: Backend | None = None
    ) -> None:
        check_size("key", key, KEY_BYTES)
        check_size("nonce", nonce, NONCE_BYTES)
        self._sealing = (backend or current()).sm4_seal(bytes(key), bytes(nonce), aad)
        self._left = GCM_BYTES_MAX

    def update(self, data: bytes) -> bytes:
        """The ciphertext of the data, as many bytes."""
        self._left = _less(self._left, data)
        return self._sealing.update(data)

    def finalize(self) -> bytes:
        """The tag, 16 bytes."""
        return self._sealing.finalize()


class GcmOpen:
    """Running GCM decryption; what ``update`` gives is unproven until ``finalize`` returned."""

    __slots__ = ("_left", "_opening")

    def __init__(
        self, key: Secret, nonce: bytes, aad: bytes = b"", *, backend: Backend | None = None
    ) -> None:
        check_size("key", key, KEY_BYTES)
        check_size("nonce", nonce, NONCE_BYTES)
        self._opening = (backend or current()).sm4_open(bytes(key), bytes(nonce), aad)
        self._left = GCM_BYTES_MAX

    def update(self, data: bytes) -> bytes:
        """The unproven plaintext of the data, as many bytes."""
        self._left = _less(self._left, data)
        return self._opening.update(data)

    def finalize(self, tag: bytes) -> None:
        """Return silently, or raise Refused where the tag of 16 bytes is not the right one."""
        if len(tag) != TAG_BYTES:
            raise wrong_tag()
        self._opening.finalize(tag)


def gcm_seal(
    key: Secret, nonce: bytes, data: bytes, aad: bytes = b"", *, backend: Backend | None = None
) -> bytes:
    """Ciphertext, then the tag of 16 bytes."""
    running = GcmSeal(key, nonce, aad, backend=backend)
    return running.update(data) + running.finalize()


def gcm_open(
    key: Secret, nonce: bytes, sealed: bytes, aad: bytes = b"", *, backend: Backend | None = None
) -> bytes:
    """The plaintext of ciphertext and tag, proven. Raises Refused with ``sm4-tag``."""
    running = GcmOpen(key, nonce, aad, backend=backend)
    plain = running.update(sealed[:-TAG_BYTES])
    running.finalize(sealed[-TAG_BYTES:])
    return plain


def ccm_seal(
    key: Secret, nonce: bytes, data: bytes, aad: bytes = b"", *, backend: Backend | None = None
) -> bytes:
    """CCM (RFC 3610, 12-byte nonce): ciphertext, then the tag of 16 bytes; whole texts only."""
    tag = _ccm_tag(key, nonce, data, aad, backend)
    return _ccm_ctr(key, nonce, data, backend) + _ccm_mask(key, nonce, tag, backend)


def ccm_open(
    key: Secret, nonce: bytes, sealed: bytes, aad: bytes = b"", *, backend: Backend | None = None
) -> bytes:
    """The plaintext, proven. Raises Refused with ``sm4-tag``."""
    if len(sealed) < TAG_BYTES:
        raise wrong_tag()
    plain = _ccm_ctr(key, nonce, sealed[:-TAG_BYTES], backend)
    tag = _ccm_mask(key, nonce, sealed[-TAG_BYTES:], backend)
    if not same_digest(_ccm_tag(key, nonce, plain, aad, backend), tag):
        raise wrong_tag()
    return plain


def _ccm_ctr(key: Secret, nonce: bytes, data: bytes, backend: Backend | None) -> bytes:
    """The text under counters from 1."""
    check_size("nonce", nonce, NONCE_BYTES)
    first = bytes((_CCM_LENGTH_BYTES - 1,)) + nonce + (1).to_bytes(_CCM_LENGTH_BYTES, "big")
    return Ctr(key, first, backend=backend).update(data)


def _ccm_mask(key: Secret, nonce: bytes, tag: bytes, backend: Backend | None) -> bytes:
    """The tag under counter 0."""
    first = bytes((_CCM_LENGTH_BYTES - 1,)) + nonce + bytes(_CCM_LENGTH_BYTES)
    return Ctr(key, first, backend=backend).update(tag)


def _ccm_tag(key: Secret, nonce: bytes, data: bytes, aad: bytes, backend: Backend | None) -> bytes:
    """CBC-MAC over lengths, nonce, aad and text: the last block of a CBC without padding."""
    check_size("nonce", nonce, NONCE_BYTES)
    if len(data) > CCM_BYTES_MAX or len(aad) > CCM_AAD_BYTES_MAX:
        raise too_long(CCM_BYTES_MAX)
    flags = 64 * bool(aad) + 8 * ((TAG_BYTES - 2) // 2) + (_CCM_LENGTH_BYTES - 1)
    head = bytes((flags,)) + nonce + len(data).to_bytes(_CCM_LENGTH_BYTES, "big")
    if aad:
        head += len(aad).to_bytes(2, "big") + aad
    running = _ready("cbc", key, bytes(BLOCK_BYTES), backend, encrypt=True)
    chained = b""
    for part in (head, data):
        chained = running.update(part + bytes(-len(part) % BLOCK_BYTES)) or chained
    return chained[-BLOCK_BYTES:]


def _less(left: int, data: bytes) -> int:
    if len(data) > left:
        raise too_long(GCM_BYTES_MAX)
    return left - len(data)


def check_size(field: str, value: Secret, size: int) -> None:
    """Raise BadInput unless the value has so many bytes."""
    if len(value) != size:
        raise BadInput(
            "sm4-parameter",
            Words(
                f"SM4 参数应为 {size} 字节,实为 {len(value)}", f"{len(value)} bytes where SM4 takes {size}"
            ),
            Words("请核对密钥、初始向量与随机数的长度", "check the lengths of key, iv and nonce"),
            field=field,
        )


def too_long(size_max: int) -> BadInput:
    """More than one key and nonce may protect."""
    return BadInput(
        "sm4-too-long",
        Words(f"内容超过该模式上限 {size_max} 字节", f"more than the {size_max} bytes this mode may take"),
        Words("请分块并使用不同的随机数", "split it and use another nonce for each part"),
        field="data",
    )


def wrong_padding() -> Refused:
    """The one refusal of every CBC text that does not open."""
    return Refused(
        "sm4-padding",
        Words("SM4-CBC 密文无法解开", "the SM4-CBC text does not open"),
        Words("请核对密钥与密文", "check the key and the text"),
    )
