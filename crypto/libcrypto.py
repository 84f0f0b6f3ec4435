"""The one ctypes file: the few calls of OpenSSL's libcrypto (3.0 or newer) that SM2 and SM3 need.

Nothing else in the product touches C memory. Every pointer made here is freed here; the error queue of
OpenSSL is left empty after each call, because a stale entry would surface later inside ``ssl``.
"""

import ctypes
import ctypes.util
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, Self

from crypto.words import BadInput, LiuheError, Refused, Words

VERSION_MIN: Final = 0x3000_0000  # OpenSSL_version_num: 3.0.0, the first with SM2 in the EVP providers
_SONAMES: Final = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.3.dylib")
_SIGNATURE_BYTES_MAX: Final = 128  # DER of two 256-bit integers is at most 72 bytes
_SPKI_BYTES_MAX: Final = 512
_SCALAR_BYTES: Final = 32

_pointer = ctypes.c_void_p
_int = ctypes.c_int
_size = ctypes.c_size_t
_bytes = ctypes.c_char_p
_SIGNATURES: Final[tuple[tuple[str, object, tuple[object, ...]], ...]] = (
    ("OpenSSL_version_num", ctypes.c_ulong, ()),
    ("OpenSSL_version", _bytes, (_int,)),
    ("ERR_get_error", ctypes.c_ulong, ()),
    ("ERR_clear_error", None, ()),
    ("ERR_error_string_n", None, (ctypes.c_ulong, _bytes, _size)),
    ("EVP_MD_fetch", _pointer, (_pointer, _bytes, _bytes)),
    ("EVP_MD_CTX_new", _pointer, ()),
    ("EVP_MD_CTX_free", None, (_pointer,)),
    ("EVP_MD_CTX_copy_ex", _int, (_pointer, _pointer)),
    ("EVP_DigestInit_ex", _int, (_pointer, _pointer, _pointer)),
    ("EVP_DigestUpdate", _int, (_pointer, _bytes, _size)),
    ("EVP_DigestFinal_ex", _int, (_pointer, _bytes, _pointer)),
    ("EVP_PKEY_free", None, (_pointer,)),
    ("EVP_PKEY_is_a", _int, (_pointer, _bytes)),
    ("EVP_PKEY_CTX_new_from_name", _pointer, (_pointer, _bytes, _bytes)),
    ("EVP_PKEY_CTX_new_from_pkey", _pointer, (_pointer, _pointer, _bytes)),
    ("EVP_PKEY_CTX_free", None, (_pointer,)),
    ("EVP_PKEY_CTX_set1_id", _int, (_pointer, _bytes, _size)),
    ("EVP_PKEY_keygen_init", _int, (_pointer,)),
    ("EVP_PKEY_generate", _int, (_pointer, _pointer)),
    ("EVP_PKEY_check", _int, (_pointer,)),
    ("EVP_PKEY_public_check", _int, (_pointer,)),
    ("EVP_PKEY_get_bn_param", _int, (_pointer, _bytes, _pointer)),
    ("BN_bn2binpad", _int, (_pointer, _bytes, _int)),
    ("BN_clear_free", None, (_pointer,)),
    ("i2d_PUBKEY", _int, (_pointer, _pointer)),
    ("d2i_PUBKEY", _pointer, (_pointer, _pointer, ctypes.c_long)),
    ("d2i_AutoPrivateKey", _pointer, (_pointer, _pointer, ctypes.c_long)),
    ("EVP_DigestSignInit_ex", _int, (_pointer, _pointer, _bytes, _pointer, _bytes, _pointer, _pointer)),
    ("EVP_DigestSign", _int, (_pointer, _bytes, _pointer, _bytes, _size)),
    ("EVP_DigestVerifyInit_ex", _int, (_pointer, _pointer, _bytes, _pointer, _bytes, _pointer, _pointer)),
    ("EVP_DigestVerify", _int, (_pointer, _bytes, _size, _bytes, _size)),
)


def _candidates() -> list[str]:
    """Where a libcrypto may lie, best first: the one this Python already runs on."""
    found: list[str] = []
    try:
        import _hashlib  # noqa: F401  # loads the libcrypto that hashlib and ssl are linked to

        for line in Path("/proc/self/maps").read_text().splitlines():
            path = line[line.find("/") :] if "/" in line else ""
            if "/libcrypto" in path and path not in found:
                found.append(path)
    except (ImportError, OSError):
        pass  # a static Python or no /proc: the names below still stand
    found.extend(_SONAMES)
    named = ctypes.util.find_library("crypto")
    return [*found, named] if named and named not in found else found


