"""The backend for machines without a shared libcrypto: SM2 by gmssl-pyx (the extra ``native``).

SM3 and SM4 come from ``bulk`` as in the default backend. gmssl-pyx encrypts at most 255 bytes by SM2, enough
for keys; it offers no point multiplication, so no key exchange, and it takes private numbers as ``bytes``,
which cannot be wiped. It writes a trace to the process's standard error on every failed verification:
those lines are taken out, all others pass.
"""

import os
import re
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import gmssl_pyx

from crypto.backends.bulk import SM4_SOURCE, Bulk, sm3_source
from crypto.backends.interface import About, PrivateHandle, not_offered, wrong_ciphertext, wrong_key
from crypto.sm2_forms import CIPHER_HEAD_BYTES, Pair, from_der, to_der
from crypto.wiping import wipe
from crypto.words import LiuheError, Words

PLAIN_BYTES_MAX: Final = 255
_NAME: Final = "native"
_TRACE: Final = re.compile(rb"^\S*\.c:\d+:\w+\(\):.*\n?", re.MULTILINE)
_PROBE: Final = bytes(31) + b"\1"
_lock = threading.Lock()


@contextmanager
def _without_traces() -> Iterator[None]:
    """Standard error goes to memory meanwhile; what is no trace of the library is written after all."""
    with _lock:
        kept, memory = os.dup(2), os.memfd_create("traces", os.MFD_CLOEXEC)
        os.dup2(memory, 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            others = _TRACE.sub(b"", os.pread(memory, os.fstat(memory).st_size, 0))
            os.close(kept)
            os.close(memory)
            if others:
                os.write(2, others)


class _Public:
    """A public key; the library takes its bytes at every call."""

    __slots__ = ("_bare",)

    def __init__(self, point: bytes) -> None:
        self._bare = point[1:]

    def verify_digest(self, digest: bytes, signature: bytes) -> bool:
        """Whether r and s sign e."""
        der = Pair.of(signature).der()
        try:
            with _without_traces():
                return bool(gmssl_pyx.sm2_verify_sm3_digest(self._bare, digest, der))
        except gmssl_pyx.GmsslInnerError:
            return False

    def encrypt(self, data: bytes) -> bytes:
        """C1, C3, C2."""
        _check_size(len(data))
        with _translated(), _without_traces():
            sealed: bytes = gmssl_pyx.sm2_encrypt(self._bare, data)
        return from_der(sealed)


class _Private:
    """A key pair; the private number lies in this process."""

    __slots__ = ("__weakref__", "_scalar", "point")

    def __init__(self, scalar: bytes | bytearray, point: bytes) -> None:
        self._scalar = bytearray(scalar)
        self.point = point
        weakref.finalize(self, wipe, self._scalar)  # our copy; the library's are its own

    def sign_digest(self, digest: bytes) -> bytes:
        """r and s over e."""
        with _translated(), _without_traces():
            der: bytes = gmssl_pyx.sm2_sign_sm3_digest(bytes(self._scalar), digest)
        return Pair.from_der(der).raw()

    def decrypt(self, data: bytes) -> bytes:
        """The plaintext, or Refused."""
        _check_size(len(data) - CIPHER_HEAD_BYTES)
        try:
            with _without_traces():
                plain: bytes = gmssl_pyx.sm2_decrypt(bytes(self._scalar), to_der(data))
        except gmssl_pyx.GmsslInnerError:
            raise wrong_ciphertext("C3 does not match") from None
        return plain

    def agree(self, *_: object) -> bytes:
        """Not offered: the library has no point multiplication."""
        raise not_offered(_NAME, Words(" SM2 密钥协商", "the SM2 key exchange"))

    def scalar(self) -> bytearray:
        """The private number."""
        return bytearray(self._scalar)


class Native(Bulk):
    """gmssl-pyx for SM2; the rest as in the default backend."""

    def about(self) -> About:
        """Its libraries."""
        return About(
            _NAME,
            f"SM2 gmssl-pyx {gmssl_pyx.__version__}; SM3 {sm3_source()[0]}; SM4 {SM4_SOURCE}",
            False,
            Words("无共享 libcrypto 时使用", "for machines without a shared libcrypto"),
        )

    def sm2_generate(self) -> PrivateHandle:
        """A fresh key pair."""
        with _translated(), _without_traces():
            bare, scalar = gmssl_pyx.sm2_key_generate()
        return _Private(scalar, b"\x04" + bare)

    def sm2_private(self, scalar: bytes | bytearray, point: bytes | None) -> PrivateHandle:
        """The key of a scalar with its point; whether they belong together is tried by a signature."""
        if point is None:
            raise not_offered(
                _NAME, Words("由私钥推算公钥", "computing the public point of a private number")
            )
        private = _Private(scalar, point)
        if not _Public(point).verify_digest(_PROBE, private.sign_digest(_PROBE)):
            raise wrong_key("the point does not belong to the private number")
        return private

    def sm2_public(self, point: bytes) -> _Public:
        """The key of a point."""
        return _Public(point)


def _check_size(size: int) -> None:
    if size > PLAIN_BYTES_MAX:
        raise not_offered(
            _NAME,
            Words(f" {PLAIN_BYTES_MAX} 字节以上的 SM2 加密", f"SM2 encryption over {PLAIN_BYTES_MAX} bytes"),
        )


@contextmanager
def _translated() -> Iterator[None]:
    """What fails inside the library although its input was checked."""
    try:
        yield
    except gmssl_pyx.GmsslInnerError as error:
        raise LiuheError(
            "native-failed",
            Words(f"gmssl-pyx 运算失败:{error}", f"gmssl-pyx failed: {error}"),
            Words("请改用 openssl 后端", "use the openssl backend"),
        ) from error