@cache
def library() -> ctypes.CDLL:
    """The loaded libcrypto with argument types set. Raises LiuheError where none is new enough."""
    tried: list[str] = []
    for name in _candidates():
        try:
            loaded = ctypes.CDLL(name)
            for function, result, arguments in _SIGNATURES:
                entry = getattr(loaded, function)
                entry.restype, entry.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            tried.append(f"{name}: {error}")
            continue
        if int(loaded.OpenSSL_version_num()) >= VERSION_MIN:
            return loaded
        tried.append(f"{name}: {loaded.OpenSSL_version(0).decode(errors='replace')}")
    reason = "; ".join(tried)
    raise LiuheError(
        "libcrypto-missing",
        Words(f"找不到可用的 libcrypto({reason})", f"no usable libcrypto ({reason})"),
        Words("请安装 OpenSSL 3.0 或更高版本", "install OpenSSL 3.0 or newer"),
    )


def version() -> str:
    """What the loaded library calls itself."""
    text: bytes = library().OpenSSL_version(0)
    return text.decode("ascii", "replace")


def _reason() -> str:
    """The first queued error in words; the queue is empty afterwards."""
    code = library().ERR_get_error()
    buffer = ctypes.create_string_buffer(256)
    library().ERR_error_string_n(code, buffer, len(buffer))
    library().ERR_clear_error()
    return buffer.value.decode("ascii", "replace") if code else "no reason given"


def _failed(operation: str) -> LiuheError:
    reason = _reason()
    return LiuheError(
        "libcrypto-failed",
        Words(f"libcrypto 的 {operation} 失败:{reason}", f"libcrypto {operation} failed: {reason}"),
        Words(f"请检查所装的 OpenSSL({version()})", f"check the installed OpenSSL ({version()})"),
    )


def _done(result: int, operation: str) -> None:
    if result <= 0:
        raise _failed(operation)


@cache
def _sm3_method() -> int:
    method = library().EVP_MD_fetch(None, b"SM3", None)
    if not method:
        raise _failed("EVP_MD_fetch(SM3)")
    return int(method)


class Sm3Context:
    """A running SM3 by libcrypto, for Pythons whose hashlib lacks it; same calls as hashlib's."""

    __slots__ = ("__weakref__", "_context")

    def __init__(self, data: bytes = b"") -> None:
        method = _sm3_method()
        self._context = _md_context(self)
        _done(library().EVP_DigestInit_ex(self._context, method, None), "EVP_DigestInit_ex")
        self.update(data)

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        data = bytes(data)
        _done(library().EVP_DigestUpdate(self._context, data, len(data)), "EVP_DigestUpdate")

    def digest(self) -> bytes:
        """The 32 bytes so far; computed on a copy, so that more may follow."""
        lib = library()
        copy = lib.EVP_MD_CTX_new()
        try:
            out = ctypes.create_string_buffer(64)
            _done(lib.EVP_MD_CTX_copy_ex(copy, self._context), "EVP_MD_CTX_copy_ex")
            _done(lib.EVP_DigestFinal_ex(copy, out, None), "EVP_DigestFinal_ex")
            return out.raw[:32]
        finally:
            lib.EVP_MD_CTX_free(copy)

    def hexdigest(self) -> str:
        """The digest as 64 hex digits."""
        return self.digest().hex()


def _md_context(owner: object) -> int:
    """An EVP_MD_CTX that dies with its owner."""
    context = library().EVP_MD_CTX_new()
    if not context:
        raise _failed("EVP_MD_CTX_new")
    weakref.finalize(owner, library().EVP_MD_CTX_free, context)
    return int(context)


class Sm2Handle:
    """One SM2 key inside libcrypto; freed with the object. Safe to share between threads."""

    __slots__ = ("__weakref__", "_key", "_private")

    def __init__(self, key: int, *, private: bool) -> None:
        self._key = key
        self._private = private
        weakref.finalize(self, library().EVP_PKEY_free, key)

    @classmethod
    def generate(cls) -> Self:
        """A fresh key pair from libcrypto's generator."""
        lib = library()
        context = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        if not context:
            raise _failed("EVP_PKEY_CTX_new_from_name(SM2)")
        key = ctypes.c_void_p()
        try:
            _done(lib.EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
            _done(lib.EVP_PKEY_generate(context, ctypes.byref(key)), "EVP_PKEY_generate")
        finally:
            lib.EVP_PKEY_CTX_free(context)
        assert key.value is not None
        return cls(key.value, private=True)

    @classmethod
    def from_pkcs8(cls, der: bytes) -> Self:
        """The key of an unencrypted PKCS#8; scalar, point and their match are checked."""
        return cls._read(der, library().d2i_AutoPrivateKey, library().EVP_PKEY_check, private=True)

    @classmethod
    def from_spki(cls, der: bytes) -> Self:
        """The key of a SubjectPublicKeyInfo; the point must lie on the curve."""
        return cls._read(der, library().d2i_PUBKEY, library().EVP_PKEY_public_check, private=False)

    @classmethod
    def _read(
        cls, der: bytes, parse: Callable[..., int | None], check: Callable[[int], int], *, private: bool
    ) -> Self:
        lib = library()
        buffer = ctypes.create_string_buffer(der, len(der))
        cursor = ctypes.c_void_p(ctypes.addressof(buffer))
        key = parse(None, ctypes.byref(cursor), len(der))
        consumed = (cursor.value or 0) - ctypes.addressof(buffer)
        ctypes.memset(buffer, 0, len(der))  # it may have been a private key
        if not key:
            raise _not_a_key(_reason())
        handle = cls(key, private=private)
        if consumed != len(der) or lib.EVP_PKEY_is_a(key, b"SM2") != 1:
            raise _not_a_key("not one SM2 key and nothing else")
        context = lib.EVP_PKEY_CTX_new_from_pkey(None, key, None)
        try:
            if check(context) != 1:
                raise _not_a_key(_reason())
        finally:
            lib.EVP_PKEY_CTX_free(context)
            lib.ERR_clear_error()
        return handle

    def spki(self) -> bytes:
        """The public half as SubjectPublicKeyInfo DER."""
        lib = library()
        length = lib.i2d_PUBKEY(self._key, None)
        if not 0 < length <= _SPKI_BYTES_MAX:
            raise _failed("i2d_PUBKEY")
        buffer = ctypes.create_string_buffer(length)
        cursor = ctypes.c_void_p(ctypes.addressof(buffer))
        _done(lib.i2d_PUBKEY(self._key, ctypes.byref(cursor)), "i2d_PUBKEY")
        return buffer.raw

    def scalar(self) -> bytes:
        """The private number, 32 bytes big-endian."""
        assert self._private, "a public key has no scalar"
        lib = library()
        number = ctypes.c_void_p()
        _done(lib.EVP_PKEY_get_bn_param(self._key, b"priv", ctypes.byref(number)), "EVP_PKEY_get_bn_param")
        try:
            out = ctypes.create_string_buffer(_SCALAR_BYTES)
            _done(lib.BN_bn2binpad(number, out, _SCALAR_BYTES), "BN_bn2binpad")
            return out.raw
        finally:
            lib.BN_clear_free(number)

    def sign(self, message: bytes, user_id: bytes) -> bytes:
        """SM2 with SM3 over ZA and the message; the signature as DER."""
        assert self._private, "signing needs the private key"
        lib = library()
        context = lib.EVP_MD_CTX_new()
        try:
            self._start(context, user_id, lib.EVP_DigestSignInit_ex, "EVP_DigestSignInit_ex")
            out = ctypes.create_string_buffer(_SIGNATURE_BYTES_MAX)
            length = ctypes.c_size_t(len(out))
            result = lib.EVP_DigestSign(context, out, ctypes.byref(length), message, len(message))
            _done(result, "EVP_DigestSign")
            return out.raw[: length.value]
        finally:
            lib.EVP_MD_CTX_free(context)

    def verify(self, message: bytes, signature: bytes, user_id: bytes) -> bool:
        """Whether the DER signature is this key's over the message; malformed ones are just not."""
        lib = library()
        context = lib.EVP_MD_CTX_new()
        try:
            self._start(context, user_id, lib.EVP_DigestVerifyInit_ex, "EVP_DigestVerifyInit_ex")
            return bool(lib.EVP_DigestVerify(context, signature, len(signature), message, len(message)) == 1)
        finally:
            lib.EVP_MD_CTX_free(context)
            lib.ERR_clear_error()

    def _start(self, context: int, user_id: bytes, init: Callable[..., int], name: str) -> None:
        """Set digest, key and identity; OpenSSL 3.x would take an empty identity unless told."""
        options = ctypes.c_void_p()
        _done(init(context, ctypes.byref(options), b"SM3", None, None, self._key, None), name)
        _done(library().EVP_PKEY_CTX_set1_id(options, user_id, len(user_id)), "EVP_PKEY_CTX_set1_id")


def _not_a_key(reason: str) -> BadInput | Refused:
    return BadInput(
        "key-malformed",
        Words(f"不是有效的 SM2 密钥:{reason}", f"not a valid SM2 key: {reason}"),
        Words("请换用未损坏的密钥文件", "use an undamaged key file"),
        field="key",
    )
